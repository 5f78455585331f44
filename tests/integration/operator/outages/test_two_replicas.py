"""Two replicas while the leader stands still, loses the API server, or somebody's clock jumps: never two that write.

Every replica has a front of its own to the API server, which notes its writes.
"""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import pytest

from modelyard.core.snapshot import Ref
from modelyard.operator.leader_election import LEASE_NAME
from modelyard.settings import OperatorSettings
from tests.support.operator.api_front import ApiFront, Write, fronted, overlaps, turns
from tests.support.operator.bench import Bench, eventually
from tests.support.operator.replicas import holder, replica

DEFAULT = OperatorSettings().lease_seconds
LONGEST_TAKEOVER = 20.0
SHORT = 5.0
SECONDS = [SHORT, pytest.param(DEFAULT, marks=pytest.mark.proof)]
"""The Lease's duration: short, and the one that the platform is installed with."""
UNREACHABLE = 60.0


class Pair(NamedTuple):
    """The leader and its follower, each with its front."""

    bench: Bench
    first: int
    fronts: tuple[ApiFront, ApiFront]

    def writes(self) -> list[Write]:
        return [write for front in self.fronts for write in front.writes]

    def serves(self, version: str) -> None:
        """Version by version the Model is brought to its end."""
        self.bench.ask("digits", source={"name": "digits", "version": version})
        self.bench.until("digits", "Reconciling", "False", "Done", seconds=120)

    def taken_over(self, since: float) -> float:
        """Seconds from `since`, by the monotonic clock, to the second's first write of anything but the Lease."""
        second = self.fronts[1]
        writes = eventually(lambda: [one for one in second.writes if not one.of_lease], "the second writes", 120)
        return min(write.began for write in writes) - since


@contextmanager
def a_pair(bench: Bench, seconds: float) -> Iterator[Pair]:
    """Two replicas; the first leads and has brought version 1 to users."""
    with ExitStack() as stack:
        ways = [stack.enter_context(fronted(bench.kubeconfig, name)) for name in ("first", "second")]
        first, _ = stack.enter_context(replica(bench, "first", seconds, ways[0][1]))
        eventually(lambda: holder(bench) == "first", "the first leads")
        stack.enter_context(replica(bench, "second", seconds, ways[1][1]))
        pair = Pair(bench, first.pid, (ways[0][0], ways[1][0]))
        pair.serves("1")
        eventually(lambda: pair.fronts[1].calls > 5, "the second follows")
        yield pair


@pytest.mark.parametrize("seconds", SECONDS)
def test_a_leader_that_stood_still_writes_nothing_when_it_goes_on(lively: Bench, seconds: float) -> None:
    with a_pair(lively, seconds) as pair:
        signal_to(pair.first, signal.SIGSTOP)
        stopped = time.monotonic()
        try:
            pair.serves("2")
            took = pair.taken_over(stopped)
        finally:
            signal_to(pair.first, signal.SIGCONT)
        before = pair.fronts[0].calls
        eventually(lambda: pair.fronts[0].calls > before, "the first looks at the Lease again")
        pair.serves("1")

        assert (turns(pair.writes()), overlaps(pair.writes())) == (["first", "second"], [])
        assert took <= max(LONGEST_TAKEOVER, seconds)


@pytest.mark.parametrize("seconds", SECONDS)
def test_a_leader_that_cannot_reach_the_api_server_is_replaced_and_follows_later(lively: Bench, seconds: float) -> None:
    with a_pair(lively, seconds) as pair:
        pair.fronts[0].away = True
        cut = time.monotonic()
        pair.serves("2")
        took = pair.taken_over(cut)
        if seconds == DEFAULT:
            time.sleep(max(0.0, UNREACHABLE - (time.monotonic() - cut)))
        pair.fronts[0].away = False
        before = pair.fronts[0].calls
        eventually(lambda: pair.fronts[0].calls > before, "the first is back")
        pair.serves("1")

        assert (turns(pair.writes()), overlaps(pair.writes())) == (["first", "second"], [])
        assert took <= max(LONGEST_TAKEOVER, seconds)


def test_times_of_another_clock_in_the_lease_move_nobody(lively: Bench) -> None:
    with a_pair(lively, DEFAULT) as pair:
        for hours in (1, -1):
            jumped = (datetime.now(UTC) + timedelta(hours=hours)).isoformat(timespec="microseconds")
            times = dict.fromkeys(("renewTime", "acquireTime"), jumped.replace("+00:00", "Z"))
            lively.cluster.merge(Ref("Lease", lively.settings.operator.namespace, LEASE_NAME), {"spec": times})
            for front in pair.fronts:
                later = front.calls + 3
                eventually(lambda front=front, later=later: front.calls >= later, f"the {front.who} looked at it")
        pair.serves("2")

        assert holder(lively) == "first"
        assert turns(pair.writes()) == ["first"]


def signal_to(pid: int, what: signal.Signals) -> None:
    """Stops or continues a program that this test started."""
    os.kill(pid, what)
