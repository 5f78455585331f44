"""What the operator made stays as it made it, costs nothing while nothing changes, and leaves nothing behind."""

import base64
from collections.abc import Iterator
from typing import Any

import pytest

from modelyard.core.snapshot import Ref
from modelyard.operator.cache.objects import Key
from modelyard.operator.process import Operator
from tests.support.operator.bench import Bench, eventually

DIGITS = {"source": {"name": "digits", "version": "1"}}


@pytest.fixture
def serving(lively: Bench) -> Iterator[Operator]:
    """An operator with one Model that serves, and nothing left to do."""
    lively.ask("digits", **DIGITS)
    with lively.operating() as operator:
        lively.until("digits", "Reconciling", "False", "Done")
        rest(operator)
        yield operator


def looks(operator: Operator, outcome: str) -> float:
    return operator.metrics.value("modelyard_reconcile_seconds_count", outcome=outcome)


def rest(operator: Operator) -> None:
    """Waits until a look found nothing to do and nobody waits."""
    eventually(lambda: looks(operator, "settled") > 0 and operator.queue.depth() == 0, "a settled look")


def look_again(operator: Operator, key: Key) -> None:
    """One more look at a Model, and its end."""
    before = looks(operator, "settled")
    operator.queue.add(key)
    eventually(lambda: looks(operator, "settled") > before, "another look")


def writes(operator: Operator) -> dict[str, float]:
    lines = [line for line in operator.metrics.text().decode().splitlines() if "modelyard_writes_total{" in line]
    return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines}


def test_deleted_children_come_back(serving: Operator, lively: Bench) -> None:
    gone = [("HTTPRoute", "digits--path"), ("GRPCRoute", "digits"), ("Secret", "digits--store")]
    before = {name: uid(lively, *name) for name in gone}
    for kind, name in gone:
        lively.delete(kind, name)

    for one in gone:
        eventually(lambda one=one: uid(lively, *one) not in (None, before[one]), f"{one} is back")


def test_rotated_store_keys_reach_the_models_and_the_store(serving: Operator, lively: Bench) -> None:
    keys = ("--from-literal=accessKeyId=reader", "--from-literal=secretAccessKey=reader-secret")
    secret = lively.settings.store.reader_secret
    made = lively.api.run("kubectl", "create", "secret", "generic", secret, "-n", lively.players.platform, *keys)
    assert made.returncode == 0, made.stderr

    def followed() -> bool:
        data = (lively.get("Secret", "digits--store") or {}).get("data", {})
        return base64.b64decode(data["AWS_ACCESS_KEY_ID"]) == b"reader"

    eventually(followed, "the Model's Secret has the new key")
    assert serving.store_access.verdict() == (
        True,
        f"bucket {lively.settings.store.bucket} answers the operator's keys",
    )
    assert serving.store_access.credentials().access_key_id == "reader"


def test_edited_children_are_put_right(serving: Operator, lively: Bench) -> None:
    secret = lively.get("Secret", "digits--store")
    assert secret is not None
    lively.edit("Secret", "digits--store", {"data": {"AWS_ACCESS_KEY_ID": "c29tZWJvZHk="}})
    lively.edit("HTTPRoute", "digits", {"spec": {"hostnames": ["elsewhere.example.org"]}})

    eventually(lambda: lively.get("Secret", "digits--store")["data"] == secret["data"], "the Secret is as it was")
    eventually(
        lambda: "elsewhere.example.org" not in lively.get("HTTPRoute", "digits")["spec"]["hostnames"],
        "the route is as it was",
    )


def test_a_child_that_lost_its_label_gets_it_back_and_is_watched_again(serving: Operator, lively: Bench) -> None:
    ref = Ref("HTTPRoute", lively.namespace, "digits")
    for _ in range(2):
        lively.edit("HTTPRoute", "digits", {"metadata": {"labels": {"modelyard.dev/model": None}}})
        eventually(
            lambda: "modelyard.dev/model" in lively.get("HTTPRoute", "digits")["metadata"]["labels"], "the label"
        )
        eventually(lambda: serving.cache.get(ref), "the route is in the cache")


def test_replicas_follow_the_spec_and_nothing_else(serving: Operator, lively: Bench) -> None:
    (revision,) = lively.names("InferenceService")
    deployment = f"{revision}-predictor"
    lively.ask("digits", **DIGITS, serving={"replicas": 2})
    eventually(lambda: lively.get("Deployment", deployment)["spec"]["replicas"] == 2, "two replicas")
    lively.edit("Deployment", deployment, {"spec": {"replicas": 5}})
    eventually(lambda: lively.get("Deployment", deployment)["spec"]["replicas"] == 2, "two replicas again")

    assert lively.names("InferenceService") == [revision]


