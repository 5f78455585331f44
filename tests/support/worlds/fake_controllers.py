"""What lives around Modelyard in a cluster: KServe with its pods, the gateway, build Jobs. One step at a time.

Each `step` does what its original does between two looks of ours and says whether it changed anything.
KServe restarts the pods of an InferenceService whose spec, labels or annotations changed, and is never asked
to; a pod is ready a step after it was made, unless it or its revision has a `fault`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from modelyard.core.names import REVISION_LABEL, predictor, sha256_hex
from modelyard.core.snapshot import Failure, OptimizedBuild, Ref, Snapshot
from modelyard.settings import GatewaySettings
from tests.support.objects.faults import FAULTS
from tests.support.worlds.apiserver import ApiServer, copied

WELL = ("", "restarted", "told to end")
"""Faults of the past: the pod is ready."""
STARTED = "2027-01-15T08:00:00Z"
"""When the small world begins."""

ASKED = Failure("Asking", "It has been asked and has not answered yet.", retry=True, pending=True)


@dataclass
class KServe:
    """Turns every InferenceService into a Deployment, a Service and pods, unless its pods are `refused`."""

    api: ApiServer
    faults: dict[str, str] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    clock: Callable[[], str] = lambda: STARTED
    restarts: dict[str, int] = field(default_factory=dict)

    def step(self) -> bool:
        moved = [self._one(ref, served) for ref, served in list(self.api.of_kind("InferenceService"))]
        return any(moved)

    def _one(self, ref: Ref, served: Mapping[str, Any]) -> bool:
        if "deletionTimestamp" in served["metadata"]:
            self._clear(ref)
            return True
        made = self._make(ref, served)
        moved = self._pods(ref)
        deployment = self.api.objects[Ref("Deployment", ref.namespace, predictor(ref.name))]
        ready = deployment["status"]["readyReplicas"] >= deployment["spec"]["replicas"] > 0
        said = self.api.say(ref, {"conditions": [{"type": "Ready", "status": str(ready)}]})
        return made or moved or said

    def _clear(self, ref: Ref) -> None:
        self.api.remove(ref)
        for kind in ("Deployment", "Service"):
            self.api.remove(Ref(kind, ref.namespace, predictor(ref.name)))
        for pod, thing in list(self.api.of_kind("Pod")):
            if thing["metadata"]["labels"].get(REVISION_LABEL) == ref.name:
                self.api.remove(pod)

    def _make(self, ref: Ref, served: Mapping[str, Any]) -> bool:
        owner = {"kind": "InferenceService", "name": ref.name, "uid": served["metadata"]["uid"], "controller": True}
        labels = {**served["metadata"]["labels"], **served["spec"]["predictor"].get("labels", {})}
        frame = {"name": predictor(ref.name), "namespace": ref.namespace, "labels": labels}
        frame["ownerReferences"] = [owner]
        template = sha256_hex([served["spec"], frame["labels"], served["metadata"]["annotations"]])
        changed = False
        if self.api.get("Service", ref.namespace, predictor(ref.name)) is None:
            self.api.create({"kind": "Service", "metadata": frame, "spec": {}})
            changed = True
        deployment = self.api.get("Deployment", ref.namespace, predictor(ref.name))
        if deployment is None:
            spec = {"replicas": 1, "template": template}
            self.api.create({"kind": "Deployment", "metadata": frame, "spec": spec, "status": {"readyReplicas": 0}})
            changed = True
        elif deployment["spec"]["template"] != template:
            deployment["spec"] = {**deployment["spec"], "template": template}
            self.restarts[ref.name] = self.restarts.get(ref.name, 0) + 1
            changed = True
        return changed

    def _pods(self, ref: Ref) -> bool:
        """One step in the life of the Deployment's pods."""
        name = predictor(ref.name)
        deployment = self.api.objects[Ref("Deployment", ref.namespace, name)]
        wanted = [f"{name}-{deployment['spec']['template'][:4]}-{n}" for n in range(deployment["spec"]["replicas"])]
        changed, ready = False, 0
        for pod, thing in list(self.api.of_kind("Pod")):
            if thing["metadata"]["labels"].get(REVISION_LABEL) == ref.name and pod.name not in wanted:
                self.api.remove(pod)
                changed = True
        for one in wanted:
            pod = Ref("Pod", ref.namespace, one)
            if pod not in self.api.objects and ref.name in self.refused:
                continue
            if pod not in self.api.objects:
                frame = {"name": one, "namespace": ref.namespace, "labels": deployment["metadata"]["labels"]}
                frame["creationTimestamp"] = self.clock()
                self.api.create({"kind": "Pod", "metadata": frame, "spec": {"nodeName": "node-1"}, "status": {}})
                changed = True
            else:
                fault = self.faults.get(one, self.faults.get(ref.name, ""))
                ready += fault in WELL
                changed |= self.api.say(pod, FAULTS[fault])
        status: dict[str, Any] = {"readyReplicas": ready}
        if ref.name in self.refused:
            failure = {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate"}
            status["conditions"] = [{**failure, "message": self.refused[ref.name]}]
        said = self.api.say(Ref("Deployment", ref.namespace, name), status)
        return changed or said


@dataclass
class Gateway:
    """Takes up routes; `carried` is what Envoy really does, `asleep` a gateway that is slow or down."""

    api: ApiServer
    settings: GatewaySettings
    carried: dict[Ref, dict[str, Any]] = field(default_factory=dict)
    asleep: bool = False

    def step(self) -> bool:
        if self.asleep:
            return False
        both = (*self.api.of_kind("HTTPRoute"), *self.api.of_kind("GRPCRoute"))
        routes = [(ref, route) for ref, route in both if "ownerReferences" in route["metadata"]]
        self.carried = {ref: copied(route["spec"]) for ref, route in routes}
        said = [self.api.say(ref, self._status(ref, route)) for ref, route in routes]
        return any(said)

    def _status(self, ref: Ref, route: Mapping[str, Any]) -> dict[str, Any]:
        missing = [
            backend["name"]
            for rule in route["spec"]["rules"]
            for backend in rule["backendRefs"]
            if self.api.get("Service", ref.namespace, backend["name"]) is None
        ]
        generation = route["metadata"]["generation"]
        resolved = {"type": "ResolvedRefs", "status": "True", "reason": "ResolvedRefs"}
        if missing:
            resolved = {"type": "ResolvedRefs", "status": "False", "reason": "BackendNotFound", "message": missing[0]}
        conditions = [{"type": "Accepted", "status": "True", "reason": "Accepted"}, resolved]
        parent = {"name": self.settings.name, "namespace": self.settings.namespace}
        said = [{**one, "observedGeneration": generation} for one in conditions]
        return {"parents": [{"parentRef": parent, "conditions": said}]}


@dataclass
class Builders:
    """Runs build Jobs: a step after it was made, a Job has ended, well or with `ends[job]`, and `failed` says how;
    an optimization later."""

    api: ApiServer
    store: set[str]
    ends: dict[str, Any] = field(default_factory=dict)
    failed: dict[str, Any] = field(default_factory=dict)
    digests: dict[str, str] = field(default_factory=dict)
    started: list[str] = field(default_factory=list)
    tries: int = 2
    left: dict[str, int] = field(default_factory=dict)

    def step(self) -> bool:
        changed = False
        for ref, job in list(self.api.of_kind("Job")):
            if "status" not in job:
                self.started.append(ref.name)
                self.left[ref.name] = self.tries if ref.name.startswith("optimize-") else 0
                changed |= self.api.say(ref, {"active": 1, "ready": 1, "startTime": STARTED})
            elif job["status"].get("active") and self.left[ref.name] > 0:
                self.left[ref.name] -= 1
                changed = True
            elif job["status"].get("active"):
                failed = ref.name in self.ends
                if failed:
                    self.failed[ref.name] = self.ends[ref.name]
                if not failed and ref.name in self.digests:
                    self.store.add(self.digests[ref.name])
                changed |= self.api.say(ref, {"failed": 3} if failed else {"succeeded": 1})
        return changed


def unanswered(seen: Snapshot) -> Snapshot:
    """The same world while nobody who was asked has answered yet; what the cluster and the gateway tell is there."""
    return replace(
        seen,
        entry=ASKED,
        built=ASKED,
        build_failure=seen.build_failure and ASKED,
        optimization=OptimizedBuild(ASKED, seen.optimization.failure and ASKED),
        logs=dict.fromkeys(seen.logs),
    )
