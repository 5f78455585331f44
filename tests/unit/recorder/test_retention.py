from collections.abc import Iterator
from datetime import date

import pytest

from modelyard.core.storage.object_store import Stored
from modelyard.errors import Unreachable
from modelyard.recorder.retention import expired, sweep

TODAY = date(2026, 11, 29)


class Bucket:
    """A store of names alone; `lasts` is how many deletions it lets happen before it is away."""

    def __init__(self, *keys: str, lasts: int = 10**6) -> None:
        self.keys, self.lasts = list(keys), lasts

    def list(self, prefix: str) -> Iterator[Stored]:
        return (Stored(key, 1) for key in list(self.keys) if key.startswith(prefix))

    def delete(self, key: str) -> None:
        if self.lasts == 0:
            raise Unreachable("the store does not answer")
        self.lasts -= 1
        self.keys.remove(key)


def key(model: str, day: str, name: str = "0000-w.rows.parquet") -> str:
    return f"monitor/demo/{model}/{model}-1/date={day}/{name}"


def days(namespace: str, model: str) -> int:
    return 1 if (namespace, model) == ("demo", "short") else 30


def test_a_day_goes_once_it_is_over_for_longer_than_its_model_says() -> None:
    bucket = Bucket(
        key("short", "2026-11-27"), key("short", "2026-11-28"), key("short", "2026-11-29"), key("long", "2026-10-30"),
        key("long", "2026-10-29"), "feedback/demo/short/date=2020-01-01/a.parquet", "registry/x/date=2020-01-01",
        "feedback/demo/long/date=2026-10-30/a.parquet",
    )  # fmt: skip
    assert sweep(bucket, TODAY, days) == 3
    assert len(bucket.keys) == 5
    assert "feedback/demo/short/date=2020-01-01/a.parquet" not in bucket.keys
    assert key("short", "2026-11-27") not in bucket.keys
    assert key("long", "2026-10-29") not in bucket.keys


@pytest.mark.parametrize("strange", ["monitor/x", "monitor/demo/m/r/date=soon/a", "monitor/demo/m/r/date=2026-13-40/a"])
def test_what_has_no_day_stays(strange: str) -> None:
    assert list(expired(Bucket(strange), "", TODAY, days)) == []


def test_a_store_that_goes_away_is_swept_later() -> None:
    bucket = Bucket(*(key("short", f"2026-10-{day:02d}") for day in range(1, 5)), lasts=2)
    assert sweep(bucket, TODAY, days) == 2
    bucket.lasts = 10
    assert sweep(bucket, TODAY, days) == 2
    assert bucket.keys == []


def test_a_recorder_that_may_not_read_labels_sweeps_rows_all_the_same() -> None:
    class RowsAlone(Bucket):
        def list(self, prefix: str) -> Iterator[Stored]:
            if prefix.startswith("feedback"):
                raise Unreachable("the store does not answer")
            return super().list(prefix)

    bucket = RowsAlone(key("short", "2026-10-01"))
    assert sweep(bucket, TODAY, days) == 1


def test_what_is_known_of_a_revision_goes_with_the_last_of_its_days() -> None:
    def known(model: str) -> list[str]:
        return [f"monitor/demo/{model}/{model}-1/{name}.json" for name in ("detector", "status")]

    bucket = Bucket(
        key("a", "2026-10-01"), *known("a"), key("b", "2026-10-01"), key("b", "2026-11-29"), *known("b"), *known("c"),
        "monitor/demo/d/status.json",
    )  # fmt: skip
    assert sweep(bucket, TODAY, days) == 6
    assert bucket.keys == [key("b", "2026-11-29"), *known("b"), "monitor/demo/d/status.json"]
