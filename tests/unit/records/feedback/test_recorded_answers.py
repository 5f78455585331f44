from collections.abc import Iterator

import numpy as np

from modelyard.core.storage.monitoring_keys import ROWS, MinuteKey
from modelyard.core.storage.object_store import Stored
from modelyard.records.feedback.recorded_answers import answers, known_rows
from modelyard.records.parquet import to_parquet

NOON = 1_764_417_600


class Bucket:
    """A store in memory."""

    def __init__(self, objects: dict[str, bytes]) -> None:
        self.objects = objects

    def list(self, prefix: str) -> Iterator[Stored]:
        return iter([Stored(key, 1) for key in sorted(self.objects) if key.startswith(prefix)])

    def get(self, key: str) -> bytes | None:
        return self.objects[key]


def rows(*requests: str) -> bytes:
    ids = np.array(requests, object)
    count = len(requests)
    return to_parquet(
        {
            "request_id": ids, "row": np.arange(count, dtype=np.int32), "time": np.full(count, float(NOON)),
            "share": np.full(count, 16, np.int32), "input.age": np.full(count, 3.0), "output.y": np.full(count, 0.5),
        }
    )  # fmt: skip


BUCKET = Bucket(
    {
        MinuteKey("demo", "loans", "loans-1", NOON, "a").key(ROWS): rows("r1", "r1"),
        MinuteKey("demo", "loans", "loans-1", NOON, "b").key(ROWS): rows("r2"),
        MinuteKey("demo", "loans", "loans-2", NOON, "a").key(ROWS): rows("r3"),
        MinuteKey("demo", "cars", "cars-1", NOON, "a").key(ROWS): rows("r4"),
    }
)


def test_the_rows_of_certain_requests_come_by_revision_with_the_columns_that_are_wanted() -> None:
    [(revision, table)] = answers(
        BUCKET, "demo", "loans", "", lambda name: name.startswith("output."), {"r1", "r2", "r4"}  # pyright: ignore
    )  # fmt: skip
    assert revision == "loans-1"
    assert sorted(table) == ["output.y", "request_id", "row", "share", "time"]
    assert sorted(table["request_id"].tolist()) == ["r1", "r1", "r2"]
    assert [revision for revision, _ in answers(BUCKET, "demo", "loans", "", lambda _: True)] == ["loans-1", "loans-2"]  # pyright: ignore
    assert list(answers(BUCKET, "demo", "loans", "2030-01-01", lambda _: True)) == []  # pyright: ignore


def test_a_request_of_another_model_is_not_known() -> None:
    assert known_rows(BUCKET, "demo", "loans", "", {"r1", "r4", "r9"}) == {("r1", 0), ("r1", 1)}  # pyright: ignore
