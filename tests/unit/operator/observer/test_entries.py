"""The registry is asked as seldom as the truth allows."""

from typing import Any

import pytest

from modelyard.api.model import Source
from modelyard.clients.store import S3Store
from modelyard.core.snapshot import Failure, ResolvedEntry
from modelyard.errors import ModelyardError, UnknownEntry, Unreachable
from modelyard.operator.observer.entries import EntryObserver
from modelyard.registry.bucket import BucketRegistry
from tests.support.artifacts.entries import an_entry
from tests.support.machine.fake_clock import Clock
from tests.support.operator.answers import DIGITS, PollingByHand, Settled

VERSION_1 = Source(name="toy", version="1")
CHAMPION = Source(name="toy", alias="champion")


@pytest.fixture
def registry(store: S3Store, tmp_path: Any) -> BucketRegistry:
    found = BucketRegistry(store)
    for version in ("1", "2"):
        folder = tmp_path / version
        folder.mkdir()
        found.push(an_entry(folder, version=version))
    found.set_alias("toy", "champion", "1")
    return found


class Failing:
    """A registry that cannot answer, to stand in for a real one that went away."""

    def __init__(self, registry: BucketRegistry) -> None:
        self.registry = registry
        self.error: ModelyardError | None = None

    def resolve(self, name: str, version: str | None = None, alias: str | None = None) -> Any:
        if self.error is not None:
            raise self.error
        return self.registry.resolve(name, version=version, alias=alias)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def failing(registry: BucketRegistry) -> Failing:
    return Failing(registry)


@pytest.fixture
def entries(failing: Failing, clock: Clock) -> Settled:
    polling = PollingByHand(clock)
    return Settled(EntryObserver(failing, polling), polling)


def version(found: ResolvedEntry | Failure) -> str:
    assert isinstance(found, ResolvedEntry)
    return found.version


def test_a_known_version_needs_no_registry_any_more(entries: Settled, failing: Failing, clock: Clock) -> None:
    first = entries.resolve(VERSION_1)
    failing.error = Unreachable("away")
    clock.pass_by(1_000_000)

    assert version(first) == "1"
    assert entries.resolve(VERSION_1) == first


def test_a_version_means_what_it_meant_until_the_registry_has_answered(failing: Failing, clock: Clock) -> None:
    polling = PollingByHand(clock)
    entries, known = EntryObserver(failing, polling), ResolvedEntry("toy", "1", "sha256:" + "1" * 64)

    assert entries.resolve(DIGITS, VERSION_1, known) == known
    moves = entries.resolve(DIGITS, CHAMPION, known)
    assert isinstance(moves, Failure), "an alias may have moved meanwhile"
    assert moves.pending

    polling.answer()
    assert entries.resolve(DIGITS, VERSION_1, known) != known, "the registry knows better"


def test_a_moved_alias_is_seen_after_some_seconds(entries: Settled, registry: BucketRegistry, clock: Clock) -> None:
    assert version(entries.resolve(CHAMPION)) == "1"
    registry.set_alias("toy", "champion", "2")

    assert version(entries.resolve(CHAMPION)) == "1"
    clock.pass_by(3)
    assert version(entries.resolve(CHAMPION)) == "2"


def test_what_is_unknown_is_asked_again_and_found_once_it_is_pushed(
    entries: Settled, registry: BucketRegistry, clock: Clock, tmp_path: Any
) -> None:
    third = Source(name="toy", version="3")
    refused = entries.resolve(third)
    folder = tmp_path / "3"
    folder.mkdir()
    registry.push(an_entry(folder, version="3"))
    clock.pass_by(3)

    assert isinstance(refused, Failure)
    assert (refused.reason, refused.retry) == ("UnknownEntry", False)
    assert version(entries.resolve(third)) == "3"


@pytest.mark.parametrize(("error", "retry"), [(Unreachable("no answer"), True), (UnknownEntry("no such"), False)])
def test_only_a_registry_that_was_not_reached_is_worth_a_retry(
    entries: Settled, failing: Failing, error: ModelyardError, retry: bool
) -> None:
    failing.error = error

    assert entries.resolve(CHAMPION) == Failure(error.reason, str(error), retry=retry)
