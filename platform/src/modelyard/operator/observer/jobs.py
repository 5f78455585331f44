"""What a Job of ours came to: its condition, and the last words of its pods.

A program that ends leaves a JSON object in its container's termination message. A Job may have had several pods
(it tries again after a failure that may pass), so the words of the latest that left any are what counts.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, Protocol

from modelyard.core.snapshot import Object

JOB_NAME_LABEL = "batch.kubernetes.io/job-name"
"""Kubernetes puts it on the pods of every Job."""


class Pods(Protocol):
    """Listing of pods."""

    def items(self, kind: str, namespace: str = "", selector: str = "") -> list[dict[str, Any]]: ...


class TerminationMessage(NamedTuple):
    """The exit code of a container and the object it left."""

    exit_code: int | None
    words: Mapping[str, Any]


def ended(job: Object | None, how: str) -> Mapping[str, Any] | None:
    """The Job's condition Complete or Failed, when it is true."""
    conditions = (job or {}).get("status", {}).get("conditions", [])
    return next((one for one in conditions if one["type"] == how and one["status"] == "True"), None)


def last_words(pods: Pods, job: Object, selector: str) -> Iterator[TerminationMessage]:
    """What the Job's own pods among those of `selector` left, latest first; raises OutsideError."""
    metadata = job["metadata"]
    found = pods.items("Pod", metadata["namespace"], selector)
    own = [pod for pod in found if _owned(pod, metadata["uid"])]
    for pod in sorted(own, key=lambda pod: pod["metadata"]["creationTimestamp"], reverse=True):
        yield from _said(pod)


def silence(job: Object, condition: Mapping[str, Any]) -> str:
    """The sentence for a Job that failed without last words."""
    name, namespace = job["metadata"]["name"], job["metadata"]["namespace"]
    why = condition.get("message") or condition.get("reason") or "no reason given"
    hint = f"read `kubectl -n {namespace} logs job/{name}`, and delete the Job to try again"
    return f"Job {namespace}/{name} failed: {why.rstrip('.')}; {hint}."


def _owned(pod: Object, uid: str) -> bool:
    return any(owner["uid"] == uid for owner in pod["metadata"].get("ownerReferences", []))


def _said(pod: Object) -> Iterator[TerminationMessage]:
    for status in pod.get("status", {}).get("containerStatuses", []):
        done = status.get("state", {}).get("terminated") or {}
        try:
            words = json.loads(done.get("message", ""))
        except ValueError:
            continue
        if isinstance(words, dict):
            yield TerminationMessage(done.get("exitCode"), words)
