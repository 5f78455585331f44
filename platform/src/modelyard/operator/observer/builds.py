"""Whether a build is in the store, what its clients rely on, and how its Job failed when it did.

`builds/<digest>/report.json` is written last and never again, so "it is there" is remembered for good; but of signed
builds, which people delete when they were changed: those are asked for again every half minute.
The sentence of a failed build is what the builder left in its container's termination message:
{"reason": "...", "message": "..."}; exit code 2 says that a person must mend the entry, unless the
reason is InvalidSettings: then the platform is to be mended, and the build is worth another try. Every other exit code,
and every end without words, is the surroundings' fault, which is tried again (`core.artifacts.job_retries`).
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from math import inf
from typing import NamedTuple, Protocol

from pydantic import ValidationError

from modelyard.api.lifecycle.contract import Contract, ReportedContract
from modelyard.api.model import Model
from modelyard.api.monitoring.profile import ReferenceProfile
from modelyard.api.report import OptimizationSummary
from modelyard.core.names import BUILD_LABEL, bare
from modelyard.core.snapshot import Failure, Object, OptimizedBuild
from modelyard.core.storage.keys import build_profile, build_report, build_warmup
from modelyard.errors import CorruptEntry, InvalidSettings, Unreachable
from modelyard.operator.cache.objects import Key
from modelyard.operator.polling.poller import Habits, Unanswered
from modelyard.operator.polling.polling import Polling

from .jobs import PODS, EndedJob, Pods, TerminationMessage, end_of, ended, last_words, own_pods, silence
from .optimizations import SIGNED_SECONDS, OptimizationObserver

ABSENT_SECONDS = 3.0
"""How long a build that is not in the store is believed not to be there."""
_USER_ERROR = 2
_UNTOLD = Contract(inputs=(), outputs=())


class ObjectReader(Protocol):
    """The objects of the bucket."""

    def size(self, key: str) -> int | None: ...
    def get(self, key: str) -> bytes | None: ...


class _Build(NamedTuple):
    """A build; its Job's end makes it another question, because then it may have come into the store."""

    digest: str
    ended_job: str