def test_two_replicas_have_a_disruption_budget_and_one_has_none(serving: Operator, lively: Bench) -> None:
    (revision,) = lively.names("InferenceService")
    lively.ask("digits", **DIGITS, serving={"replicas": 2})
    eventually(lambda: lively.names("PodDisruptionBudget") == [f"{revision}-predictor"], "a budget")
    made = lively.get("PodDisruptionBudget", f"{revision}-predictor") or {}
    lively.delete("PodDisruptionBudget", f"{revision}-predictor")
    eventually(lambda: lively.names("PodDisruptionBudget"), "the budget is back")
    lively.ask("digits", **DIGITS, serving={"replicas": 1})
    eventually(lambda: not lively.names("PodDisruptionBudget"), "the budget is gone")

    assert made["spec"]["maxUnavailable"] == 1
    assert made["spec"]["selector"] == {"matchLabels": {"modelyard.dev/revision": revision}}


def test_an_unchanged_world_costs_no_write(serving: Operator, lively: Bench) -> None:
    before = writes(serving)
    for _ in range(5):
        look_again(serving, Key(lively.namespace, "digits"))

    assert writes(serving) == before


def test_a_restart_changes_nothing(serving: Operator, lively: Bench) -> None:
    before = {kind: versions(lively, kind) for kind in ("Model", "Secret", "InferenceService", "HTTPRoute")}
    with lively.operating("two", lease_seconds=1) as other:
        eventually(lambda: other.watches.complete, "the cache is complete")
        serving.workers.stop(10)
        serving.writes.close(10)
        serving.lease.release()
        eventually(lambda: other.lease.held, "the other leads")
        look_again(other, Key(lively.namespace, "digits"))
        assert writes(other) == {}

    assert {kind: versions(lively, kind) for kind in before} == before


def test_a_deleted_model_leaves_nothing_in_the_cluster_or_in_memory(serving: Operator, lively: Bench) -> None:
    key = Key(lively.namespace, "digits")
    (revision,) = lively.names("InferenceService")
    assert serving.observer.probes.of(key)
    lively.delete("Model", "digits")

    kinds = ("InferenceService", "HTTPRoute", "GRPCRoute", "Secret", "Deployment", "Service")
    eventually(lambda: not any(lively.names(kind) for kind in kinds), "no child is left")
    eventually(lambda: not serving.cache.children(key), "no child in the cache")
    eventually(lambda: not serving.queue.knows(key), "no key in the queue")
    assert serving.cache.model(key) is None
    assert serving.observer.probes.of(key) == {}
    assert serving.observer.desired_builds.of(lively.status("digits").get("build", {}).get("digest", "")) == []
    assert revision not in str(serving.cache.count())


def test_a_deletion_that_no_watch_reported_is_found_by_listing_anew(serving: Operator, lively: Bench) -> None:
    ghost = Ref("Secret", lively.namespace, "digits--ghost")
    real = serving.cache.get(Ref("Secret", lively.namespace, "digits--store"))
    assert real is not None
    serving.cache.put({**real, "metadata": {**real["metadata"], "name": ghost.name, "uid": "ghost"}})

    serving.watches.kinds["Secret"].list_anew()
    assert serving.cache.get(ghost) is None
    assert serving.cache.get(Ref("Secret", lively.namespace, "digits--store")) == real
    assert serving.metrics.value("modelyard_watch_lost_total", kind="Secret") == 1


def test_a_model_whose_stored_form_makes_no_sense_is_told_so_and_keeps_its_state(
    serving: Operator, lively: Bench
) -> None:
    ref = Ref("Model", lively.namespace, "digits")
    stored = serving.cache.get(ref)
    assert stored is not None
    newer = {**stored["metadata"], "resourceVersion": str(int(stored["metadata"]["resourceVersion"]) + 1)}
    serving.cache.put({**stored, "metadata": newer, "spec": {**stored["spec"], "surprise": 1}})
    serving.queue.add(Key(lively.namespace, "digits"))
    said = eventually(lambda: [one["message"] for one in events(lively) if one["reason"] == "InvalidModel"], "an Event")

    assert "surprise" in said[0]
    assert lively.status("digits")["revisions"] == stored["status"]["revisions"]
    assert lively.names("InferenceService") == [stored["status"]["revision"]]


def events(bench: Bench) -> list[dict[str, Any]]:
    return bench.cluster.items("Event", bench.namespace)


def uid(bench: Bench, kind: str, name: str) -> str | None:
    found = bench.get(kind, name)
    return found["metadata"]["uid"] if found else None


def versions(bench: Bench, kind: str) -> dict[str, str]:
    return {
        one["metadata"]["name"]: one["metadata"]["resourceVersion"]
        for one in bench.cluster.items(kind, bench.namespace)
    }
