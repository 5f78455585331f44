"""The cache stays like the cluster whatever order the news arrives in."""

from typing import Any

import pytest

from modelyard.core.snapshot import Ref
from modelyard.operator.cache.objects import Key, ObjectCache, ref_of
from tests.support.machine.fake_clock import Clock

DIGITS = Key("demo", "digits")
SECRET = Ref("Secret", "demo", "digits--store")


def model(version: int = 1, uid: str = "m1") -> dict[str, Any]:
    metadata = {"namespace": "demo", "name": "digits", "uid": uid, "resourceVersion": str(version)}
    return {"kind": "Model", "metadata": metadata}


def secret(version: int = 1, uid: str = "s1", owner: str = "digits") -> dict[str, Any]:
    labels = {"modelyard.dev/model": owner}
    metadata = {"namespace": "demo", "name": SECRET.name, "uid": uid, "resourceVersion": str(version), "labels": labels}
    return {"kind": "Secret", "metadata": metadata}


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def cache(clock: Clock) -> ObjectCache:
    return ObjectCache(clock)


def test_children_are_found_by_their_model(cache: ObjectCache) -> None:
    cache.put(model())
    cache.put(secret())

    assert cache.children(DIGITS) == {SECRET: secret()}
    assert cache.children(Key("demo", "faces")) == {}


def test_an_older_version_never_replaces_a_newer_one(cache: ObjectCache) -> None:
    assert cache.put(secret(version=9))
    assert not cache.put(secret(version=8))
    assert not cache.put(secret(version=9))
    assert cache.put(secret(version=10))

    assert cache.get(SECRET) == secret(version=10)


def test_a_deletion_removes_only_the_object_it_speaks_of(cache: ObjectCache) -> None:
    cache.put(secret(version=5, uid="new"))
    cache.remove(SECRET, "old", version=4)

    assert cache.get(SECRET) == secret(version=5, uid="new")


def test_an_answer_that_was_on_its_way_does_not_bring_a_deleted_object_back(cache: ObjectCache) -> None:
    cache.put(secret(version=3))
    cache.remove(SECRET, "s1", version=5)

    assert not cache.put(secret(version=4))
    assert cache.get(SECRET) is None
    assert cache.children(DIGITS) == {}


def test_an_object_that_lost_its_label_and_got_it_back_is_known_again(cache: ObjectCache) -> None:
    cache.put(secret(version=3))
    cache.remove(SECRET, "s1", version=5)

    assert cache.put(secret(version=6))
    assert cache.children(DIGITS) == {SECRET: secret(version=6)}


def test_a_child_whose_label_names_another_model_changes_hands(cache: ObjectCache) -> None:
    cache.put(secret(version=1))
    cache.put(secret(version=2, owner="faces"))

    assert cache.children(DIGITS) == {}
    assert set(cache.children(Key("demo", "faces"))) == {SECRET}


def test_a_listing_finds_a_deletion_that_nobody_reported(cache: ObjectCache) -> None:
    cache.put(model())
    cache.put(secret())

    lost = cache.retain(cache.uids("Secret"), [])

    assert [ref_of(thing) for thing in lost] == [SECRET]
    assert cache.children(DIGITS) == {}


def test_what_came_after_the_listing_was_asked_for_stays(cache: ObjectCache) -> None:
    before = cache.uids("Secret")
    cache.put(secret())

    assert cache.retain(before, []) == []
    assert cache.get(SECRET) == secret()


def test_an_object_made_anew_during_a_comparison_stays(cache: ObjectCache) -> None:
    cache.put(secret(version=1, uid="old"))
    before = cache.uids("Secret")
    cache.put(secret(version=9, uid="new"))

    assert cache.retain(before, ["other"]) == []

    assert cache.get(SECRET) == secret(version=9, uid="new")


def test_deletions_are_forgotten_after_a_while(cache: ObjectCache, clock: Clock) -> None:
    cache.put(secret(version=3))
    cache.remove(SECRET, "s1", version=5)
    clock.pass_by(601)
    cache.put(model())

    assert cache.put(secret(version=4))


def test_a_deleted_model_leaves_nothing(cache: ObjectCache) -> None:
    cache.put(model())
    cache.put(secret())
    cache.remove(SECRET, "s1")
    cache.remove(Ref("Model", "demo", "digits"), "m1")

    assert not any(cache.count().values())
    assert cache.children(DIGITS) == {}
    assert cache.model(DIGITS) is None
