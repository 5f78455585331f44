"""Optimized builds: the report is read once, progress every five seconds, and a store that is away is said."""

import json
from typing import Any

import pytest

from modelyard.api.optimization import Progress
from modelyard.clients.store import S3Store
from modelyard.core.artifacts.optimization import POLL_SECONDS
from modelyard.core.snapshot import Failure, OptimizedBuild
from modelyard.core.storage.keys import build_progress, build_report
from modelyard.operator.observer.builds import BuildObserver
from modelyard.operator.observer.optimizations import SIGNED_SECONDS
from tests.support.machine.fake_clock import Clock
from tests.support.objects.reports import FASTER, WRITTEN, optimized
from tests.support.operator.answers import DIGITS, PollingByHand
from tests.support.servers.store import StoreServer
from tests.unit.operator.observer.test_builds import DIGEST, Pods, job, observed, pod, words

HALF = Progress(done=4, planned=9, spent_seconds=60, at="2026-01-01T00:00:00Z")
AT_NOON = HALF.model_copy(update={"at": "noon"}).model_dump_json().encode()
MORE = HALF.model_copy(update={"done": 5})


def said(store: S3Store, progress: Progress) -> None:
    store.put(build_progress(DIGEST), progress.model_dump_json(by_alias=True).encode())


def test_a_finished_one_is_known_by_its_report_and_then_for_good(store: S3Store) -> None:
    clock = Clock()
    builds = observed(store, Pods(), clock)
    assert builds.optimized(DIGEST, None) == OptimizedBuild()
    store.put(build_report(DIGEST), optimized())
    clock.pass_by(POLL_SECONDS)
    assert builds.optimized(DIGEST, None) == OptimizedBuild(FASTER)

    store._client.delete_object(Bucket=store._bucket, Key=build_report(DIGEST))
    assert builds.optimized(DIGEST, None) == OptimizedBuild(FASTER)


def test_a_signed_one_that_somebody_deletes_is_missed(store: S3Store) -> None:
    polling = PollingByHand(Clock())
    builds = BuildObserver(store, Pods(), polling)
    store.put(build_report(DIGEST), optimized())

    def known() -> OptimizedBuild:
        return polling.settled(lambda: builds.optimized(DIGITS, DIGEST, None, signed=True))

    assert known() == OptimizedBuild(FASTER)
    store.delete(build_report(DIGEST))
    polling.clock.pass_by(SIGNED_SECONDS)
    known()

    assert known() == OptimizedBuild()


def test_progress_is_read_every_five_seconds_while_the_job_works(store: S3Store) -> None:
    clock = Clock()
    builds = observed(store, Pods(), clock)
    assert builds.optimized(DIGEST, job()).progress is None
    said(store, HALF)

    clock.pass_by(4.9)
    assert builds.optimized(DIGEST, job()).progress is None
    clock.pass_by(0.2)
    assert builds.optimized(DIGEST, job()).progress == HALF
    said(store, MORE)
    assert builds.optimized(DIGEST, job()).progress == HALF


def test_the_end_of_the_job_is_looked_at_at_once(store: S3Store) -> None:
    builds = observed(store, Pods(), Clock())
    said(store, HALF)
    builds.optimized(DIGEST, job())
    store.put(build_report(DIGEST), optimized())

    assert builds.optimized(DIGEST, job()).built is None, "not before five seconds are over"
    assert builds.optimized(DIGEST, job("Complete")) == OptimizedBuild(FASTER)


def test_without_a_job_nobody_makes_progress(store: S3Store) -> None:
    said(store, HALF)

    assert observed(store, Pods()).optimized(DIGEST, None) == OptimizedBuild()


def test_a_failed_job_speaks_with_the_builders_words(store: S3Store) -> None:
    said(store, HALF)
    builds = observed(store, Pods(pod(words("BudgetTooSmall", "Raise it."))))

    found = builds.optimized(DIGEST, job("Failed"))

    assert found == OptimizedBuild(failure=Failure("BudgetTooSmall", "Raise it."))


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"done": -1}', AT_NOON])
def test_progress_that_is_none_is_passed_over(store: S3Store, content: bytes) -> None:
    store.put(build_progress(DIGEST), content)

    assert observed(store, Pods()).optimized(DIGEST, job()) == OptimizedBuild()


@pytest.mark.parametrize("content", [b"{}", b"not JSON", None])
def test_a_report_that_tells_of_no_optimization_is_said_to_be_damaged(store: S3Store, content: Any) -> None:
    store.put(build_report(DIGEST), json.dumps(WRITTEN).encode() if content is None else content)
    found = observed(store, Pods()).optimized(DIGEST, job("Complete")).built

    assert isinstance(found, Failure)
    assert (found.reason, found.retry) == ("CorruptReport", True)
    assert f"delete builds/{'a' * 64}/" in found.message


def test_a_store_that_is_away_leaves_it_open(store_server: StoreServer) -> None:
    away = store_server.settings().model_copy(update={"endpoint": "http://127.0.0.1:1"})
    found = observed(S3Store(away), Pods()).optimized(DIGEST, job()).built

    assert isinstance(found, Failure)
    assert (found.reason, found.retry) == ("Unreachable", True)
