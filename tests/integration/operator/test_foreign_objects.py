"""Objects of others with our names on a real API server: the same before, during and after a Model of that name."""

import json
from typing import Any

import pytest

from modelyard.api.model import Model
from modelyard.core.kinds import BY_NAME, CHILDREN
from modelyard.core.names import build_digest, job_name
from modelyard.core.ownership import fixed_names
from modelyard.core.resources.holding import holding_slices
from modelyard.core.snapshot import Holders, Ref
from modelyard.errors import Conflict, OutsideError
from modelyard.operator.cache.guarded_writes import GuardedWrites
from modelyard.operator.cache.objects import ObjectCache
from tests.support.operator.bench import Bench, eventually

DIGITS = {"source": {"name": "digits", "version": "1"}}
BODIES: dict[str, dict[str, Any]] = {
    "Secret": {"stringData": {"password": "precious"}},
    "ServiceAccount": {"automountServiceAccountToken": True},
    "InferenceService": {"spec": {"predictor": {"containers": [{"name": "theirs", "image": "shop"}]}}},
    "HTTPRoute": {
        "spec": {"hostnames": ["shop.example.com"], "rules": [{"backendRefs": [{"name": "shop", "port": 80}]}]}
    },
    "GRPCRoute": {
        "spec": {"hostnames": ["shop.example.com"], "rules": [{"backendRefs": [{"name": "shop", "port": 80}]}]}
    },
    "BackendTrafficPolicy": {
        "spec": {"targetRefs": [{"group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "name": "shop"}]}
    },
    "ReferenceGrant": {
        "spec": {
            "from": [{"group": "gateway.envoyproxy.io", "kind": "EnvoyExtensionPolicy", "namespace": "shop"}],
            "to": [{"group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "name": "shop"}],
        }
    },
    "PodDisruptionBudget": {"spec": {"minAvailable": 1, "selector": {"matchLabels": {"app": "shop"}}}},
    "HorizontalPodAutoscaler": {
        "spec": {"maxReplicas": 3, "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "shop"}}
    },
    "EndpointSlice": {
        "addressType": "IPv4",
        "endpoints": [{"addresses": ["10.9.9.9"]}],
        "ports": [{"name": "shop", "port": 80}],
    },
    "Job": {
        "spec": {"template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "theirs", "image": "shop"}]}}}
    },
}
FIXED = {"HTTPRoute": "digits", "GRPCRoute": "digits", "Secret": "digits--store", "ServiceAccount": "digits--serving"}


def stranger(bench: Bench, kind: str, name: str, namespace: str = "") -> dict[str, Any]:
    """Somebody makes an object with kubectl; what identifies it and what is in it."""
    row, place = BY_NAME[kind], namespace or bench.namespace
    metadata = {"name": name, "namespace": place, "labels": {"team": "shop"}}
    body = {"apiVersion": row.api_version, "kind": kind, "metadata": metadata, **BODIES[kind]}
    done = bench.api.run("kubectl", "create", "-f", "-", stdin=json.dumps(body))
    assert done.returncode == 0, done.stderr
    return stands(bench, kind, name, place)


def stands(bench: Bench, kind: str, name: str, namespace: str = "") -> dict[str, Any]:
    """An object without its status; empty when there is none."""
    thing = bench.cluster.get(Ref(kind, namespace or bench.namespace, name)) or {}
    return {key: value for key, value in thing.items() if key != "status"}


def refused(bench: Bench, kind: str, name: str) -> str:
    """The sentence of Ready, once it speaks of that object."""

    def said() -> str | None:
        ready = bench.condition("digits", "Ready")
        return ready["message"] if ready.get("reason") == "NameTaken" and f"{kind} " in ready["message"] else None

    sentence = eventually(said, f"the Model says that {kind} {name} is taken")
    assert f"/{name}" in sentence
    return sentence


def test_every_kind_that_is_made_is_tried_here() -> None:
    assert set(BODIES) == {row.kind for row in CHILDREN if row.made and not row.optional}


def test_strangers_are_the_same_before_during_and_after(lively: Bench) -> None:
    before = {kind: stranger(lively, kind, name) for kind, name in FIXED.items()}
    with lively.operating():
        lively.ask("digits", **DIGITS)
        for kind, name in FIXED.items():
            refused(lively, kind, name)
        assert {kind: stands(lively, kind, name) for kind, name in FIXED.items()} == before
        assert lively.names("InferenceService") == []
        lively.delete("Model", "digits")
        eventually(lambda: lively.get("Model", "digits") is None, "the Model is gone")
        lively.players.step()

    assert {kind: stands(lively, kind, name) for kind, name in FIXED.items()} == before


def test_what_is_handed_over_becomes_the_models(lively: Bench) -> None:
    for kind, name in FIXED.items():
        stranger(lively, kind, name)
    with lively.operating():
        lively.ask("digits", **DIGITS)
        for kind, name in FIXED.items():
            refused(lively, kind, name)
        for kind, name in FIXED.items():
            words = ("annotate", BY_NAME[kind].plural, name, "-n", lively.namespace, "modelyard.dev/adopt=true")
            assert lively.api.run("kubectl", *words).returncode == 0
        lively.until("digits", "Reconciling", "False", "Done")

    model = lively.get("Model", "digits") or {}
    for kind, name in FIXED.items():
        owners = stands(lively, kind, name)["metadata"]["ownerReferences"]
        assert [owner["uid"] for owner in owners] == [model["metadata"]["uid"]]


def test_names_taken_while_the_model_serves_are_left_alone(lively: Bench) -> None:
    lively.ask("digits", **DIGITS)
    serve(lively)
    before = {}
    for kind, name in FIXED.items():
        lively.delete(kind, name)
        before[kind] = stranger(lively, kind, name)

    with lively.operating():
        for kind, name in FIXED.items():
            refused(lively, kind, name)
        lively.until("digits", "Stalled", "True")

    assert {kind: stands(lively, kind, name) for kind, name in FIXED.items()} == before
    assert lively.names("InferenceService")


def test_a_revision_of_others_is_left_alone(lively: Bench) -> None:
    lively.ask("digits", **DIGITS)
    serve(lively)
    (revision,) = lively.names("InferenceService")
    lively.delete("Model", "digits")
    eventually(lambda: not lively.names("InferenceService"), "the garbage is collected")
    before = stranger(lively, "InferenceService", revision)

    with lively.operating():
        lively.ask("digits", **DIGITS)
        refused(lively, "InferenceService", revision)

    assert stands(lively, "InferenceService", revision) == before


def test_a_policy_of_others_is_left_alone(lively: Bench) -> None:
    lively.ask("digits", **DIGITS)
    with lively.operating():
        lively.until("digits", "Reconciling", "False", "Done")
        before = stranger(lively, "BackendTrafficPolicy", "digits--sticky")
        rollout = {"strategy": "AB", "ab": {"header": "x-user", "weight": 50}}
        lively.ask("digits", source={"name": "digits", "version": "2"}, rollout=rollout)
        refused(lively, "BackendTrafficPolicy", "digits--sticky")

    assert stands(lively, "BackendTrafficPolicy", "digits--sticky") == before


def test_a_slice_of_others_is_left_alone(bench: Bench) -> None:
    revision, metadata = "digits-0123456789", {"name": "digits", "namespace": bench.namespace, "uid": "uid-0"}
    [ours] = holding_slices(
        Model.model_validate({"metadata": metadata, "spec": DIGITS}), revision, Holders(("10.0.0.8",))
    )
    before = stranger(bench, "EndpointSlice", ours["metadata"]["name"])
    writes = GuardedWrites(bench.cluster, ObjectCache(), (alone := Alone()), alone)

    with pytest.raises(Conflict):
        writes.make(ours)

    assert stands(bench, "EndpointSlice", ours["metadata"]["name"]) == before


def test_a_build_job_of_others_is_neither_believed_nor_ended(lively: Bench) -> None:
    name, platform = job_name(build_digest(lively.push("digits", "1"), "digits", {})), lively.players.platform
    with lively.operating():
        before = stranger(lively, "Job", name, platform)
        lively.ask("digits", **DIGITS)
        assert f"Job {platform}/{name} belongs to somebody else" in refused(lively, "Job", name)
        lively.delete("Model", "digits")
        eventually(lambda: lively.get("Model", "digits") is None, "the Model is gone")

    assert stands(lively, "Job", name, platform) == before


def test_an_object_made_anew_by_others_behind_our_back_is_not_overwritten(bench: Bench) -> None:
    made = bench.cluster.apply(a_secret(bench))
    bench.delete("Secret", "digits--store")
    before = stranger(bench, "Secret", "digits--store")
    writes = GuardedWrites(bench.cluster, ObjectCache(), (alone := Alone()), alone)

    with pytest.raises(OutsideError):
        writes.apply(a_secret(bench), made["metadata"]["uid"])
    with pytest.raises(Conflict):
        writes.make(a_secret(bench))

    assert stands(bench, "Secret", "digits--store") == before


def test_an_object_that_ours_would_not_even_contradict_is_not_added_to(bench: Bench) -> None:
    before = stranger(bench, "Secret", "digits--store")
    writes = GuardedWrites(bench.cluster, ObjectCache(), (alone := Alone()), alone)
    ours = {key: value for key, value in a_secret(bench).items() if key != "data"}

    with pytest.raises(Conflict):
        writes.make({**ours, "metadata": {**ours["metadata"], "labels": {"modelyard.dev/model": "digits"}}})

    assert stands(bench, "Secret", "digits--store") == before


def test_names_are_asked_for_once_and_everything_else_is_made_without_a_question(lively: Bench) -> None:
    asked: list[Ref] = []
    with lively.operating() as operator:
        read = operator.cluster.identity
        operator.cluster.identity = lambda ref: (asked.append(ref), read(ref))[1]  # type: ignore[method-assign]
        lively.ask("digits", **DIGITS)
        lively.until("digits", "Reconciling", "False", "Done")
        model = lively.get("Model", "digits")
        assert model is not None
        fixed = set(fixed_names(Model.of(model)))
        lively.ask("digits", source={"name": "digits", "version": "2"})
        lively.until("digits", "Reconciling", "False", "Done")

    assert (len(asked), set(asked)) == (len(fixed), fixed)


class Alone:
    """Leads, and counts nothing."""

    held = True

    def wrote(self, verb: str, kind: str) -> None:
        """Nobody reads it."""


def a_secret(bench: Bench) -> dict[str, Any]:
    metadata = {"name": "digits--store", "namespace": bench.namespace}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": {"password": "b3Vycw=="}}


def serve(bench: Bench) -> None:
    """Lets an operator work until the Model serves, and stops it."""
    with bench.operating():
        bench.until("digits", "Reconciling", "False", "Done")
