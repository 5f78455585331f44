"""Who chooses the number of replicas, told to everybody: the platform's autoscaler, somebody else's, or nobody's."""

import pytest

from modelyard.core.names import predictor
from tests.support.cluster.kubectl import apply, eventually, get, kubectl, run
from tests.support.cluster.models import a_model, applied, until
from tests.support.cluster.rollout_under_load import SMALL
from tests.support.cluster.scaling.autoscaled import replicas, scaling

RANGE = {"minReplicas": 1, "maxReplicas": 3}


@pytest.fixture(scope="module")
def revision(shared_namespace: str) -> str:
    """The revision of a Model with a range."""
    applied(a_model("digits", shared_namespace, serving={"resources": SMALL}, scaling=RANGE))
    return until("digits", shared_namespace, "Reconciling", "False", "Done")["status"]["revision"]


def has_keda() -> bool:
    """Whether the cluster has the add-ons keda and monitoring."""
    return get("crd", "scaledobjects.keda.sh", "default") is not None


def by_the_platform() -> str:
    """The reason word of what the platform can do here."""
    return "ScaledByRequests" if has_keda() else "NoAutoscaler"


def told(namespace: str, word: str) -> dict:
    """`status.scaling` once it has that reason."""
    return eventually(
        lambda: found if (found := scaling("digits", namespace)).get("reason") == word else None, f"it says {word}"
    )


def test_the_status_explain_and_doctor_say_who_scales(revision: str, shared_namespace: str) -> None:
    known = told(shared_namespace, by_the_platform())
    explained = run("modelyard", "explain", "digits", "-n", shared_namespace, check=False).stdout
    doctor = run("modelyard", "doctor", check=False).stdout

    assert known["desiredReplicas"] == 1
    assert f"1 of 1 to 3. {known['message'][:60]}" in " ".join(explained.split())
    assert known["message"].partition(":")[0] in " ".join(doctor.split())


def test_an_autoscaler_of_somebody_elses_is_left_alone_and_named(revision: str, shared_namespace: str) -> None:
    target = {"apiVersion": "modelyard.dev/v1alpha1", "kind": "Model", "name": "digits"}
    busy = {
        "type": "Resource",
        "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 50}},
    }
    theirs = {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "theirs", "namespace": shared_namespace},
        "spec": {"scaleTargetRef": target, "minReplicas": 2, "maxReplicas": 3, "metrics": [busy]},
    }
    apply(theirs)

    assert "HorizontalPodAutoscaler theirs" in told(shared_namespace, "ScaledByOthers")["message"]
    eventually(lambda: replicas(revision, shared_namespace) == (2, 2), "theirs has its minimum")
    assert not has_keda() or get("scaledobject", predictor(revision), shared_namespace) is None

    def both_told() -> bool:
        column = kubectl("get", "model", "digits", "-n", shared_namespace, "--no-headers").stdout.split()
        events = kubectl("get", "events", "-n", shared_namespace, "-o", "jsonpath={.items[*].message}").stdout
        return "2" in column and f"Revision {revision}: 1 -> 2 replicas." in events

    eventually(both_told, "a column and an Event tell it")
    kubectl("delete", "hpa", "theirs", "-n", shared_namespace)
    told(shared_namespace, by_the_platform())