class BuildObserver:
    """Builds as the store and the cluster know them; only `warmup_request` waits for an answer."""

    def __init__(self, store: ObjectReader, pods: Pods, polling: Polling) -> None:
        self._store, self._pods = store, pods
        self._optimizations = OptimizationObserver(store, polling)
        self._builds = polling.poller(
            "the store", self._is_built, Habits(lambda built: inf if built else ABSENT_SECONDS, keeps=False)
        )
        self._signed = polling.poller(
            "the store",
            self._is_built,
            Habits(lambda built: SIGNED_SECONDS if built else ABSENT_SECONDS, unsettled=bool),
        )
        self._failures = polling.poller(PODS, self._cause, Habits(lambda _: inf))
        self._contracts = polling.poller("the store", self._contract, Habits(lambda _: inf))
        self._built: set[str] = set()
        self._counted: set[str] = set()

    def built(
        self, key: Key, digest: str, job: Object | None, *, was: bool = False, signed: bool = False
    ) -> bool | Failure:
        """Whether the build with that digest, which `job` makes, is complete in the store; Failure while not known.

        One that `was` there, because a revision was started from it, is until the store has answered. While its Job
        runs, one that was not there is not asked for again: the Job's end tells.
        """
        if digest in self._built and not signed:
            return True
        poller, build = self._signed if signed else self._builds, _Build(digest, end_of(job))
        if job is not None and not build.ended_job and poller.latest(build) is False:
            return False
        answer = poller.of(key, build, was or None)
        return answer.failure if isinstance(answer, Unanswered) else answer

    def optimized(self, key: Key, digest: str, job: Object | None, *, signed: bool = False) -> OptimizedBuild:
        """The optimized build with that digest: its summary, progress or failure, as the store and its Job tell."""
        build = self._optimizations.of(key, digest, job, signed=signed)
        return replace(build, failure=None if isinstance(build.built, OptimizationSummary) else self.failure(key, job))

    def contracts(self, key: Key, model: Model, wanted: Iterable[str]) -> dict[str, Contract | Failure | None]:
        """What clients of the serving build and of those rely on that are `wanted` and there; none without any new."""
        revisions, status = model.status.revisions, model.status
        serving = {revision.digest for revision in revisions if revision.name == status.revision}
        new = set(wanted) - {revision.digest for revision in revisions}
        if not serving or not new or model.spec.source.allow_contract_change:
            return {}
        answers = {digest: self._contracts.of(key, digest) for digest in sorted(serving | new)}
        known = {digest: None if answer == _UNTOLD else answer for digest, answer in answers.items()}
        return {
            digest: answer.failure if isinstance(answer, Unanswered) else answer for digest, answer in known.items()
        }

    def warmup_request(self, digest: str) -> bytes:
        """The body of one inference, stored beside the artifact.

        Raises CorruptEntry when it is not there and OutsideError when the store is not reached.
        """
        request = self._store.get(build_warmup(digest))
        if request is None:
            raise CorruptEntry(f"build {bare(digest)[:16]} has no {build_warmup(digest)}: build the entry again.")
        return request

    def failure(self, key: Key, job: Object | None) -> Failure | None:
        """How the Job ended when it failed; None while it runs or when it went well.

        In the builder's words, else in those of Kubernetes; while its pods cannot be asked, in those of the Job alone.
        """
        condition = ended(job, "Failed")
        if job is None or condition is None:
            return None
        answer = self._failures.of(key, EndedJob(job["metadata"]["uid"], job))
        if isinstance(answer, Unanswered):
            return answer.failure if answer.failure.pending else silence(job, condition)
        return answer

    def finished(self, job: Object) -> tuple[str, float] | None:
        """("succeeded" or "failed", seconds it took), once per Job; None while it runs and ever after."""
        uid, started = job["metadata"]["uid"], job.get("status", {}).get("startTime")
        for condition, outcome in (("Complete", "succeeded"), ("Failed", "failed")):
            done = ended(job, condition)
            if done is not None and started and uid not in self._counted:
                self._counted.add(uid)
                took = datetime.fromisoformat(done["lastTransitionTime"]) - datetime.fromisoformat(started)
                return outcome, took.total_seconds()
        return None

    def _is_built(self, build: _Build) -> bool:
        built = self._store.size(build_report(build.digest)) is not None
        if built:
            self._built.add(build.digest)
        return built

    def _contract(self, digest: str) -> Contract:
        """`_UNTOLD` when the report tells of no inputs and outputs. Raises Unreachable when there is none."""
        report = self._store.get(build_report(digest))
        if report is None:
            raise Unreachable(
                f"the report of build {bare(digest)[:16]} is not in the store, so what its clients rely on is unknown; "
                "source.allowContractChange: true goes on without it."
            )
        profile = self._store.get(build_profile(digest))
        try:
            contract = ReportedContract.model_validate_json(report).contract()
        except ValidationError:
            return _UNTOLD
        try:
            return contract.with_profile(ReferenceProfile.model_validate_json(profile) if profile else None)
        except ValidationError:
            return contract

    def _cause(self, failed: EndedJob) -> Failure:
        job, metadata = failed.job, failed.job["metadata"]
        label = metadata.get("labels", {}).get(BUILD_LABEL, "")
        own = own_pods(self._pods, job, f"{BUILD_LABEL}={label}")
        failures = (_failure(message) for message in last_words(own))
        told = next((failure for failure in failures if failure is not None), None)
        return told or silence(job, ended(job, "Failed") or {}, own)


def _failure(termination: TerminationMessage) -> Failure | None:
    reason, message = termination.words.get("reason"), termination.words.get("message")
    if reason is None or message is None:
        return None
    final = termination.exit_code == _USER_ERROR and reason != InvalidSettings.__name__
    return Failure(str(reason), str(message), retry=not final)
