"""A check's Job lives in the platform's namespace and speaks of a Model's candidate in another."""

from typing import Any

import pytest

from modelyard.core.resources.check_jobs import load_test
from modelyard.core.snapshot import Check, Object, Snapshot
from modelyard.errors import Unreachable
from modelyard.operator.cache.objects import Key, ObjectCache, key_of
from modelyard.operator.observer.builds import BuildObserver
from modelyard.operator.observer.checks import CheckObserver
from modelyard.operator.observer.crash_logs import CrashLogs
from modelyard.operator.observer.entries import EntryObserver
from modelyard.operator.observer.snapshot import SnapshotObserver
from modelyard.operator.observer.warmups import Warmups
from tests.support.operator.answers import PollingByHand
from tests.support.worlds.builders import a_model, a_serving_world, settings
from tests.unit.core.resources.test_check_jobs import revision

DIGITS = Key("demo", "digits")


class Away:
    """A registry, a store and an API server that do not answer."""

    def __getattr__(self, name: str) -> Any:
        def refuse(*_: Any, **__: Any) -> Any:
            raise Unreachable("nothing answered")

        return refuse


def a_job(candidate: str) -> dict[str, Any]:
    """A load test that runs, as the API server gives it."""
    made = load_test(a_model(), revision(candidate), 1.0, settings())
    return {**made, "metadata": {**made["metadata"], "uid": candidate, "resourceVersion": "1"}}


def stored(candidate: str | None) -> Object:
    """The Model, with or without a rollout."""
    status = {} if candidate is None else {"rollout": {"phase": "Testing", "candidate": candidate}}
    return {"kind": "Model", **a_model(status=status).model_dump(by_alias=True, exclude_none=True, mode="json")}


def observed(candidate: str | None, *jobs: dict[str, Any]) -> Snapshot:
    cache = ObjectCache()
    for job in jobs:
        cache.put(job)
    return an_observer(cache).observe(DIGITS, stored(candidate))


def an_observer(cache: ObjectCache) -> SnapshotObserver:
    """One whose outside parties are all away."""
    given, away, polling = settings(), Away(), PollingByHand()
    return SnapshotObserver(
        given,
        cache,
        EntryObserver(away, polling),
        BuildObserver(away, away, polling),
        CrashLogs(away, polling),
        CheckObserver(away, polling),
        Warmups(away.warmup_request, away, polling, lambda _: None),
    )


def test_a_restarted_operator_need_not_wait_for_what_the_status_of_a_model_at_rest_says() -> None:
    world = a_serving_world()
    at_rest = {"kind": "Model", **world.model}

    seen = an_observer(ObjectCache()).observe(DIGITS, at_rest)

    assert not seen.incomplete
    assert (seen.entry, seen.built) == (world.snapshot().entry, True)
    assert an_observer(ObjectCache()).observe(DIGITS, stored(None)).incomplete


def test_the_candidates_check_is_seen_and_its_job_too() -> None:
    job = a_job("digits-2")

    seen = observed("digits-2", job)

    assert seen.checks == {"loadTest": Check(None)}
    assert seen.child("Job", job["metadata"]["name"], "modelyard-system") == job


@pytest.mark.parametrize("candidate", ["digits-3", "", None])
def test_what_was_found_out_about_another_revision_is_no_evidence(candidate: str | None) -> None:
    seen = observed(candidate, a_job("digits-2"))

    assert seen.checks == {}
    assert len(seen.of_kind("Job")) == 1, "so that it can be deleted"


def test_a_checks_job_wakes_the_model_it_is_about() -> None:
    assert key_of(a_job("digits-2")) == DIGITS


def test_only_jobs_may_speak_for_a_model_of_another_namespace() -> None:
    labels = {"modelyard.dev/model": "digits", "modelyard.dev/namespace": "demo"}
    pod = {"kind": "Pod", "metadata": {"name": "p", "namespace": "somebody", "labels": labels}}
    model = {"kind": "Model", "metadata": {"name": "digits", "namespace": "somebody", "labels": labels}}

    assert key_of(pod) == key_of(model) == Key("somebody", "digits")
