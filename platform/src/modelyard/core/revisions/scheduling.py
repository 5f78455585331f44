"""Why no node takes a pod, and what helps: the scheduler's own sentence, read part by part.

The scheduler says how many nodes fail each of its questions: "0/3 nodes are available: 1 Insufficient memory, 2 node(s)
had untolerated taint {gpu: true}. preemption: ...". Each part has its own remedy, and only the parts that are there
are spoken of: who lacks a GPU is not helped by less memory.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from modelyard.core.names import BUILD_LABEL, CHECK_LABEL, RETRAIN_LABEL
from modelyard.core.snapshot import Object

_INSUFFICIENT = re.compile(r"Insufficient ([\w./-]+)")
_TAINT = re.compile(r"taint(?:\(s\))? \{([^}]*)\}")
_NATIVE = ("cpu", "memory", "ephemeral-storage")
_SETTING = {
    "build": "config.build.{0} (or optimize{1} for Jobs that optimize)",
    "check": "config.check.{0}",
    "retrain": "config.build.optimize{1}",
    "trainer": "config.build.train{1}",
}
_PARTS = (
    ("were unschedulable", "uncordon the nodes that are cordoned (kubectl get nodes shows SchedulingDisabled)"),
    ("Too many pods", "add nodes: those there hold as many pods as they may"),
    (
        "node affinity/selector",
        "label a node as the pod's node selector or affinity asks (spec.serving.nodeSelector, .affinity)",
    ),
    (
        "topology spread constraints",
        "add a node where the pod's spread constraints allow one, or loosen spec.serving.topologySpreadConstraints",
    ),
    ("anti-affinity", "add a node without the pods that this one keeps away from (spec.serving.affinity)"),
    ("persistent volume", "see that its volume can be had on a node with room"),
    ("free ports", "add a node: the port it asks for is taken"),
)


def unschedulable(pod: Object, message: str) -> str:
    """The sentence about a pod that no node takes; `message` is that of its condition PodScheduled."""
    why = message.partition("preemption:")[0].strip().rstrip(".") or "no node fits"
    remedies = list(dict.fromkeys(_remedies(pod, why))) or ["add a node that fits"]
    return f"No node can take pod {pod['metadata']['name']}: {why}; {', and '.join(remedies)}."


def _remedies(pod: Object, why: str) -> Iterator[str]:
    for resource in dict.fromkeys(_INSUFFICIENT.findall(why)):
        yield _less(pod, resource)
    for taint in dict.fromkeys(_TAINT.findall(why)):
        key = taint.partition(":")[0].strip()
        if key.startswith("node.kubernetes.io/"):
            yield f"mend the nodes that say {key.removeprefix('node.kubernetes.io/')}"
        else:
            tolerated = "" if _of_job(pod) else ", or tolerate it in spec.serving.tolerations"
            yield f"add a node without the taint {key}{tolerated}"
    yield from (remedy for part, remedy in _PARTS if part in why)


def _less(pod: Object, resource: str) -> str:
    asked = [(row["name"], _asked(row, resource)) for row in pod.get("spec", {}).get("containers", ())]
    amounts = {name: amount for name, amount in asked if amount}
    total = f" (the pod asks for {' + '.join(amounts.values())})" if amounts else ""
    if resource not in _NATIVE:
        where = "" if _of_job(pod) else ", or set spec.serving.runtime: cpu"
        return f"free or add a node with {resource}{total}{where}"
    if _of_job(pod):
        fields = [_SETTING[name].format(resource, resource.capitalize()) for name in amounts if name in _SETTING]
        return f"add a node with more free {resource}{total}, or lower {' and '.join(fields) or 'what it asks for'}"
    return f"lower spec.serving.resources.requests.{resource}{total} or add a node with more free {resource}"


def _asked(container: Mapping[str, Any], resource: str) -> str:
    resources = container.get("resources", {})
    return str(resources.get("requests", {}).get(resource) or resources.get("limits", {}).get(resource) or "")


def _of_job(pod: Object) -> bool:
    return not {BUILD_LABEL, CHECK_LABEL, RETRAIN_LABEL}.isdisjoint(pod["metadata"].get("labels", {}))
