"""What a Job of ours came to: its condition, and the last words of its pods.

A program that ends leaves a JSON object in its container's termination message. A Job may have had several pods
(it tries again after a failure that may pass), so the words of the latest that left any are what counts. Of a program
that was killed before it could say anything, Kubernetes tells why.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, Protocol

from modelyard.core.failure_causes import FailureCause, host_cause, pod_cause, sentence
from modelyard.core.snapshot import Failure, Object

PODS = "the API server"
"""Who is asked for the last words of a Job's pods."""
JOB_NAME_LABEL = "batch.kubernetes.io/job-name"
"""Kubernetes puts it on the pods of every Job."""


_MEMORY = {
    "build": "config.build.memoryLimit",
    "optimize": "config.build.optimizeMemoryLimit",
    "check": "config.check.memoryLimit",
    "retrain": "config.build.optimizeMemoryLimit",
}
"""The setting that limits the memory of a Job's container, by the first word of the Job's name."""
_SECONDS = {"retrain": "config.build.trainTimeoutSeconds or spec.retrain.budget"}
"""The same of a Job's time, where it is not config.build.timeoutSeconds."""
_TRAINER_MEMORY = "config.build.trainMemoryLimit"


class Pods(Protocol):
    """Listing of pods."""

    def items(self, kind: str, namespace: str = "", selector: str = "") -> list[dict[str, Any]]: ...


@dataclass(frozen=True)
class EndedJob:
    """A Job that has ended; a question about one is the same whatever else changes in it, so `uid` alone counts."""

    uid: str
    job: Object = field(compare=False)


def end_of(job: Object | None) -> str:
    """The uid of a Job that has ended, empty while it runs and when there is none."""
    return job["metadata"]["uid"] if job is not None and (ended(job, "Complete") or ended(job, "Failed")) else ""


class TerminationMessage(NamedTuple):
    """The exit code of a container and the object it left."""

    exit_code: int | None
    words: Mapping[str, Any]


def ended(job: Object | None, condition_type: str) -> Mapping[str, Any] | None:
    """The Job's condition of that type (Complete or Failed) when its status is True; None otherwise."""
    conditions = (job or {}).get("status", {}).get("conditions", [])
    return next((item for item in conditions if item["type"] == condition_type and item["status"] == "True"), None)


def own_pods(pods: Pods, job: Object, selector: str) -> list[Object]:
    """The Job's own pods among those of `selector`, latest first. Raises OutsideError when they cannot be listed."""
    metadata = job["metadata"]
    listed = pods.items("Pod", metadata["namespace"], selector)
    own = [pod for pod in listed if _owned(pod, metadata["uid"])]
    return sorted(own, key=lambda pod: pod["metadata"]["creationTimestamp"], reverse=True)


def last_words(own: Iterable[Object]) -> Iterator[TerminationMessage]:
    """What the containers of these pods left, in the order of the pods."""
    for pod in own:
        yield from _termination_messages(pod)


def silence(job: Object, condition: Mapping[str, Any], own: Iterable[Object] = ()) -> Failure:
    """Why a Job failed without last words, as its pods and its condition tell; it may be tried again.

    `own` are its pods, latest first.
    """
    name, namespace = job["metadata"]["name"], job["metadata"]["namespace"]
    why = str(condition.get("message") or condition.get("reason") or "no reason given").rstrip(".")
    hint = f"read `kubectl -n {namespace} logs job/{name}`, and delete the Job to try again at once"
    ended_by = next((found for pod in own if (found := pod_cause(pod)) is not None), None)
    cause = ended_by[1] if ended_by is not None else host_cause(str(condition.get("reason", "")))
    if cause is None:
        return Failure("BuildFailed", f"Job {namespace}/{name} failed: {why}; {hint}.", retry=True)
    who = f"container {ended_by[0]} of Job {namespace}/{name}" if ended_by is not None else f"Job {namespace}/{name}"
    message = sentence(
        replace(cause, remedy=_remedy(job, cause, ended_by[0] if ended_by is not None else "")), who, why
    )
    return Failure(cause.reason, f"{message.rstrip('.')}; {hint}.", retry=True)


def _remedy(job: Object, cause: FailureCause, container: str) -> str:
    """What to do, with the settings of the platform that the Job was made by."""
    name, spec = job["metadata"]["name"], job.get("spec", {})
    kind = name.partition("-")[0]
    if cause.reason == "OutOfMemory":
        setting = _TRAINER_MEMORY if container == "trainer" else _MEMORY.get(kind, _MEMORY["build"])
        pod = spec.get("template", {}).get("spec", {})
        containers = (*pod.get("containers", ()), *pod.get("initContainers", ()))
        limit = next((str(each.get("resources", {}).get("limits", {}).get("memory", "")) for each in containers
                      if each["name"] == container), "")  # fmt: skip
        return f"raise {setting}" + (f", which is {limit} now" if limit else "")
    if cause.reason == "TimedOut" and "activeDeadlineSeconds" in spec and kind != "check":
        setting = _SECONDS.get(kind, "config.build.timeoutSeconds")
        return (
            f"it had {spec['activeDeadlineSeconds']} s, pulling its image included: raise {setting}, or look at its "
            "pod's events"
        )
    return cause.remedy


def _owned(pod: Object, uid: str) -> bool:
    return any(owner["uid"] == uid for owner in pod["metadata"].get("ownerReferences", []))


def _termination_messages(pod: Object) -> Iterator[TerminationMessage]:
    for status in pod.get("status", {}).get("containerStatuses", []):
        done = status.get("state", {}).get("terminated") or {}
        try:
            words = json.loads(done.get("message", ""))
        except ValueError:
            continue
        if isinstance(words, dict):
            yield TerminationMessage(done.get("exitCode"), words)
