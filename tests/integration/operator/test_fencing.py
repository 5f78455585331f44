"""What a leader writes that was paused, on a real API server: refused when another has written in the meantime."""

from typing import Any

import pytest

from modelyard.core.decide import decide
from modelyard.core.snapshot import Ref
from modelyard.errors import Conflict
from modelyard.operator.cache.guarded_writes import GuardedWrites
from modelyard.operator.cache.objects import ObjectCache
from modelyard.operator.leader_election import Lease
from tests.support.machine.fake_clock import Clock
from tests.support.operator.bench import Bench
from tests.support.operator.crashing_operator import Hands

SECONDS = 15.0
DIGITS = {"source": {"name": "digits", "version": "1"}}


class Uncounted:
    """Counts no write."""

    def wrote(self, verb: str, kind: str) -> None:
        return None


class Replica:
    """One replica's Lease, by its own clock, and its writes."""

    def __init__(self, bench: Bench, name: str) -> None:
        self.clock = Clock()
        self.lease = Lease(bench.cluster, bench.settings.operator.namespace, name, SECONDS, self.clock)
        self.writes = GuardedWrites(bench.cluster, ObjectCache(), self.lease, Uncounted())


def stored(bench: Bench) -> dict[str, Any]:
    model = bench.get("Model", "digits")
    assert model is not None
    return model


def test_the_late_status_of_a_leader_whose_clock_stood_still_is_refused(bench: Bench) -> None:
    bench.ask("digits", **DIGITS)
    paused, next_one, ref = Replica(bench, "paused"), Replica(bench, "next"), Ref("Model", bench.namespace, "digits")
    paused.lease.step()
    decided_on = stored(bench)
    next_one.lease.step()
    next_one.clock.now += SECONDS + 1
    next_one.lease.step()
    next_one.writes.status(ref, stored(bench), {"version": "2"})
    assert (paused.lease.held, next_one.lease.held) == (True, True)

    with pytest.raises(Conflict):
        paused.writes.status(ref, decided_on, {"version": "1"})

    assert bench.status("digits") == {"version": "2"}


def test_a_status_that_was_decided_before_the_spec_changed_is_decided_again(bench: Bench) -> None:
    bench.push("digits", "1")
    bench.ask("digits", **DIGITS)

    def edited_meanwhile(snapshot: Any, settings: Any) -> Any:
        bench.edit("Model", "digits", {"spec": {"serving": {"replicas": 2}}})
        return decide(snapshot, settings)

    with pytest.raises(Conflict):
        Hands(bench, decides=edited_meanwhile).look("digits")
    Hands(bench).look("digits")

    assert bench.status("digits")["observedGeneration"] == stored(bench)["metadata"]["generation"]
