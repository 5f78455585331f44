"""Events on a real API server: one per fact, counted, made again when it has expired, and never lost to a bad child."""

import json
import threading
from contextlib import AbstractContextManager, nullcontext
from typing import Any
from uuid import UUID

import pytest

from modelyard.core.plan import Event, Plan
from modelyard.errors import Conflict
from modelyard.operator.cache.guarded_writes import GuardedWrites
from modelyard.operator.cache.objects import ObjectCache
from modelyard.operator.reconciler.events import EventRecorder
from tests.support.operator.bench import Bench
from tests.support.operator.crashing_operator import Hands

DIGITS = {"source": {"name": "digits", "version": "1"}}
FACT = Event("Normal", "Serving", "It serves.")


class Leading:
    """A replica that leads and counts nothing."""

    held = True

    def wrote(self, verb: str, kind: str) -> None:
        return None


@pytest.fixture
def model(bench: Bench) -> dict[str, Any]:
    bench.ask("digits", **DIGITS)
    stored = bench.get("Model", "digits")
    assert stored is not None
    return stored


def a_recorder(bench: Bench) -> EventRecorder:
    return EventRecorder(GuardedWrites(bench.cluster, ObjectCache(), Leading(), Leading()), "test")


def recorded(bench: Bench) -> dict[str, int]:
    """Reason and count of every Event."""
    done = bench.api.run("kubectl", "get", "events", "-n", bench.namespace, "-o", "json")
    return {item["reason"]: item["count"] for item in json.loads(done.stdout)["items"]}


def expire(bench: Bench) -> None:
    """The API server forgets Events after an hour."""
    assert bench.api.run("kubectl", "delete", "events", "--all", "-n", bench.namespace).returncode == 0


def test_a_fact_that_is_repeated_after_its_event_expired_is_recorded_again(bench: Bench, model: dict[str, Any]) -> None:
    recorder = a_recorder(bench)
    for _ in range(2):
        recorder.post(model, FACT)
    before = recorded(bench)
    expire(bench)

    recorder.post(model, FACT)

    assert (before, recorded(bench)) == ({"Serving": 2}, {"Serving": 3})


def test_another_operator_counts_the_event_of_the_first_on(bench: Bench, model: dict[str, Any]) -> None:
    a_recorder(bench).post(model, FACT)
    a_recorder(bench).post(model, FACT)

    assert recorded(bench) == {"Serving": 2}


def test_threads_count_every_fact(bench: Bench, model: dict[str, Any]) -> None:
    recorder = a_recorder(bench)
    threads = [threading.Thread(target=lambda: [recorder.post(model, FACT) for _ in range(5)]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert recorded(bench) == {"Serving": 40}


def test_an_event_that_could_not_be_made_is_made_the_next_time(bench: Bench, model: dict[str, Any]) -> None:
    recorder = a_recorder(bench)
    nowhere = {**model, "metadata": {**model["metadata"], "namespace": "nowhere"}}
    recorder.post(nowhere, FACT)

    recorder.post(model, FACT)

    assert recorded(bench) == {"Serving": 1}


@pytest.mark.parametrize(
    ("metadata", "raised"),
    [({"name": "Bad Name"}, nullcontext()), ({"name": "lost", "uid": str(UUID(int=1))}, pytest.raises(Conflict))],
    ids=["refused", "in conflict"],
)
def test_a_child_that_cannot_be_written_takes_no_event_with_it(
    bench: Bench, model: dict[str, Any], metadata: dict[str, str], raised: AbstractContextManager[Any]
) -> None:
    bad = {"apiVersion": "v1", "kind": "Secret", "metadata": {"namespace": bench.namespace, **metadata}}
    plans = iter([Plan(status={"observedGeneration": 1}, apply=(bad,), events=(FACT,))])
    hands = Hands(bench, decides=lambda snapshot, settings: next(plans, Plan()))

    with raised:
        hands.look("digits")

    assert bench.status("digits") == {"observedGeneration": 1}
    assert recorded(bench) == {"Serving": 1}
