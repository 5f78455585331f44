"""What is said of a pod that no node takes names what does not fit, and nothing else."""

from typing import Any

import pytest

from modelyard.core.names import BUILD_LABEL, CHECK_LABEL
from modelyard.core.revisions.scheduling import unschedulable

MEMORY = "0/1 nodes are available: 1 Insufficient memory. preemption: 0/1 nodes are available: 1 No preemption victims."
GPU = "0/2 nodes are available: 1 Insufficient nvidia.com/gpu, 1 Insufficient cpu."
TAINTED = "0/3 nodes are available: 3 node(s) had untolerated taint {dedicated: batch}. preemption: 0/3 nodes."
SPENT = "0/1 nodes are available: 1 node(s) had untolerated taint {node.kubernetes.io/disk-pressure: }."


def a_pod(*containers: dict[str, Any], **labels: str) -> dict[str, Any]:
    return {"metadata": {"name": "p", "labels": labels}, "spec": {"containers": list(containers)}}


def asking(name: str, **resources: dict[str, str]) -> dict[str, Any]:
    return {"name": name, "resources": resources}


SERVER = asking("kserve-container", requests={"memory": "64Gi", "cpu": "1"}, limits={"nvidia.com/gpu": "2"})


@pytest.mark.parametrize(
    ("message", "remedy"),
    [
        (MEMORY, "; lower spec.serving.resources.requests.memory (the pod asks for 64Gi) or add a node with more free"),
        (
            GPU,
            "; free or add a node with nvidia.com/gpu (the pod asks for 2), or set spec.serving.runtime: cpu, and lo",
        ),
        (TAINTED, "; add a node without the taint dedicated, or tolerate it in spec.serving.tolerations."),
        (SPENT, "; mend the nodes that say disk-pressure."),
        ("0/1 nodes are available: 1 node(s) were unschedulable.", "; uncordon the nodes that are cordoned"),
        ("0/1 nodes are available: 1 Too many pods.", "; add nodes: those there hold as many pods as they may."),
        (
            "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector.",
            "; label a node as the pod's",
        ),
        ("0/2 nodes are available: 2 node(s) didn't match pod topology spread constraints.", "; add a node where the"),
        ("0/2 nodes are available: 2 node(s) didn't match pod anti-affinity rules.", "; add a node without the pods"),
        ("0/2 nodes are available: 2 node(s) had no available persistent volumes to bind.", "; see that its volume"),
        ("0/2 nodes are available: 2 node(s) didn't have free ports for the pod ports.", "; add a node: the port"),
        ("0/2 nodes are available: something of a later Kubernetes.", "; add a node that fits."),
        ("", "No node can take pod p: no node fits; add a node that fits."),
    ],
)
def test_the_remedy_is_for_what_the_scheduler_names(message: str, remedy: str) -> None:
    assert remedy in unschedulable(a_pod(SERVER), message)


@pytest.mark.parametrize("message", [TAINTED, SPENT, "0/1 nodes are available: 1 node(s) were unschedulable.", ""])
def test_resources_are_not_spoken_of_when_they_are_not_short(message: str) -> None:
    assert "spec.serving.resources" not in unschedulable(a_pod(SERVER), message)


def test_what_would_help_preemption_is_left_out() -> None:
    assert "preemption" not in unschedulable(a_pod(SERVER), MEMORY)


def test_a_pod_that_names_no_amount_gets_the_advice_without_one() -> None:
    assert "lower spec.serving.resources.requests.memory or add" in unschedulable(a_pod({"name": "c"}), MEMORY)


@pytest.mark.parametrize(
    ("container", "label", "setting"),
    [
        ("build", BUILD_LABEL, "lower config.build.memory (or optimizeMemory for Jobs that optimize)."),
        ("check", CHECK_LABEL, "lower config.check.memory."),
        ("trainer", BUILD_LABEL, "lower config.build.trainMemory."),
        ("other", BUILD_LABEL, "lower what it asks for."),
    ],
)
def test_a_job_is_helped_by_the_platforms_settings(container: str, label: str, setting: str) -> None:
    pod = a_pod(asking(container, requests={"memory": "2Gi"}), **{label: "x"})

    assert f"more free memory (the pod asks for 2Gi), or {setting}" in unschedulable(pod, MEMORY)


def test_a_job_without_a_gpu_is_not_told_to_serve_on_a_cpu() -> None:
    pod = a_pod(asking("build", limits={"nvidia.com/gpu": "1"}), **{BUILD_LABEL: "x"})

    assert unschedulable(pod, TAINTED).endswith("; add a node without the taint dedicated.")

    assert "runtime" not in unschedulable(pod, "0/1 nodes are available: 1 Insufficient nvidia.com/gpu.")
