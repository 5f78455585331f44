"""The reference of an entry: its evaluation set, or a file in its place."""

from pathlib import Path

import numpy as np
import pytest

from modelyard.builder.evaluation.evaluation_set import EvaluationSet
from modelyard.builder.evaluation.reference_profile import ReferenceRows, read_profile, rows_of_evaluation, rows_of_file
from modelyard.builder.inspection.graph import Graph, Port
from modelyard.errors import InvalidEntry, InvalidInput

CHANCE = np.random.default_rng(1)
TABLE = Graph(
    (Port("x", "FP32", ("n", 2)),), (Port("p", "FP32", ("n", 2)), Port("label", "INT64", ("n",))), 17, ()
)  # fmt: skip
NAMED = Graph((Port("age", "FP32", ("n", 1)), Port("job", "BYTES", ("n", 1))), (Port("y", "FP32", ("n",)),), 17, ())


def chances(rows: int) -> np.ndarray:
    sure = CHANCE.uniform(size=rows)
    return np.column_stack([sure, 1.0 - sure]).astype(np.float32)


def test_an_evaluation_set_gives_inputs_class_and_confidence() -> None:
    inputs, outputs = {"x": CHANCE.normal(size=(300, 2))}, {"p": chances(300), "label": np.arange(300) % 2}
    made = rows_of_evaluation(EvaluationSet(inputs, outputs, 300), TABLE, 2, "eval.npz of toy").profile({"x[1]": 0.75})
    assert {one.name: (one.role, one.kind) for one in made.features} == {
        "p.class": ("output", "category"), "p.confidence": ("confidence", "number"), "label": ("output", "category"),
        "x[0]": ("input", "number"), "x[1]": ("input", "number"),
    }  # fmt: skip
    assert [one.importance for one in made.features if one.name == "x[1]"] == [0.75]
    assert (made.rows, made.source) == (300, "eval.npz of toy")


def test_one_sample_is_no_reference() -> None:
    with pytest.raises(InvalidInput, match="one sample"):
        rows_of_evaluation(EvaluationSet({"x": np.zeros(2)}, {}, 0), TABLE, 0, "eval.npz")
    with pytest.raises(InvalidInput, match="nothing that can be watched"):
        ReferenceRows((), "eval.npz").profile()


def test_a_dynamic_tensor_is_summed_up() -> None:
    text = Graph((Port("ids", "INT64", ("n", None)),), (Port("e", "FP32", None),), 17, ())
    inputs, outputs = {"ids": CHANCE.integers(0, 9, (40, 7))}, {"e": CHANCE.normal(size=(40, 5)).astype(np.float32)}
    made = rows_of_evaluation(EvaluationSet(inputs, outputs, 40), text, 0, "eval.npz").profile()
    assert [one.name for one in made.features] == [
        "e.norm", "e.brightness", "e.length", "ids.norm", "ids.brightness", "ids.length",
    ]  # fmt: skip


def test_a_table_with_the_inputs_names_is_read_by_them(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("job,age,note\n" + "nurse,31.5,x\ncook,,y\n" * 30)
    made = rows_of_file(path, NAMED).profile()
    assert [(one.name, one.column, one.kind, one.missing) for one in made.features] == [
        ("age", "age", "number", 30), ("job", "job", "category", 0),
    ]  # fmt: skip
    assert made.left_out == ("note: the model does not take it",)


def test_a_table_of_one_inputs_values_gives_them_their_names(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("age,hours,label\n" + "31.5,40.5,1\n" * 30)
    made = rows_of_file(path, TABLE).profile()
    assert [(one.name, one.column) for one in made.features] == [("age", "x[0]"), ("hours", "x[1]")]


@pytest.mark.parametrize(("graph", "says"), [(TABLE, "2 columns in the model's order"), (NAMED, "a column each")])
def test_a_table_that_does_not_fit_says_what_would(tmp_path: Path, graph: Graph, says: str) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("age\n1\n")
    with pytest.raises(InvalidInput, match=says):
        rows_of_file(path, graph)


def test_arrays_may_leave_outputs_out(tmp_path: Path) -> None:
    path = tmp_path / "rows.npz"
    np.savez(path, **{"input:x": CHANCE.normal(size=(30, 2)), "label": np.arange(30) % 2})
    assert [one.name for one in rows_of_file(path, TABLE).profile().features] == ["label", "x[0]", "x[1]"]
    np.savez(path, x=CHANCE.normal(size=(30, 2)))
    assert rows_of_file(path, TABLE).profile().rows == 30


@pytest.mark.parametrize(
    ("arrays", "says"),
    [
        ({"y": np.zeros(3)}, "has no array 'x'"),
        ({"x": np.zeros((3, 2)), "label": np.zeros(2)}, "as many rows"),
        ({"x": np.zeros((0, 2))}, "as many rows"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(tmp_path: Path, arrays: dict[str, np.ndarray], says: str) -> None:
    path = tmp_path / "rows.npz"
    np.savez(path, **arrays)
    with pytest.raises(InvalidInput, match=says):
        rows_of_file(path, TABLE)
    with pytest.raises(InvalidInput, match="there is no file"):
        rows_of_file(tmp_path / "none.npz", TABLE)


@pytest.mark.parametrize(
    ("text", "says"),
    [("{", "is no reference profile"), ('{"source": "x", "rows": 0, "features": []}', "is no reference profile"),
     ('{"format": 99, "source": "x", "rows": 1, "features": [{"name": "a", "column": "a", "role": "input", "kind": '
      '"number", "rows": 1, "missing": 1}]}', "of a newer Modelyard")],
)  # fmt: skip
def test_a_profile_that_is_none_is_refused(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "profile.json"
    path.write_text(text)
    with pytest.raises(InvalidEntry, match=says):
        read_profile(path)
