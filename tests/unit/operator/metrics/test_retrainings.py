"""What Prometheus learns of retrainings."""

from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from modelyard.operator.cache.objects import ObjectCache
from modelyard.operator.metrics.retrainings import RetrainingMetrics

LOANS = {"namespace": "demo", "model": "loans"}
STARTED, ENDED = "2026-11-29T09:50:00Z", "2026-11-29T10:00:00Z"
AT_TEN = 1795946400.0
LAST = {
    "id": STARTED, "causes": ["decay"], "revision": "loans-1", "version": "1", "startTime": STARTED, "endTime": ENDED,
    "outcome": "Refused",
}  # fmt: skip
TOLD = {
    "state": "Waiting", "reason": "TooSoon", "message": "", "since": ENDED, "last": LAST, "cpuHours": 0.5,
    "month": "2026-11", "failures": 2, "lastSuccessTime": STARTED,
}  # fmt: skip


class Scrapes:
    """A replica of the operator that began at 9:00, and is asked again and again."""

    def __init__(self, leading: bool = True) -> None:
        self.cache, self.registry = ObjectCache(), CollectorRegistry()
        self.puts = 0
        self.registry.register(RetrainingMetrics(self.cache, lambda: leading, lambda: AT_TEN - 3600))

    def put(self, retraining: dict[str, Any] | None) -> "Scrapes":
        """The Model's status."""
        self.puts += 1
        meta = {"namespace": "demo", "name": "loans", "uid": "1", "resourceVersion": str(self.puts), "labels": {}}
        status = {} if retraining is None else {"retraining": retraining}
        self.cache.put({"kind": "Model", "metadata": meta, "spec": {}, "status": status})
        return self

    def value(self, name: str, **labels: str) -> float | None:
        """One sample of the Model."""
        return self.registry.get_sample_value(f"modelyard_retraining_{name}", {**LOANS, **labels})

    def counted(self, outcome: str) -> list[float | None]:
        """How many ended so, and how many seconds they took together."""
        name, labels = "modelyard_retraining_duration_seconds", {"outcome": outcome}
        return [self.registry.get_sample_value(f"{name}_{part}", labels) for part in ("count", "sum")]


def test_where_it_stands_and_how_the_last_one_ended() -> None:
    scrapes = Scrapes().put(TOLD)
    assert scrapes.value("state", state="Waiting", reason="TooSoon") == 1
    assert scrapes.value("ended_timestamp_seconds", outcome="Refused") == AT_TEN
    assert scrapes.value("last_success_timestamp_seconds") == AT_TEN - 600
    assert (scrapes.value("failures"), scrapes.value("cpu_hours")) == (2, 0.5)


def test_a_model_that_was_never_retrained_has_no_times() -> None:
    scrapes = Scrapes().put({"state": "Idle", "reason": "NotCalledFor", "message": "", "since": ENDED})
    assert scrapes.value("state", state="Idle", reason="NotCalledFor") == 1
    assert scrapes.value("failures") == 0
    assert scrapes.value("last_success_timestamp_seconds") is None
    assert [scrapes.value("ended_timestamp_seconds", outcome=how) for how in ("Pushed", "Refused")] == [None, None]


@pytest.mark.parametrize("retraining", [None, {"state": "Perhaps"}], ids=["none", "of another version"])
def test_nothing_is_told_of_a_model_that_says_nothing(retraining: dict[str, Any] | None) -> None:
    assert Scrapes().put(retraining).value("failures") is None


def test_an_ending_counts_once() -> None:
    scrapes = Scrapes().put({**TOLD, "last": None})
    assert scrapes.counted("Refused") == [0, 0]
    scrapes.put(TOLD)
    assert scrapes.counted("Refused") == [1, 600]
    assert scrapes.counted("Refused") == [1, 600]
    later = {**LAST, "id": ENDED, "startTime": ENDED, "endTime": "2026-11-29T10:05:00Z", "outcome": "Pushed"}
    scrapes.put({**TOLD, "last": later})
    assert (scrapes.counted("Refused"), scrapes.counted("Pushed")) == ([1, 600], [1, 300])


def test_what_ended_before_this_process_or_under_another_leader_is_not_counted() -> None:
    earlier = {**LAST, "startTime": "2026-11-29T07:50:00Z", "endTime": "2026-11-29T08:00:00Z"}
    assert Scrapes().put({**TOLD, "last": earlier}).counted("Refused") == [0, 0]
    assert Scrapes(leading=False).put(TOLD).counted("Refused") == [0, 0]
