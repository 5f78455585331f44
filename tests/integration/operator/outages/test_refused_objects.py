"""A real API server whose policy refuses objects of a Model: said, tried again, and no harm to what serves."""

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest

from modelyard.core.kinds import BY_NAME
from modelyard.core.names import predictor
from tests.support.operator.bench import Bench, eventually

SAID = "every object needs the label cost-center: ask the platform team"
VALID: dict[str, dict[str, Any]] = {
    "Secret": {"stringData": {"key": "value"}},
    "InferenceService": {"spec": {"predictor": {"containers": [{"name": "theirs", "image": "shop"}]}}},
}
Ruled = Callable[..., AbstractContextManager[None]]


@pytest.fixture
def ruled(lively: Bench) -> Ruled:
    """A policy that takes no object of a kind in the Models' namespace while it is there, or lets none be deleted.

    Whether it is in force is tried with an object of that kind, or with the one that somebody `deletes`.
    """

    @contextmanager
    def rule(kind: str, deletes: str = "") -> Iterator[None]:
        row, name = BY_NAME[kind], f"{lively.namespace}-{kind.lower()}"
        resource = {"apiGroups": [row.group], "apiVersions": ["*"], "resources": [row.plural]}
        operations = ["DELETE"] if deletes else ["CREATE", "UPDATE"]
        policy = {
            "failurePolicy": "Fail",
            "matchConstraints": {"resourceRules": [{**resource, "operations": operations}]},
            "matchConditions": [{"name": "ours", "expression": f"request.namespace == '{lively.namespace}'"}],
            "validations": [{"expression": "false", "message": SAID}],
        }
        things = [
            an_object("ValidatingAdmissionPolicy", name, policy),
            an_object("ValidatingAdmissionPolicyBinding", name, {"policyName": name, "validationActions": ["Deny"]}),
        ]
        metadata = {"name": "probe", "namespace": lively.namespace}
        probe = json.dumps({"apiVersion": row.api_version, "kind": kind, "metadata": metadata, **VALID[kind]})

        def refused() -> bool:
            if not deletes:
                return SAID in lively.api.complaint(probe)
            words = ("delete", row.plural, deletes, "-n", lively.namespace, "--dry-run=server")
            return SAID in lively.api.run("kubectl", *words).stderr

        for thing in things:
            made = lively.api.run("kubectl", "create", "-f", "-", stdin=json.dumps(thing))
            assert made.returncode == 0, made.stderr
        eventually(refused, "the policy is in force")
        yield
        for thing in reversed(things):
            lively.api.run("kubectl", "delete", thing["kind"].lower(), name)
        eventually(lambda: not refused(), "the policy is gone")

    return rule


def an_object(kind: str, name: str, spec: dict[str, Any]) -> dict[str, Any]:
    return {"apiVersion": "admissionregistration.k8s.io/v1", "kind": kind, "metadata": {"name": name}, "spec": spec}


def test_a_refused_candidate_is_said_harms_nobody_and_follows_by_itself(lively: Bench, ruled: Ruled) -> None:
    lively.ask("digits", source={"name": "digits", "version": "1"})
    with lively.operating() as operator:
        lively.until("digits", "Reconciling", "False", "Done")
        stable = lively.status("digits")["revision"]
        with ruled("InferenceService"):
            lively.ask("digits", source={"name": "digits", "version": "2"})
            lively.until("digits", "Reconciling", "True", "ObjectRefused")
            said = lively.until("digits", "Ready", "True", "Serving")["message"]
            lively.edit("Model", "digits", {"spec": {"serving": {"replicas": 3}}})
            eventually(lambda: _replicas(lively, stable) == 3, "what serves is scaled")
            assert lively.status("digits")["revision"] == stable
            assert lively.names("InferenceService") == [stable]
        lively.until("digits", "Reconciling", "False", "Done", seconds=150)
        defects = operator.metrics.value("modelyard_reconcile_seconds_count", outcome="defect")

    assert "InferenceService" in said
    assert SAID in said
    assert lively.status("digits")["version"] == "2"
    assert defects == 0


def test_no_pod_is_begun_before_the_secret_it_reads_the_store_with_is_taken(lively: Bench, ruled: Ruled) -> None:
    with ruled("Secret"), lively.operating():
        lively.ask("digits", source={"name": "digits", "version": "1"})
        said = lively.until("digits", "Ready", "False", "ObjectRefused")["message"]
        assert lively.names("InferenceService") == []

    assert f"Secret {lively.namespace}/digits--store" in said
    assert SAID in said


def test_an_old_revision_that_may_not_go_keeps_nothing_else_back(lively: Bench, ruled: Ruled) -> None:
    lively.ask("digits", source={"name": "digits", "version": "1"})
    with lively.operating():
        lively.until("digits", "Reconciling", "False", "Done")
        old = lively.status("digits")["revision"]
        with ruled("InferenceService", deletes=old):
            lively.ask("digits", source={"name": "digits", "version": "2"})
            said = lively.until("digits", "Reconciling", "True", "ObjectRefused")["message"]
            assert lively.until("digits", "Ready", "True", "Serving")
            assert lively.status("digits")["version"] == "2"
        lively.until("digits", "Reconciling", "False", "Done", seconds=150)
        eventually(lambda: old not in lively.names("InferenceService"), "it goes")

    assert f"refuses to delete InferenceService {lively.namespace}/{old}" in said
    assert SAID in said


def test_a_status_that_is_emptied_in_a_canary_leaves_the_traffic_to_the_stable(lively: Bench) -> None:
    lively.ask("digits", source={"name": "digits", "version": "1"})
    with lively.operating():
        lively.until("digits", "Reconciling", "False", "Done")
        stable = lively.status("digits")["revision"]
        canary = {"strategy": "Canary", "steps": [{"weight": 10, "hold": "10m"}]}
        lively.ask("digits", source={"name": "digits", "version": "2"}, rollout=canary)
        split = eventually(
            lambda: route if _weight(route := _route(lively), stable) == 90 else None, "it has its share"
        )
        removed = '[{"op": "remove", "path": "/status"}]'
        words = ("patch", "models", "digits", "-n", lively.namespace, "--subresource=status", "--type=json", "-p")
        assert lively.api.run("kubectl", *words, removed).returncode == 0
        weights = (_weight(route, stable) for route in lively.states(split))
        assert any(weight > 90 for weight in weights), "the stable has the traffic"
        assert any(weight == 90 for weight in weights), "the candidate is tried anew"

        assert lively.status("digits")["revision"] == stable
        assert stable in lively.names("InferenceService")


def _replicas(bench: Bench, revision: str) -> int:
    return (bench.get("Deployment", predictor(revision)) or {"spec": {}})["spec"].get("replicas", 0)


def _route(bench: Bench) -> dict[str, Any]:
    return bench.get("HTTPRoute", "digits") or {}


def _weight(route: dict[str, Any], revision: str) -> int:
    backends = route["spec"]["rules"][0]["backendRefs"]
    return {backend["name"]: backend["weight"] for backend in reversed(backends)}.get(predictor(revision), 0)
