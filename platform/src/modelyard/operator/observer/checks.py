"""What the Jobs that examine a candidate found: load tests and comparisons of outputs.

A check leaves {"passed": true or false, "message": sentence, "report": small numbers} when it has an answer and
{"reason", "message"} when it could not work. An end without an answer says nothing of the candidate, so it never
speaks against it: a lost node, a store that is away, a load generator that could not keep up.
"""

from collections.abc import Iterable, Mapping
from math import inf

from modelyard.core.names import CHECK_LABEL
from modelyard.core.snapshot import Check, Object, suspended
from modelyard.operator.cache.objects import Key
from modelyard.operator.polling.poller import Habits, Unanswered
from modelyard.operator.polling.polling import Polling

from .jobs import JOB_NAME_LABEL, PODS, EndedJob, Pods, TerminationMessage, end_of, ended, last_words, own_pods, silence


class CheckObserver:
    """Reads check Jobs; what one that has ended said is read once. None of its methods waits for an answer."""

    def __init__(self, pods: Pods, polling: Polling) -> None:
        self._pods = pods
        self._ends = polling.poller(PODS, self._read, Habits(lambda _: inf))

    def of(self, key: Key, jobs: Iterable[Object]) -> Mapping[str, Check]:
        """How far these Jobs have come, by the name of their gate; other Jobs among them are passed over."""
        labelled = [(job["metadata"].get("labels", {}).get(CHECK_LABEL), job) for job in jobs]
        return {gate: self._check(key, job) for gate, job in labelled if gate}

    def answer(self, key: Key, job: Object) -> Check | None:
        """What a Job that has ended said; None while it runs, and while that cannot be read."""
        uid = end_of(job)
        found = self._ends.of(key, EndedJob(uid, job)) if uid else None
        return found if isinstance(found, Check) else None

    def _check(self, key: Key, job: Object) -> Check:
        uid = end_of(job)
        if not uid:
            held = suspended(job)
            return Check(None, f"{held}: it runs once its spec.suspend is false" if held else "")
        answer = self._ends.of(key, EndedJob(uid, job))
        if not isinstance(answer, Unanswered):
            return answer
        if answer.failure.pending:
            return Check(None, "it has ended, and what it said is being read")
        name = job["metadata"]["name"]
        return Check(None, f"what Job {name} said could not be read: {answer.failure.message}", retry=True)

    def _read(self, end: EndedJob) -> Check:
        job, metadata = end.job, end.job["metadata"]
        own = own_pods(self._pods, job, f"{JOB_NAME_LABEL}={metadata['name']}")
        words = list(last_words(own))
        return _answer(words) or _without_answer(job, words, own, ended(job, "Failed"))


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
