"""What is: everything one decision may know, gathered before it is made and never changed after.

Objects of the cluster stay the API server's own dictionaries. `Failure` stands where a fact could not
be had: it says why, in a sentence, and whether asking again may help.

What people, pods and outside parties say is cut here to what a status takes, so that no answer, however long or odd,
makes a decision fail: reasons to MAX_REASON characters, sentences to MAX_SENTENCE; numbers that JSON has no words for
become null.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from modelyard.api.lifecycle.contract import Contract
from modelyard.api.model import Model
from modelyard.api.monitoring.comparison import LabelledComparison
from modelyard.api.monitoring.status import MonitoringStatus
from modelyard.api.optimization import Progress
from modelyard.api.report import OptimizationSummary

from .cluster_room import ClusterRoom
from .traffic import Traffic

Object = Mapping[str, Any]

MAX_REASON, MAX_SENTENCE = 64, 2000

JOB_SUSPENDED = "JobSuspended"
"""Reason of what waits for a Job that somebody keeps from its work."""


class Ref(NamedTuple):
    """One object of the cluster. The kinds we use are unambiguous, so the API group is left out."""

    kind: str
    namespace: str
    name: str


@dataclass(frozen=True)
class Failure:
    """Why a fact is missing: `reason` for programs, `message` for people, `retry` when asking again may help.

    `pending` says that it has been asked for and the answer is on its way: in some seconds it is there, or a Failure.
    """

    reason: str
    message: str
    retry: bool = False
    pending: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "reason", self.reason[:MAX_REASON])
        object.__setattr__(self, "message", self.message[:MAX_SENTENCE])


@dataclass(frozen=True)
class ResolvedEntry:
    """The registry's answer to `spec.source`: name, version and the `sha256:<hex>` digest of its files.

    `notice` says why it may not be the newest one, while it stands; `python` that its author's code answers.
    """

    name: str
    version: str
    digest: str
    notice: Failure | None = None
    python: bool = False


@dataclass(frozen=True)
class Credentials:
    """Read-only access to the store, handed to serving namespaces. Never printed."""

    endpoint: str
    bucket: str
    region: str
    access_key_id: str = field(repr=False)
    secret_access_key: str = field(repr=False)


@dataclass(frozen=True)
class Probe:
    """The answer to one warm-up inference through a revision's pinned route; `message` says why there was none."""

    answered: bool
    message: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "message", self.message[:MAX_SENTENCE])


@dataclass(frozen=True)
class Check:
    """A Job that examines a candidate (load test, comparison of outputs), as far as it has come.

    `passed` is None while it runs. `report` is what it measured, as plain values; `retry` says that it ended without an
    answer, for reasons that are not the candidate's.
    """

    passed: bool | None
    message: str = ""
    report: Mapping[str, Any] = field(default_factory=dict)
    retry: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "message", self.message[:MAX_SENTENCE])
        object.__setattr__(self, "report", _finite(self.report))


@dataclass(frozen=True)
class OptimizedBuild:
    """What is known of the optimized build of a Model.

    `built` is the summary of its report, or why that cannot be read; `failure` how its Job failed; `progress` how far
    it is. All None means: not in the store, and its Job has reported nothing yet.
    """

    built: OptimizationSummary | Failure | None = None
    failure: Failure | None = None
    progress: Progress | None = None


