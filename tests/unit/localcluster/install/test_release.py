"""What is said about a chart that does not become ready."""

from localcluster.install.kubernetes import Replicas
from localcluster.install.release import waiting_reasons


def pod(*states: dict, phase: str = "Running", ready: bool = False) -> dict:
    return {"status": {"phase": phase, "containerStatuses": [{"ready": ready, "state": state} for state in states]}}


def test_a_crashing_container_is_named_by_kubernetes_own_word():
    assert waiting_reasons(pod({"waiting": {"reason": "CrashLoopBackOff"}})) == ["CrashLoopBackOff"]


def test_a_container_that_runs_and_is_not_ready_is_running():
    assert waiting_reasons(pod({"running": {}})) == ["running"]


def test_a_pod_without_containers_yet_is_named_by_its_phase():
    assert waiting_reasons({"status": {"phase": "Pending"}}) == ["Pending"]


def test_ready_and_finished_pods_are_not_waited_for():
    assert waiting_reasons(pod({"running": {}}, ready=True)) == []
    assert waiting_reasons(pod({"terminated": {"reason": "Completed"}}, phase="Succeeded")) == []


def deployment(**status: int) -> dict:
    return {"metadata": {"generation": 2}, "spec": {"replicas": 2}, "status": status}


def test_a_deployment_has_settled_when_only_its_newest_pods_are_left():
    done = {"observedGeneration": 2, "updatedReplicas": 2, "availableReplicas": 2}
    assert Replicas.of(deployment(**done, replicas=2)).settled
    assert not Replicas.of(deployment(**done, replicas=3)).settled
    assert not Replicas.of(deployment(**{**done, "observedGeneration": 1}, replicas=2)).settled
    assert not Replicas.of(deployment(observedGeneration=2, replicas=2)).settled
