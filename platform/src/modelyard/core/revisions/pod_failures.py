"""Why a revision's pods do not come up, read from the pods themselves.

KServe reports a crashing server as "Pending" for ten minutes, and calls an empty repository ready, so
the truth is taken from container states and from the log of the container that ended. Triton's last
lines hide the cause: the line that says which model failed to load is what counts, and without one the
first error, but for the missing GPU driver that every start on a CPU complains about.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from modelyard.core import failure_causes
from modelyard.core.conditions import epoch
from modelyard.core.failure_causes import End, pod_cause, sentence
from modelyard.core.snapshot import Failure, Object

from .scheduling import unschedulable

_IMAGE = {"ImagePullBackOff", "ErrImagePull", "InvalidImageName", "ErrImageNeverPull"}
_NOISE = r"(?:Internal: )?(?:TritonModelException: )?"
_CAUSE = r"(?P<cause>.+?)(?:\\n|\"?$)"
_TRITON_ERRORS = (
    re.compile(rf"failed to load '[^']*' version \d+: {_NOISE}{_CAUSE}", re.MULTILINE),
    re.compile(rf'^E\d{{4}}.*?\] "?+(?!CudaDriverHelper){_CAUSE}', re.MULTILINE),
)
_MOST_RESTARTS = 3
"""A server that the machine is blamed for this often in a row is not brought up by one more start."""
_OF_THE_REVISION = frozenset({"OutOfMemory", "Crashed", "TimedOut", "Unexplained"})
"""A Model says itself how much memory its server gets, and a candidate that crashes under requests goes at once."""


_WITHOUT_LOG = frozenset(
    {"Unschedulable", "ImageMissing", "PodInvalid", "OutOfMemory", "SignatureMissing", "SignatureInvalid"}
)
"""What is known without a log."""


def pod_failure(pods: Sequence[Object], logs: Mapping[str, str | None]) -> Failure | None:
    """The first cause that keeps these pods from serving; None while they are merely starting or ending.

    `logs` are the last lines of containers that ended badly, by pod name; None while they are being read, and then a
    failure whose cause they may tell is pending.
    """
    for pod in pods:
        if "deletionTimestamp" in pod["metadata"]:
            continue
        log = logs.get(pod["metadata"]["name"], "")
        failure = _scheduling(pod) or _containers(pod, log or "")
        if failure is not None and log is None and failure.reason not in _WITHOUT_LOG:
            failure = replace(failure, pending=True)
        if failure:
            return failure
    return None


def crashed_before(pods: Sequence[Object], logs: Mapping[str, str | None]) -> Failure | None:
    """How a server of these pods ended that runs again now, when that is the revision's own fault; None otherwise.

    The kubelet starts a server again within a second, so whoever looks now and then would miss it.
    """
    for pod in pods:
        if "deletionTimestamp" in pod["metadata"]:
            continue
        for status in pod.get("status", {}).get("containerStatuses", []):
            ended = status.get("lastState", {}).get("terminated") or {}
            if status.get("restartCount", 0) and ended.get("exitCode", 0):
                log = logs.get(pod["metadata"]["name"], "")
                failure = _crashed(status, ended, log or "")
                if not failure.retry:
                    return replace(failure, pending=log is None and failure.reason not in _WITHOUT_LOG)
    return None


def lost_readiness(pod: Object, now: float, patience: float) -> bool:
    """Whether the pod's server runs and is not ready any more, or after `patience` seconds still not.

    False for one that was not started, has not been ready since then and may take its time, or is ready. A server that
    became unready changed the pod's condition after its own start.
    """
    status = pod.get("status", {})
    servers = [server for server in status.get("containerStatuses", []) if not server.get("ready")]
    if not servers or any("running" not in server.get("state", {"running": {}}) for server in servers):
        return False
    started = max(server.get("state", {}).get("running", {}).get("startedAt", "") for server in servers)
    changes = [one.get("lastTransitionTime", "") for one in status.get("conditions", []) if one["type"] == "Ready"]
    if not started or not any(changes):
        return True
    return epoch(changes[0]) > epoch(started) or now - epoch(started) >= patience


def of_job(pods: Sequence[Object], logs: Mapping[str, str | None]) -> str:
    """A sentence about what went wrong with the pods of a Job of ours; empty while nothing is wrong with them."""
    for pod in pods:
        blamed = pod_cause(pod) if "deletionTimestamp" not in pod["metadata"] else None
        if blamed is not None:
            container, cause = blamed
            return sentence(cause, f"container {container} of pod {pod['metadata']['name']}")
    failure = pod_failure(pods, logs)
    return failure.message if failure is not None else ""


def _scheduling(pod: Object) -> Failure | None:
    for condition in pod.get("status", {}).get("conditions", []):
        if condition["type"] == "PodScheduled" and condition.get("reason") == "Unschedulable":
            return Failure("Unschedulable", unschedulable(pod, condition.get("message", "")), retry=True)
    return None


def _containers(pod: Object, log: str) -> Failure | None:
    for status in _statuses(pod):
        failure = _waiting(status, log) or _ended(status, log)
        if failure:
            return failure
    return None


def _statuses(pod: Object) -> Iterator[Mapping[str, Any]]:
    status = pod.get("status", {})
    yield from status.get("initContainerStatuses", [])
    yield from status.get("containerStatuses", [])


def _waiting(status: Mapping[str, Any], log: str) -> Failure | None:
    waiting = status.get("state", {}).get("waiting", {})
    if waiting.get("reason") in _IMAGE:
        return Failure(
            "ImageMissing",
            f"Image {status.get('image', 'of the container')} cannot be pulled ({waiting['reason']}); "
            "check its name in the ServingRuntime and the node's access to the registry.",
            retry=True,
        )
    if waiting.get("reason") == "CreateContainerConfigError":
        return Failure("PodInvalid", f"The pod cannot be made: {waiting.get('message', 'bad configuration')}.", True)
    if waiting.get("reason") == "CrashLoopBackOff":
        return _crashed(status, status.get("lastState", {}).get("terminated", {}), log)
    return None


def _ended(status: Mapping[str, Any], log: str) -> Failure | None:
    ended = status.get("state", {}).get("terminated") or {}
    if not ended and status.get("restartCount", 0) > 0 and not status.get("ready", False):
        ended = status.get("lastState", {}).get("terminated") or {}
    if not ended or ended.get("exitCode", 0) == 0:
        return None
    return _crashed(status, ended, log)


def _crashed(status: Mapping[str, Any], ended: Mapping[str, Any], log: str) -> Failure:
    if ended.get("reason") == "OOMKilled":
        return Failure(
            "OutOfMemory",
            "The server was killed for using more memory than its limit; raise spec.serving.resources.limits.memory.",
        )
    refused = _refused_build(ended.get("message") or "")
    if refused is not None:
        return refused
    cause = cause_of(log) or (ended.get("message") or "").strip().splitlines()[-1:] or "it left no message"
    text = cause if isinstance(cause, str) else cause[0]
    if status.get("name") == "storage-initializer":
        return Failure(
            "DownloadFailed",
            f"The artifact could not be downloaded: {text}; "
            "check that the store is up and that its bucket and credentials are right (403 can mean either).",
            retry=True,
        )
    code = ended.get("exitCode", "?")
    known = failure_causes.cause_of(End(code if isinstance(code, int) else None, text))
    if known.passes and known.reason not in _OF_THE_REVISION and status.get("restartCount", 0) < _MOST_RESTARTS:
        message = sentence(known, "The server", f"exit code {code}: {text}")
        return Failure(known.reason, f"{message.rstrip('.')}; its node starts it again.", retry=True)
    return Failure(
        "ServerCrashed",
        f"The server ended with exit code {code}: {text}; "
        "run `modelyard serve` on the entry to see it here, mend it and push a new version.",
    )


def _refused_build(message: str) -> Failure | None:
    """What the check before the server (`signing.verified_start`) left as its last words; None for other words."""
    try:
        words = json.loads(message)
    except ValueError:
        return None
    if not isinstance(words, dict):
        return None
    match words.get("reason"):
        case "SignatureMissing":
            return Failure("SignatureMissing", str(words.get("message")))
        case "SignatureInvalid":
            return Failure("SignatureInvalid", str(words.get("message")))
    return None


def cause_of(log: str) -> str | None:
    """The first cause Triton names in its log, without time stamps, at most 400 characters; None when it names none."""
    match = next(filter(None, (pattern.search(log) for pattern in _TRITON_ERRORS)), None)
    return match["cause"].strip()[:400] if match else None
