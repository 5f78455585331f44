"""Recorded rows with their truth, as tensors that a model can be trained on."""

from typing import Any

import numpy as np
import pytest

from modelyard.api.entry import Tensor
from modelyard.api.monitoring.labels import AnswerLabel
from modelyard.api.monitoring.spec import Feedback
from modelyard.core.storage.monitoring_keys import ROWS, MinuteKey, feedback_key
from modelyard.errors import InvalidInput
from modelyard.records.feedback.labelled_rows import LabelledRows, labelled_rows
from modelyard.records.feedback.labels import to_file
from modelyard.records.parquet import to_parquet
from tests.support.objects.memory_store import MemoryStore

DAY = 1_794_873_600
X = Tensor(name="x", datatype="FP32", shape=(-1, 2))


class Recorded:
    """Rows and labels in a store in memory."""

    def __init__(self) -> None:
        self.store = MemoryStore()

    def rows(self, revision: str = "loans-1", at: int = 0, **columns: Any) -> None:
        count = len(next(iter(columns.values())))
        table = {
            "request_id": np.array([f"{revision}-{row}" for row in range(count)], object),
            "row": np.zeros(count, np.int32), "time": DAY + at + np.arange(float(count)),
            "share": np.full(count, 4, np.int32),
            **{name.replace("__", "."): np.asanyarray(values) for name, values in columns.items()},
        }  # fmt: skip
        self.store.put(MinuteKey("demo", "loans", revision, DAY + at, "w").key(ROWS), to_parquet(table))

    def labels(self, revision: str, labels: list[str], output: str = "") -> None:
        told = [AnswerLabel(f"{revision}-{row}", 0, output, label, 1.0, 1.0) for row, label in enumerate(labels)]
        key = feedback_key("demo", "loans", "2026-11-24", f"{revision}{len(self.store.objects)}")
        self.store.put(key, to_file(told))

    def read(self, inputs: tuple[Tensor, ...] = (X,), names: tuple[str, ...] = (), **asked: Any) -> LabelledRows:
        dtypes = {tensor.name: np.dtype("O" if tensor.datatype == "BYTES" else np.float32) for tensor in inputs}
        return labelled_rows(
            self.store, "demo", "loans", inputs, dtypes, names, Feedback.model_validate(asked), "2026-11-01"
        )


PAIR = {"input__x[0]": [1.0, 2.0, 3.0], "input__x[1]": [4.0, 5.0, 6.0]}
SURE = {"output__p[0]": [0.9, 0.2, 0.4], "output__p[1]": [0.1, 0.8, 0.6]}


def test_rows_are_the_tensors_that_they_were_with_what_was_right() -> None:
    recorded = Recorded()
    recorded.rows(**PAIR, **SURE)
    recorded.labels("loans-1", ["no", "yes", "no"])
    rows = recorded.read(names=("no", "yes"))
    assert rows.inputs["x"].tolist() == [[1.0, 4.0], [2.0, 5.0], [3.0, 6.0]]
    assert (rows.truth.tolist(), rows.are_classes, rows.output, rows.rows) == ([0, 1, 0], True, "p", 3)
    assert (rows.weights.tolist(), rows.requests.tolist()) == ([4.0] * 3, ["loans-1-0", "loans-1-1", "loans-1-2"])
    assert rows.period() == ("2026-11-17", "2026-11-17")


def test_rows_of_all_revisions_count_in_the_order_of_their_answers() -> None:
    recorded = Recorded()
    recorded.rows("loans-2", at=60, **PAIR, **SURE)
    recorded.rows("loans-1", **PAIR, **SURE)
    recorded.labels("loans-2", ["1", "1", "1"])
    recorded.labels("loans-1", ["0", "0"], output="p")
    rows = recorded.read()
    assert rows.requests.tolist() == ["loans-1-0", "loans-1-1", "loans-2-0", "loans-2-1", "loans-2-2"]
    assert rows.truth.tolist() == [0, 0, 1, 1, 1]


@pytest.mark.parametrize(
    ("answers", "labels", "names", "truth", "kind"),
    [
        ([10, 2, 2], ["10", "2", "10"], (), [10, 2, 10], "i"),
        ([0, 1, 1], ["no", "yes", "1"], ("no", "yes"), [0, 1, 1], "i"),
        (["a", "b", "b"], ["a", "a", "b"], (), ["a", "a", "b"], "O"),
        ([1.5, 2.5, 9.0], ["1.25", "2.5", "8"], (), [1.25, 2.5, 8.0], "f"),
        ([0.2, 0.7, 0.9], ["0", "1", "0"], (), [0, 1, 0], "i"),
    ],
    ids=["whole-numbers", "names-of-whole-numbers", "texts", "numbers", "one-score"],
)
def test_truth_is_what_the_output_would_have_said(
    answers: list[Any], labels: list[str], names: tuple[str, ...], truth: list[Any], kind: str
) -> None:
    recorded = Recorded()
    dtype: Any = object if isinstance(answers[0], str) else None
    recorded.rows(**PAIR, output__y=np.array(answers, dtype))
    recorded.labels("loans-1", labels)
    rows = recorded.read(names=names)
    assert (rows.truth.tolist(), rows.truth.dtype.kind, rows.are_classes) == (truth, kind, kind != "f")


