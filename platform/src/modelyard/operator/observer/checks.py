"""What the Jobs that examine a candidate found: load tests and comparisons of outputs.

A check leaves {"passed": true or false, "message": sentence, "report": small numbers} when it has an answer and
{"reason", "message"} when it could not work. An end without an answer says nothing of the candidate, so it never
speaks against it: a lost node, a store that is away, a load generator that could not keep up.
"""

import logging
import threading
from collections.abc import Iterable, Mapping

from modelyard.core.names import CHECK_LABEL
from modelyard.core.snapshot import Check, Object
from modelyard.errors import OutsideError

from .jobs import JOB_NAME_LABEL, Pods, TerminationMessage, ended, last_words, own_pods, silence

_log = logging.getLogger(__name__)


class CheckObserver:
    """Reads check Jobs; what one that has ended said is read once. Safe to share between threads."""

    def __init__(self, pods: Pods) -> None:
        self._pods = pods
        self._lock = threading.Lock()
        self._read: dict[str, Check] = {}

    def of(self, jobs: Iterable[Object]) -> Mapping[str, Check]:
        """How far these Jobs have come, by the name of their gate; other Jobs among them are passed over."""
        labelled = [(job["metadata"].get("labels", {}).get(CHECK_LABEL), job) for job in jobs]
        return {gate: self._check(job) for gate, job in labelled if gate}

    def forget(self, uid: str) -> None:
        """The Job is gone."""
        with self._lock:
            self._read.pop(uid, None)

    def _check(self, job: Object) -> Check:
        done, failed = ended(job, "Complete"), ended(job, "Failed")
        if done is None and failed is None:
            return Check(None)
        metadata = job["metadata"]
        remembered = self._read.get(metadata["uid"])
        if remembered is not None:
            return remembered
        try:
            own = own_pods(self._pods, job, f"{JOB_NAME_LABEL}={metadata['name']}")
        except OutsideError as outside:
            _log.warning("check pods not read", extra={"fields": {"job": metadata["name"], "error": str(outside)}})
            return Check(None, f"what Job {metadata['name']} found could not be read: {outside}", retry=True)
        words = list(last_words(own))
        check = _answer(words) or _without_answer(job, words, own, failed)
        with self._lock:
            self._read[metadata["uid"]] = check
        return check


def _answer(words: Iterable[TerminationMessage]) -> Check | None:
    """What the latest pod with an answer said."""
    for termination in words:
        passed, report = termination.words.get("passed"), termination.words.get("report")
        if isinstance(passed, bool):
            return Check(passed, str(termination.words.get("message", "")), report if isinstance(report, dict) else {})
    return None


def _without_answer(
    job: Object, words: Iterable[TerminationMessage], own: Iterable[Object], failed: Mapping[str, object] | None
) -> Check:
    if failed is None:
        name = job["metadata"]["name"]
        return Check(True, f"Job {name} ended well; what it said is gone with its pod, its report is in the store.")
    sentence = next((str(message.words["message"]) for message in words if "message" in message.words), "")
    return Check(None, sentence or silence(job, failed, own).message, retry=True)
