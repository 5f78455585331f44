"""Leadership: one holder at a time, handed over at once when released, and after a silence otherwise."""

import copy
import threading
from collections.abc import Callable
from typing import Any

import pytest

from modelyard.core.snapshot import Object, Ref
from modelyard.errors import Conflict, Unreachable
from modelyard.operator.leader_election import Lease
from tests.support.machine.fake_clock import Clock


class Leases:
    """One Lease with the API server's optimistic locking, and an outage when asked for."""

    def __init__(self) -> None:
        self.stored: dict[str, Any] | None = None
        self.away = False
        self.version = 0
        self.reads = 0
        self.slowly: Callable[[], None] = lambda: None

    def get(self, ref: Ref) -> dict[str, Any] | None:
        self.reads += 1
        self._answer()
        return copy.deepcopy(self.stored)

    def create(self, thing: Object) -> dict[str, Any]:
        self._answer()
        if self.stored is not None:
            raise Conflict("exists")
        return self._keep(thing)

    def replace(self, thing: Object) -> dict[str, Any] | None:
        self._answer()
        if self.stored is None:
            return None
        if thing["metadata"]["resourceVersion"] != self.stored["metadata"]["resourceVersion"]:
            raise Conflict("changed")
        return self._keep(thing)

    def _answer(self) -> None:
        self.slowly()
        if self.away:
            raise Unreachable("no answer")

    def _keep(self, thing: Object) -> dict[str, Any]:
        self.version += 1
        self.stored = copy.deepcopy(dict(thing))
        self.stored["metadata"] = {**thing["metadata"], "resourceVersion": str(self.version)}
        return copy.deepcopy(self.stored)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def leases() -> Leases:
    return Leases()


@pytest.fixture
def one(leases: Leases, clock: Clock) -> Lease:
    return Lease(leases, "modelyard-system", "one", 15, clock)


@pytest.fixture
def other(leases: Leases, clock: Clock) -> Lease:
    return Lease(leases, "modelyard-system", "other", 15, clock)


def test_the_first_to_ask_leads_and_the_second_does_not(one: Lease, other: Lease) -> None:
    one.step()
    other.step()

    assert one.held
    assert not other.held


def test_a_released_lease_is_taken_at_the_next_step(one: Lease, other: Lease, leases: Leases) -> None:
    one.step()
    other.step()
    one.release()
    assert not one.held
    other.step()

    assert other.held
    assert leases.stored is not None
    assert leases.stored["spec"]["leaseTransitions"] == 1


def test_a_renewing_holder_is_never_replaced(one: Lease, other: Lease, clock: Clock) -> None:
    for _ in range(20):
        one.step()
        other.step()
        clock.pass_by(5)
        assert one.held
        assert not other.held


def test_a_silent_holder_stops_before_another_takes_over(one: Lease, other: Lease, clock: Clock) -> None:
    one.step()
    other.step()
    clock.pass_by(10)
    assert not one.held
    other.step()
    assert not other.held
    clock.pass_by(5)
    other.step()

    assert other.held
    assert not one.held


def test_silence_is_measured_by_the_followers_own_clock(leases: Leases, one: Lease) -> None:
    one.step()
    late = Clock()
    late.pass_by(1_000_000)
    follower = Lease(leases, "modelyard-system", "follower", 15, late)

    follower.step()
    late.pass_by(14)
    follower.step()
    assert not follower.held
    late.pass_by(1)
    follower.step()
    assert follower.held


def test_of_two_that_take_over_at_once_one_loses(leases: Leases, clock: Clock) -> None:
    Lease(leases, "modelyard-system", "gone", 15, clock).step()
    two = [Lease(leases, "modelyard-system", name, 15, clock) for name in ("a", "b")]
    for lease in two:
        lease.step()
    clock.pass_by(15)
    for lease in two:
        lease.step()

    assert [lease.held for lease in two] == [True, False]


def test_who_overlooked_a_take_over_loses_the_race_for_the_write(leases: Leases, one: Lease, clock: Clock) -> None:
    one.step()
    stale = leases.get
    before = leases.get(Ref("Lease", "modelyard-system", "modelyard-operator"))
    other = Lease(leases, "modelyard-system", "one", 15, clock)
    other.step()
    leases.get = lambda ref: before  # type: ignore[method-assign]
    one.step()
    leases.get = stale  # type: ignore[method-assign]

    assert not one.held


def test_an_outage_shorter_than_the_patience_keeps_the_holder(one: Lease, leases: Leases, clock: Clock) -> None:
    one.step()
    leases.away = True
    clock.pass_by(9)
    assert one.step() is False
    assert one.held
    clock.pass_by(1)
    assert not one.held
    leases.away = False
    assert one.step() is True
    assert one.held


def test_a_restarted_replica_of_the_same_name_goes_on_at_once(leases: Leases, one: Lease, clock: Clock) -> None:
    one.step()
    again = Lease(leases, "modelyard-system", "one", 15, clock)
    again.step()

    assert again.held


def test_a_follower_releases_nothing(one: Lease, other: Lease, leases: Leases) -> None:
    one.step()
    other.step()
    other.release()

    assert leases.stored is not None
    assert leases.stored["spec"]["holderIdentity"] == "one"


def test_who_holds_it_reads_it_again_only_when_somebody_else_has_written_it(
    one: Lease, leases: Leases, clock: Clock
) -> None:
    one.step()
    reads = leases.reads
    for _ in range(3):
        clock.pass_by(5)
        one.step()
    assert (one.held, leases.reads) == (True, reads)

    found = leases.get(Ref("Lease", "modelyard-system", "modelyard-operator"))
    assert found is not None
    leases.replace({**found, "spec": {**found["spec"], "renewTime": "2001-01-01T00:00:00.000000Z"}})
    one.step()
    assert (one.held, leases.reads) == (True, reads + 2)


def test_a_lease_that_somebody_deleted_is_made_again(one: Lease, leases: Leases) -> None:
    one.step()
    leases.stored = None
    one.step()

    assert one.held
    assert leases.stored is not None


def test_a_holder_that_was_replaced_meanwhile_notices_at_its_next_renewal(
    one: Lease, leases: Leases, clock: Clock
) -> None:
    one.step()
    found = leases.get(Ref("Lease", "modelyard-system", "modelyard-operator"))
    assert found is not None
    leases.replace({**found, "spec": {**found["spec"], "holderIdentity": "thief"}})
    one.step()

    assert not one.held


class Minutes(threading.Event):
    """Waits by the fake clock, and is set once that says so."""

    def __init__(self, clock: Clock, minutes: float) -> None:
        super().__init__()
        self._clock, self._end = clock, clock.now + 60 * minutes

    def is_set(self) -> bool:
        return self._clock.now >= self._end

    def wait(self, timeout: float | None = None) -> bool:
        self._clock.pass_by(timeout or 0)
        return self.is_set()


@pytest.mark.parametrize("seconds", [0, 2, 3])
def test_a_slow_api_server_interrupts_no_leadership(one: Lease, leases: Leases, clock: Clock, seconds: float) -> None:
    told, held = list[bool](), list[bool]()

    def slowly() -> None:
        clock.pass_by(seconds)
        if told == [True]:
            held.append(one.held)

    leases.slowly = slowly
    one.run(Minutes(clock, 3), told.append)

    assert told == [True, False]
    assert len(held) > 20
    assert all(held[:-2])  # the last two calls release it