def test_a_value_that_is_missing_is_nan_or_leaves_the_row_out() -> None:
    recorded = Recorded()
    holes = np.ma.masked_array([1.0, 2.0, 3.0], [False, True, False])
    words = np.ma.masked_array(np.array(["a", "b", "c"], object), [False, False, True])
    recorded.rows(**{"input__x": holes, "input__word": words, **SURE})
    recorded.labels("loans-1", ["0", "1", "0"])
    inputs = (Tensor(name="x", datatype="FP32", shape=(-1,)), Tensor(name="word", datatype="BYTES", shape=(-1,)))
    rows = recorded.read(inputs)
    assert rows.requests.tolist() == ["loans-1-0", "loans-1-1"]
    assert (rows.inputs["x"].shape, np.isnan(rows.inputs["x"]).tolist()) == ((2,), [False, True])
    assert rows.inputs["word"].tolist() == ["a", "b"]


def test_slices_come_along_where_all_rows_have_them() -> None:
    recorded = Recorded()
    recorded.rows("loans-1", **PAIR, **SURE, input__sex=np.array(["f", "m", "f"], object))
    recorded.labels("loans-1", ["0", "1", "0"])
    assert recorded.read(slices=["sex", "age"]).slices["sex"].tolist() == ["f", "m", "f"]
    recorded.rows("loans-2", at=60, **PAIR, **SURE)
    recorded.labels("loans-2", ["0", "1", "0"])
    assert recorded.read(slices=["sex"]).slices == {}


def test_columns_that_were_not_kept_are_named() -> None:
    recorded = Recorded()
    recorded.rows(**{"input__x[0]": [1.0, 2.0, 3.0]}, **SURE)
    recorded.labels("loans-1", ["0", "1", "0"])
    with pytest.raises(InvalidInput, match=r"column x\[1\] of what was recorded is missing"):
        recorded.read()
    recorded.rows("loans-2", at=60, **PAIR, **SURE)
    recorded.labels("loans-2", ["0", "1", "0"])
    assert recorded.read().rows == 3, "those that are whole are taken"


def test_what_is_missing_everywhere_is_said() -> None:
    recorded = Recorded()
    with pytest.raises(InvalidInput, match="no recorded row of demo/loans since 2026-11-01 has a label"):
        recorded.read()
    missing = np.ma.masked_array(np.array(["a"], object), [True])
    recorded.rows(**{"input__x": missing, "output__p[0]": [0.1], "output__p[1]": [0.9]})
    recorded.labels("loans-1", ["1"])
    with pytest.raises(InvalidInput, match="has a label that fits"):
        recorded.read((Tensor(name="x", datatype="BYTES", shape=(-1,)),))


def test_answers_of_two_kinds_are_not_mixed() -> None:
    recorded = Recorded()
    recorded.rows("loans-1", **PAIR, **SURE)
    recorded.rows("loans-2", at=60, **PAIR, output__p=np.array([1.5, 2.5, 7.0]))
    recorded.labels("loans-1", ["0", "1", "0"])
    recorded.labels("loans-2", ["1.5", "2", "7"])
    with pytest.raises(InvalidInput, match="answered in different outputs or kinds of classes"):
        recorded.read()


def test_what_judges_is_a_fifth_of_the_requests_and_always_the_same() -> None:
    recorded = Recorded()
    many = np.arange(1000.0)
    recorded.rows(**{"input__x[0]": many, "input__x[1]": many, "output__p[0]": many, "output__p[1]": many + 1})
    recorded.labels("loans-1", ["1"] * 1000)
    rows = recorded.read()
    held = rows.held_out()
    assert 150 <= held.sum() <= 250
    assert set(rows.only(held).requests) == set(recorded.read().only(recorded.read().held_out()).requests)
    assert rows.only(held).rows + rows.only(~held).rows == 1000


def test_the_digest_is_of_inputs_and_truth() -> None:
    recorded = Recorded()
    recorded.rows(**PAIR, **SURE)
    recorded.labels("loans-1", ["0", "1", "0"])
    rows = recorded.read()
    assert rows.digest() == recorded.read().digest()
    assert rows.digest() != rows.only(np.array([True, True, False])).digest()
    assert rows.digest().startswith("sha256:")
