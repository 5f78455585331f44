from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pytest

from modelyard.api.entry import Tensor
from modelyard.core.storage.monitoring_keys import ROWS, MinuteKey
from modelyard.core.storage.object_store import Stored
from modelyard.errors import InvalidInput
from modelyard.records.columns import columns_of, rows_of
from modelyard.records.parquet import to_parquet
from modelyard.records.replayed import ReplayedRequests, replayed

MINUTE = 1_795_953_600
NUMPY = {"FP32": "float32", "INT64": "int64", "BYTES": "object", "BOOL": "bool", "FP16": "float16"}
AGE = Tensor(name="age", datatype="FP32", shape=(-1, 1))
HOURS = Tensor(name="hours", datatype="INT64", shape=(-1, 3))
JOB = Tensor(name="job", datatype="BYTES", shape=(-1,))


class Bucket:
    """A store in memory; `hidden` keys are listed and gone."""

    def __init__(self, **files: bytes) -> None:
        self.objects = dict(files)
        self.hidden: set[str] = set()

    def list(self, prefix: str) -> Iterator[Stored]:
        return iter([Stored(key, 1) for key in sorted(self.objects) if key.startswith(prefix)])

    def get(self, key: str) -> bytes | None:
        return None if key in self.hidden else self.objects[key]

    def record(
        self, *requests: Mapping[str, Any], minute: int = 0, revision: str = "loans-1", change: Mapping[str, Any] = {}
    ) -> str:
        """Writes requests as the recorder does; `change` replaces columns of the file, None takes one away."""
        parts = []
        for request in requests:
            rows = rows_of(request)
            columns = {f"input.{name}": values for name, values in columns_of(request, rows).items()}
            parts.append({"row": np.arange(rows, dtype=np.int32), **columns})
        table = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        table = {name: values for name, values in {**table, **change}.items() if values is not None}
        key = MinuteKey("demo", "loans", revision, MINUTE + 60 * minute, "w").key(ROWS)
        self.objects[key] = to_parquet(table)
        return key

    def asked(self, *inputs: Tensor, most: int = 100) -> ReplayedRequests:
        dtypes = {tensor.name: np.dtype(NUMPY[tensor.datatype]) for tensor in inputs}
        return replayed(self, "demo", "loans", inputs, dtypes, most)  # pyright: ignore


def a_request(*ages: float) -> dict[str, Any]:
    rows = len(ages)
    jobs = np.array([f"job {age:g}" for age in ages], object)
    hours = np.arange(3 * rows, dtype=np.int64).reshape(rows, 3)
    return {"age": np.array(ages, np.float32).reshape(-1, 1), "hours": hours, "job": jobs}


def same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return one.keys() == other.keys() and all(
        one[name].dtype == other[name].dtype and one[name].shape == other[name].shape
        and np.array_equal(one[name], other[name], equal_nan=one[name].dtype.kind == "f")
        for name in one
    )  # fmt: skip


def test_requests_are_what_they_were_the_latest_first_of_all_revisions() -> None:
    bucket = Bucket()
    first, second, third = a_request(1, 2), a_request(3), a_request(float("nan"), 5, 6)
    bucket.record(first, second, revision="loans-2")
    bucket.record(third, minute=1)

    found = bucket.asked(AGE, HOURS, JOB)

    assert found.passed_over == 0
    assert [same(one, other) for one, other in zip(found.feeds, (third, second, first), strict=True)] == [True] * 3


def test_no_more_than_are_asked_for_and_a_file_that_is_gone_is_passed_by() -> None:
    bucket = Bucket()
    bucket.record(a_request(1), a_request(2), a_request(3))
    bucket.hidden.add(bucket.record(a_request(4), minute=1))

    assert [float(feed["age"][0, 0]) for feed in bucket.asked(AGE, most=2).feeds] == [3.0, 2.0]


@pytest.mark.parametrize(
    "tensors",
    [
        {"x": np.arange(4, dtype=np.float16)},
        {"x": np.arange(2, dtype=np.float32).reshape(2, 1, 1), "y": np.array([[True], [False]])},
        {"x": np.arange(3, dtype=np.float32), "y": np.array([7], np.int64)},
        {"x": np.arange(64, dtype=np.float32).reshape(1, 1, 8, 8)},
    ],
    ids=["no batch", "more dimensions", "other rows a tensor", "an image"],
)
def test_every_shape_whose_values_were_kept_comes_back(tensors: dict[str, Any]) -> None:
    names = {"float32": "FP32", "float16": "FP16", "int64": "INT64", "bool": "BOOL"}
    bucket = Bucket()
    bucket.record(tensors)
    inputs = [Tensor(name=name, datatype=names[a.dtype.name], shape=a.shape) for name, a in tensors.items()]  # pyright: ignore

    [feed] = bucket.asked(*inputs).feeds
    assert same(feed, tensors)


def test_a_request_with_a_missing_value_is_passed_over() -> None:
    bucket = Bucket()
    jobs = np.ma.masked_array(np.array(["a", "b", "c"], object), [False, True, False])
    bucket.record(a_request(1), a_request(2, 3), change={"input.job": jobs})

    found = bucket.asked(AGE, JOB)
    assert (len(found.feeds), found.passed_over) == (1, 1)


def test_a_request_of_other_rows_than_the_tensor_has_is_passed_over() -> None:
    bucket = Bucket()
    bucket.record(a_request(1, 2), a_request(3, 4, 5))

    found = bucket.asked(Tensor(name="age", datatype="FP32", shape=(2, 1)))
    assert ([len(feed["age"]) for feed in found.feeds], found.passed_over) == ([2], 1)


@pytest.mark.parametrize(
    ("tensor", "change", "sentence"),
    [
        (Tensor(name="image", datatype="FP32", shape=(-1, 65)), {}, "more than 64 values"),
        (Tensor(name="text", datatype="BYTES", shape=(-1, -1)), {}, "as many as a request likes"),
        (AGE, {"input.age": None}, "column age of what was recorded is missing"),
        (AGE, {"input.age": np.array(["0" * 32], object)}, "column age is recorded as a hash"),
        (JOB, {"input.job": np.array(["0123456789abcdef" * 2], object)}, "column job is recorded as a hash"),
        (HOURS, {"input.hours[1]": None}, r"column hours\[1\]"),
    ],
)
def test_what_cannot_be_asked_again_says_why(tensor: Tensor, change: dict[str, Any], sentence: str) -> None:
    bucket = Bucket()
    bucket.record(a_request(1), change=change)

    with pytest.raises(InvalidInput, match=sentence):
        bucket.asked(tensor)


def test_files_from_before_a_column_was_kept_are_passed_by() -> None:
    bucket = Bucket()
    bucket.record(a_request(1), change={"input.age": None})
    bucket.record(a_request(2), minute=1)
    bucket.record(a_request(3), minute=2, change={"input.age": None})

    assert [float(feed["age"][0, 0]) for feed in bucket.asked(AGE).feeds] == [2.0]


def test_where_nothing_is_recorded_the_sentence_says_what_it_takes() -> None:
    with pytest.raises(InvalidInput, match=r"monitoring needs sample and log\.columns"):
        Bucket().asked(AGE)
