"""What a namespace's rules refuse is said in their own words, by conditions and by `explain`, and heals by itself."""

from typing import Any

from tests.support.cluster.kubectl import apply, eventually, get, kubectl, run
from tests.support.cluster.models import a_model, applied, condition, until
from tests.support.cluster.rollout_under_load import a_canary


def rule(kind: str, namespace: str, **spec: Any) -> dict[str, Any]:
    """A rule of the namespace, named `team`."""
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": "team", "namespace": namespace}, "spec": spec}


def refused(namespace: str, kind: str, status: str) -> str:
    """The sentence of a condition, once pods are refused; `explain` says the same."""
    model = until("digits", namespace, kind, status, "PodsRefused")
    sentence = condition(model, kind)["message"]
    assert sentence in run("modelyard", "explain", "digits", "-n", namespace, check=False).stdout
    assert condition(model, "Stalled")["status"] == "False"
    return sentence


def test_a_candidate_waits_while_the_quota_is_full(namespace: str) -> None:
    apply(rule("ResourceQuota", namespace, hard={"requests.memory": "300Mi"}))
    applied(a_model("digits", namespace))
    stable = until("digits", namespace, "Reconciling", "False", "Done")["status"]["revision"]

    applied(a_model("digits", namespace, version="2", rollout=a_canary(50)))
    model = until("digits", namespace, "Reconciling", "True", "InsufficientCapacity")
    sentence = condition(model, "Reconciling")["message"]

    assert "ResourceQuota team leaves" in sentence
    assert "requests.memory" in sentence
    assert (condition(model, "Ready")["status"], (model or {})["status"]["revision"]) == ("True", stable)

    apply(rule("ResourceQuota", namespace, hard={"requests.memory": "3Gi"}))

    def tried() -> bool:
        rollout = (get("model", "digits", namespace) or {})["status"]["rollout"]
        assert rollout["history"] == [], "it waits and is no verdict"
        return rollout["weight"] == 50

    eventually(tried, "the candidate is tried")


def test_a_limit_range_is_quoted_until_it_goes(namespace: str) -> None:
    apply(rule("LimitRange", namespace, limits=[{"type": "Container", "max": {"memory": "512Mi"}}]))
    applied(a_model("digits", namespace))

    assert "maximum memory usage per Container is 512Mi, but limit is 2Gi" in refused(namespace, "Ready", "False")

    kubectl("delete", "limitrange", "team", "-n", namespace)
    until("digits", namespace, "Ready", "True")


def test_requests_above_limits_are_quoted_until_they_are_corrected(namespace: str) -> None:
    resources = {"requests": {"memory": "1Gi"}, "limits": {"memory": "512Mi"}}
    answer = apply(a_model("digits", namespace, serving={"resources": resources}), check=False)
    if answer.returncode:
        assert "memory" in answer.stderr, "refused by the API server, and it says why"
        return

    assert "must be less than or equal to memory limit of 512Mi" in refused(namespace, "Ready", "False")

    applied(a_model("digits", namespace))
    until("digits", namespace, "Ready", "True")
