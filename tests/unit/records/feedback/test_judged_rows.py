from typing import Any

import numpy as np
import pytest

from modelyard.api.monitoring.labels import AnswerLabel
from modelyard.records.feedback.judged_rows import JudgedRows, default_output, joined, outputs_in


def table(**columns: Any) -> dict[str, Any]:
    """Rows of requests r0, r1, ... answered in minutes 10, 9, ... ; `__` is a dot."""
    arrays = {name.replace("__", "."): values for name, values in columns.items()}
    rows = len(next(iter(arrays.values())))
    ids = np.array([f"r{at}" for at in range(rows)], object)
    times = 600.0 - 60.0 * np.arange(rows)
    return {"request_id": ids, "row": np.zeros(rows, int), "time": times, "share": np.full(rows, 4), **arrays}


def join(
    rows: dict[str, Any],
    labels: dict[str, str],
    output: str = "y",
    names: tuple[str, ...] = (),
    slices: tuple[str, ...] = (),
) -> tuple[JudgedRows, int]:
    told = {(request, 0, ""): AnswerLabel(request, 0, "", label, 1.0, 1.0) for request, label in labels.items()}
    made, unfit = joined(rows, told, output, "", names, slices)
    assert made is not None
    return made, unfit


WIDE = {"output.y[1]": np.array([0.9, 0.2, 0.6, np.nan]), "output.y[0]": np.array([0.1, 0.8, 0.4, 0.5])}


def test_wide_answers_name_the_class_of_the_largest_in_the_order_of_their_minutes() -> None:
    made, unfit = join(table(**WIDE), {"r0": "1", "r1": "1", "r2": "7", "r3": "0", "r9": "1"})
    assert unfit == 2, "class 7 is none, and an answer that is NaN is none"
    assert (made.kind, made.classes, made.minutes.tolist()) == ("class", ("0", "1"), [9, 10])
    assert (made.answer.tolist(), made.truth.tolist(), made.wrong.tolist()) == ([0, 1], [1, 1], [True, False])
    assert made.scores.tolist() == [[0.8, 0.2], [0.1, 0.9]]
    assert made.weights.tolist() == [4, 4]


def test_classes_go_by_name_or_number_and_scores_that_are_no_chances_through_softmax() -> None:
    logits = {"output.y[0]": np.array([3.0, -2.0]), "output.y[1]": np.array([1.0, 5.0])}
    made, unfit = join(table(**logits), {"r0": "no", "r1": "0"}, names=("no", "yes"))
    assert (unfit, made.truth.tolist(), made.answer.tolist()) == (0, [0, 0], [1, 0])
    assert np.allclose(made.scores.sum(axis=1), 1)
    numbered, unfit = join(table(**logits), {"r0": "0", "r1": "8"}, names=("8", "9"))
    assert (unfit, numbered.truth.tolist()) == (1, [0]), "where names are numbers, a number is a name"


@pytest.mark.parametrize(
    ("answers", "labels", "names", "wrong"),
    [
        (np.array(["cat", "dog"], object), ("cat", "cat"), (), [True, False]),
        (np.array([1, 0]), ("1", "1"), (), [True, False]),
        (np.array([1, 0]), ("yes", "1"), ("no", "yes"), [True, False]),
        (np.array([True, False]), ("1", "1"), (), [True, False]),
        (np.array([0.7, 0.2]), ("1", "1"), (), [True, False]),
    ],
)
def test_a_single_column_may_name_the_class(
    answers: Any, labels: tuple[str, str], names: tuple[str, ...], wrong: list[bool]
) -> None:
    made, unfit = join(table(output__y=answers), dict(zip(("r0", "r1"), labels, strict=True)), names=names)
    assert (made.kind, unfit, made.wrong.tolist()) == ("class", 0, wrong)


def test_words_are_no_class_of_numbers_and_missing_answers_none() -> None:
    made, unfit = join(table(output__y=np.array([1, 0])), {"r0": "1", "r1": "dog"})
    assert (unfit, made.rows) == (1, 1)
    masked = np.ma.array([1, 0], mask=[False, True])
    made, unfit = join(table(output__y=masked), {"r0": "1", "r1": "0"})
    assert (unfit, made.rows) == (1, 1)


def test_labels_that_are_not_hidden_say_nothing_of_answers_that_are() -> None:
    hidden = np.array(["a" * 32, "b" * 32, None], object)
    label = AnswerLabel("r0", 0, "", "1", 1.0, 1.0)
    plain = {(f"r{at}", 0, ""): label for at in range(3)}
    assert joined(table(output__y=hidden), plain, "y", "", (), ()) == (None, 3)
    made, unfit = join(table(output__y=hidden), {"r0": "a" * 32, "r1": "c" * 32, "r2": "1"})
    assert (made.kind, unfit, made.wrong.tolist()) == ("class", 1, [True, False])


def test_numbers_have_errors_and_words_and_infinity_are_none() -> None:
    made, unfit = join(table(output__y=np.array([2.5, 1.0, 0.5])), {"r0": "2", "r1": "much", "r2": "1e999"})
    assert (made.kind, made.errors.tolist(), unfit, made.classes) == ("number", [0.5], 2, ())


def test_slices_are_values_or_quarters_and_say_where_there_is_none() -> None:
    rows = table(
        output__y=np.arange(12) % 2,
        input__sex=np.array(["f", "m", None] * 4, object),
        input__age=np.ma.array(np.arange(12.0), mask=[True] + [False] * 11),
    )
    made, _ = join(rows, {f"r{at}": "1" for at in range(12)}, slices=("sex", "age", "unkept"))
    assert sorted(made.slices) == ["age", "sex"]
    assert sorted(set(made.slices["sex"])) == ["f", "m", "none"]
    assert sorted(set(made.slices["age"])) == ["above 3.5", "above 6", "above 8.5", "none", "to 3.5"]
    few, _ = join(
        table(output__y=np.array([1, 0]), input__age=np.array([30.0, 2.5])), {"r0": "1", "r1": "1"}, slices=("age",)
    )
    assert sorted(few.slices["age"]) == ["2.5", "30"]


def test_what_cannot_be_judged() -> None:
    label = {("r0", 0, ""): AnswerLabel("r0", 0, "", "1", 1.0, 1.0)}
    rows = table(output__y=np.array([1]))
    assert joined(rows, {}, "y", "", (), ()) == (None, 0)
    assert joined(rows, label, "z", "", (), ()) == (None, 1), "an output that is not recorded"
    words = {"output.y[0]": np.array(["a"], object), "output.y[1]": np.array(["b"], object)}
    assert joined(table(**words), label, "y", "", (), ()) == (None, 1), "a row of words is no score"
    wrong = {("r0", 0, ""): label[("r0", 0, "")]._replace(label="dog")}
    assert joined(rows, wrong, "y", "", (), ()) == (None, 1)


def test_which_output_labels_are_of_when_they_do_not_say() -> None:
    rows = table(output__b=np.array([1]), output__a=np.array([0.5]), **{"output.c.norm": np.array([1.0])})
    assert default_output(rows) == "b"
    assert default_output(rows | {"output.p[0]": np.array([0.5]), "output.p[1]": np.array([0.5])}) == "p"
    assert default_output(table(input__x=np.array([1]))) == ""
    assert outputs_in(["output.y[10]", "output.y[2]", "output.y.norm", "input.y[0]"]) == {
        "y": ["output.y[2]", "output.y[10]"], "y.norm": ["output.y.norm"]
    }  # fmt: skip
