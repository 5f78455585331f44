"""What is said about a chart that does not become ready, and what restarts when images were made anew."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from localcluster.install.kubernetes import Kubernetes, Replicas
from localcluster.install.release import restart_outdated, waiting_reasons
from localcluster.steps.task import Task

DIGEST = "modelyard.dev/image"


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


@dataclass(frozen=True)
class NotedKubectl(Kubernetes):
    """A platform of these Deployments; notes what is done to them, in order."""

    deployments: tuple[dict[str, Any], ...] = ()
    done: list[str] = field(default_factory=list)

    def kubectl(self, task: Task, *words: str | Path, text: str = "") -> str:
        if words[0] == "get":
            return json.dumps({"items": self.deployments})
        self.done.append(" ".join(str(word) for word in words if word not in ("-n", "modelyard-system")))
        return ""


def of_image(name: str, image: str, written: dict[str, str], template: dict[str, str]) -> dict[str, Any]:
    pods = {"metadata": {"annotations": template}, "spec": {"containers": [{"image": image}]}}
    return {"metadata": {"name": name, "annotations": written}, "spec": {"template": pods}}


def test_what_runs_an_image_that_was_made_anew_is_restarted_and_nothing_else(tmp_path: Path) -> None:
    cluster = NotedKubectl(
        tmp_path / "kubeconfig",
        (
            of_image("operator", "operator:1", {}, {DIGEST: "new"}),
            of_image("evaluator", "recorder:1", {DIGEST: "old"}, {}),
            of_image("recorder", "recorder:1", {DIGEST: "new"}, {}),
            of_image("holder", "operator:1", {}, {}),
            of_image("theirs", "other:1", {DIGEST: "old"}, {}),
        ),
    )

    restart_outdated(cluster, Task(tmp_path / "log"), {"recorder:1": "new", "operator:1": "new"})

    assert cluster.done == [
        "rollout restart deployment/evaluator",
        "rollout status deployment/evaluator --timeout=4m",
        f"annotate --overwrite deployment evaluator {DIGEST}=new",
        f"annotate --overwrite deployment holder {DIGEST}=new",
    ]