def _finite(value: Any) -> Any:
    """The plain values with null in place of numbers that are none, which no API server reads."""
    if isinstance(value, Mapping):
        return {key: _finite(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_finite(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


class ForeignObject(NamedTuple):
    """An object that is not written: why, when (epoch) that was last found, and how many times in a row.

    Somebody else's has its name, or the API server does not take it.
    """

    refusal: Failure
    seen: float
    times: int = 1


class ScalingMeans(NamedTuple):
    """What the API server serves of what scales: KEDA's ScaledObject, metrics.k8s.io; None while it is not known."""

    keda: bool | None = None
    resource_metrics: bool | None = None


NOT_KNOWN = ScalingMeans()


class RouteClaim(NamedTuple):
    """A route of somebody else that our Gateway accepted: when it was made (RFC 3339), and its hosts or paths."""

    ref: Ref
    created: str
    places: frozenset[str]


@dataclass(frozen=True)
class Holders:
    """The holders that are ready, by address, their ports, and how many requests wait there, by revision."""

    addresses: tuple[str, ...] = ()
    http_port: int = 8080
    grpc_port: int = 9000
    waiting: Mapping[str, int] = field(default_factory=dict)


class StartCheck(NamedTuple):
    """What a pod checks its build with: the program that does so, and the public keys of the builder, in base64."""

    program: str
    keys: tuple[str, ...]


@dataclass(frozen=True)
class Verification:
    """What is known of the signatures of an entry: the policies, keys in base64 of which one each has to have signed,
    and why the entry is not served, None when each was satisfied.
    """

    policies: tuple[tuple[str, ...], ...] = ()
    failure: Failure | None = None


@dataclass(frozen=True)
class Snapshot:
    """Everything one decision may know of the world around one Model, at `now` (seconds since the epoch).

    `model` is the Model; `children` what we made for it, by reference; `entry` the registry's answer; `built` whether
    the plain artifact of the entry is in the store; `build_failure` how its Job ended when it failed; `optimization`
    the same of the optimized one, when the spec asks for it; `probes` the latest warm-up answer by revision, kept in
    the operator's memory; `logs` the last lines of containers that ended badly, by pod name, None while they are being
    read; `traffic` what the gateway counted lately; `checks` the Jobs that examine the candidate, by the name of their
    gate; `foreign` why objects are not written, mostly for those of others under their names; `rivals` their routes to
    where this Model answers; `scaling_means` what the cluster has that scales, `rival_autoscaler` who scales the Model
    or a revision of it in our place, empty when nobody does; `holders` where requests for a revision at zero wait;
    `room` what the cluster has for more pods, pending while that is not known, None where nobody is to ask;
    `contracts` what clients rely on, by the digest of a build, None where its report does not say; only of the serving
    and of wanted ones, and of none while nothing new is wanted; `monitoring` what the evaluator knows of the serving
    revision's rows, None before its first word; `labelled` what it knows of the candidate's labelled answers beside the
    stable's; `retraining` what came of the retraining under way, None while it runs; where signatures are demanded,
    `verification` is what became of the entry's, `start_check` what pods check their build with.
    """

    now: float
    model: Model
    entry: ResolvedEntry | Failure
    built: bool | Failure = False
    build_failure: Failure | None = None
    optimization: OptimizedBuild = OptimizedBuild()
    children: Mapping[Ref, Object] = field(default_factory=dict)
    probes: Mapping[str, Probe] = field(default_factory=dict)
    logs: Mapping[str, str | None] = field(default_factory=dict)
    traffic: Traffic = field(default_factory=Traffic)
    checks: Mapping[str, Check] = field(default_factory=dict)
    credentials: Credentials = Credentials("", "", "", "", "")
    foreign: Mapping[Ref, ForeignObject] = field(default_factory=dict)
    rivals: tuple[RouteClaim, ...] = ()
    scaling_means: ScalingMeans = NOT_KNOWN
    rival_autoscaler: str = ""
    holders: Holders = Holders()
    room: ClusterRoom | Failure | None = None
    contracts: Mapping[str, Contract | Failure | None] = field(default_factory=dict)
    monitoring: MonitoringStatus | Failure | None = None
    labelled: LabelledComparison | Failure | None = None
    retraining: Check | None = None
    verification: Verification = Verification()
    start_check: StartCheck | Failure | None = None

    @property
    def incomplete(self) -> bool:
        """Whether an answer is on its way: what is decided now about anything but traffic can wait for it."""
        optimization = self.optimization
        builds = (self.built, self.build_failure, optimization.built, optimization.failure)
        facts = (self.entry, *builds, *self.contracts.values())
        facts += (self.verification.failure, self.start_check)
        return None in self.logs.values() or any(isinstance(fact, Failure) and fact.pending for fact in facts)

    def child(self, kind: str, name: str, namespace: str | None = None) -> Object | None:
        """The child of that kind and name, in the Model's namespace unless another is named; None without one."""
        return self.children.get(Ref(kind, namespace or self.model.namespace, name))

    def of_kind(self, kind: str) -> list[Object]:
        """All children of a kind, ordered by namespace and name."""
        return [self.children[ref] for ref in sorted(self.children) if ref.kind == kind]


def suspended(job: Object | None) -> str:
    """That somebody keeps this Job from its work, in words to go on from; empty when nobody does, or there is none."""
    if job is None or not job.get("spec", {}).get("suspend"):
        return ""
    metadata = job["metadata"]
    return f"Job {metadata['namespace']}/{metadata['name']} is suspended, by a person or a queue of Jobs"
