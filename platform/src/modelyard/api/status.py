"""What the operator says of a Model: conditions, the entry it resolved, revisions and their traffic.

Only facts that cannot be derived again live here: which revision holds which slot, in which stage it
is and since when. A restarted operator goes on from them.
"""

from enum import StrEnum
from typing import Any, Literal

from pydantic import Field

from .lifecycle.retraining_status import RetrainingStatus
from .monitoring.status import MonitoringStatus
from .rollout_status import RolloutStatus
from .scheduling.scaling import ScalingStatus
from .shape import StatusShape


class Stage(StrEnum):
    """Where a revision stands between its first pod and its last.

    Starting --answered--> Joining --programmed--> Serving --replaced--> Leaving --programmed--> Draining --> (removed)
        \\--no longer wanted--> Dropped --settled--> (removed)
    `modelyard.core.revisions.lifecycle` has the whole table.
    """

    STARTING = "Starting"
    JOINING = "Joining"
    SERVING = "Serving"
    STANDBY = "Standby"
    LEAVING = "Leaving"
    DRAINING = "Draining"
    DROPPED = "Dropped"


class Condition(StatusShape):
    """A Kubernetes condition."""

    type: str = Field(
        max_length=64,
        description="Ready, Progressing, Reconciling, Stalled, EntryResolved, Built, Serving, Routed, DataHealthy or "
        "PerformanceHealthy.",
    )
    status: Literal["True", "False", "Unknown"] = Field(description="Whether it holds.")
    reason: str = Field(max_length=64, description="One CamelCase word for programs.")
    message: str = Field(max_length=2048, description="A sentence for people: what is, why, and what to do.")
    observed_generation: int = Field(default=0, description="The generation of the spec that this condition is about.")
    last_transition_time: str = Field(max_length=32, description="When the status last changed, RFC 3339.")


class EntryStatus(StatusShape):
    """The registry entry the spec resolved to."""

    name: str = Field(max_length=63, description="Name of the entry.")
    version: str = Field(max_length=63, description="Version of the entry.")
    digest: str = Field(max_length=80, description="sha256 over the entry's files.")
    python: bool = Field(default=False, description="Whether it is a Python model, which its author's code answers.")


class BuildStatus(StatusShape):
    """The build of the desired revision."""

    digest: str = Field(max_length=80, description="sha256 over the entry's digest and the build options.")
    failure: str = Field(
        default="", max_length=2048, description="The sentence a failed build ended with; it is not repeated."
    )
    reason: str = Field(default="", max_length=64, description="The reason word of that failure.")
    attempts: int = Field(default=0, ge=0, description="Jobs that failed so far for no fault of the model's.")
    next_attempt_time: str = Field(
        default="", max_length=32, description="When the next Job is made after such a failure, RFC 3339."
    )


class OptimizationStatus(StatusShape):
    """The optimization that the spec asks for: how far it is, what it gave, or why it failed."""

    digest: str = Field(max_length=80, description="Digest of the optimized build.")
    variant: str = Field(default="", max_length=128, description="The variant it holds; original when none was better.")
    speedup: str = Field(default="", max_length=16, description="The original's time over the variant's, as 3.1x.")
    quality_loss: str = Field(default="", max_length=16, description="Share of the quality that is lost, as 0.2%.")
    size_ratio: str = Field(default="", max_length=16, description="The variant's size over the original's, as 0.26.")
    summary: str = Field(
        default="", max_length=160, description="4/9 while variants are tried; then the variant and what it gave."
    )
    message: str = Field(default="", max_length=2048, description="A sentence for people.")
    failure: str = Field(
        default="", max_length=2048, description="The sentence a failed optimization ended with; it is not repeated."
    )
    reason: str = Field(default="", max_length=64, description="The reason word of that failure.")
    attempts: int = Field(default=0, ge=0, description="Jobs that failed so far for no fault of the model's.")
    next_attempt_time: str = Field(
        default="", max_length=32, description="When the next Job is made after such a failure, RFC 3339."
    )


class CapacityStatus(StatusShape):
    """How much one replica takes on while it keeps what users were promised."""

    requests_per_second: float = Field(ge=0, description="Requests a second of one replica; 0 when it never keeps it.")
    at: str = Field(max_length=32, description="What it keeps at that rate, such as p99<50ms.")
    cpu: float = Field(ge=0, description="CPU cores the replica had.")
    measured: bool = Field(default=True, description="False for a guess, true when a real server was asked.")
    digest: str = Field(default="", max_length=80, description="Digest of the build that was measured.")


class CostStatus(StatusShape):
    """What the Model costs, by the platform's prices, over the last ten minutes."""

    per_thousand: float | None = Field(
        default=None, ge=0, description="What 1,000 requests cost; absent while there were none."
    )
    idle_share: float = Field(ge=0, le=1, description="Share of what is reserved, and paid for, that nobody needed.")
    guess: bool = Field(
        default=False,
        description="True where nobody has measured what a replica takes on: then idleShare is only the share of the "
        "time in which nobody asked at all.",
    )
    time: str = Field(max_length=32, description="When it was reckoned, RFC 3339.")


class RevisionStatus(StatusShape):
    """One immutable revision: what it serves, where it is in the route, and how far it has come."""

    name: str = Field(max_length=63, description="Name of the InferenceService.")
    slot: Literal["a", "b"] = Field(description="Fixed position in the route for the revision's whole life.")
    digest: str = Field(max_length=80, description="Digest of the build it serves.")
    version: str = Field(max_length=63, description="Version of the entry it was built from.")
    runtime: str = Field(max_length=63, description="Name of the ClusterServingRuntime it was made with.")
    resources: dict[str, Any] | None = Field(
        default=None,
        description="Resources of one replica.",
        json_schema_extra={"x-kubernetes-preserve-unknown-fields": True},
    )
    placement: dict[str, Any] | None = Field(
        default=None,
        description="Where its replicas may run, as in a PodSpec.",
        json_schema_extra={"x-kubernetes-preserve-unknown-fields": True},
    )
    pod_labels: dict[str, str] | None = Field(
        default=None, description="Labels of the Model that its pods got when it was made."
    )
    pod_annotations: dict[str, str] | None = Field(
        default=None, description="Annotations of the Model that its pods got when it was made."
    )
    cache: int | None = Field(default=None, ge=0, description="Bytes of memory of every replica for answers.")
    verified: bool | None = Field(
        default=None, description="True where its pods check the builder's signature before they serve."
    )
    stage: Stage = Field(description="Starting, Joining, Serving, Standby, Leaving, Draining or Dropped.")
    ready: bool = Field(
        default=False, description="All replicas are ready, and one inference through the gateway was answered."
    )
    weight: int = Field(default=0, ge=0, le=100, description="Share of the traffic, in percent.")
    stage_start_time: str = Field(default="", max_length=32, description="When the stage began, RFC 3339.")
    programmed_time: str = Field(
        default="", max_length=32, description="When the gateway first carried the weights of this stage, RFC 3339."
    )


class IdleState(StrEnum):
    """Where a revision stands between its last request and its next.

    Awake --idle--> Holding --settled--> Zero --a request--> Waking --a replica ready--> HandingOver --settled--> Awake
    `modelyard.core.revisions.idleness` has the whole table.
    """

    AWAKE = "Awake"
    HOLDING = "Holding"
    ZERO = "Zero"
    WAKING = "Waking"
    HANDING_OVER = "HandingOver"


class IdleStatus(StatusShape):
    """The state of a Model that may have no replicas, and since when."""

    state: IdleState = Field(description="Awake, Holding, Zero, Waking or HandingOver.")
    revision: str = Field(max_length=63, description="The revision that holds the traffic.")
    since: str = Field(max_length=32, description="When the state began, RFC 3339.")
    cold_starts: list[float] = Field(
        default_factory=list,
        max_length=20,
        description="Seconds from Waking to the first ready replica, the latest twenty times, the latest last.",
    )


class ColdStartStatus(StatusShape):
    """How long requests for a Model at zero wait for its first replica."""

    p50: float = Field(ge=0, description="Seconds, the median of the latest cold starts.")
    p99: float = Field(ge=0, description="Seconds that 99 % of them took at most; of fewer than 100, the longest.")
    count: int = Field(ge=1, description="Of how many cold starts, twenty at most.")


class ModelStatus(StatusShape):
    """Status of a Model."""

    observed_generation: int = Field(default=0, description="Generation of the spec this status was written for.")
    conditions: list[Condition] = Field(
        default_factory=list,
        max_length=16,
        description="Ready, Progressing, Reconciling, Stalled, EntryResolved, Built, Serving, Routed, DataHealthy, "
        "PerformanceHealthy.",
        json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"]},
    )
    entry: EntryStatus | None = Field(default=None, description="The registry entry the spec resolved to.")
    build: BuildStatus | None = Field(default=None, description="The build of the desired revision.")
    optimization: OptimizationStatus | None = Field(
        default=None, description="The optimization spec.optimize asks for; absent without one."
    )
    capacity: CapacityStatus | None = Field(
        default=None, description="What one replica of the revision that holds the traffic takes on, once it is known."
    )
    cost: CostStatus | None = Field(
        default=None, description="What requests cost, where config.prices says what resources do; else absent."
    )
    revisions: list[RevisionStatus] = Field(
        default_factory=list,
        max_length=2,
        description="At most two: the one that serves and one that comes or goes.",
        json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]},
    )
    idle: IdleStatus | None = Field(
        default=None, description="How far a Model that may have no replicas is on the way there and back."
    )
    cold_start: ColdStartStatus | None = Field(
        default=None, description="How long requests wait that wake it; absent before the first did."
    )
    rollout: RolloutStatus | None = Field(default=None, description="The rollout under way, or how the last one ended.")
    monitoring: MonitoringStatus | None = Field(
        default=None, description="What is known of its rows and answers; absent where nothing is recorded."
    )
    retraining: RetrainingStatus | None = Field(
        default=None, description="Whether a new version is wanted, and what is done; absent without spec.retrain."
    )
    version: str = Field(default="", max_length=63, description="Version that holds the traffic.")
    revision: str = Field(default="", max_length=63, description="Revision that holds the traffic.")
    replicas: int = Field(default=0, ge=0, description="Replicas of that revision.")
    selector: str = Field(
        default="", max_length=128, description="Label selector of its pods, for autoscalers and `kubectl scale`."
    )
    requested_replicas: int = Field(
        default=1,
        ge=0,
        description="The serving.replicas that was last carried out; within scaling an autoscaler of "
        "the Deployment may have chosen otherwise since then.",
    )
    scaling: ScalingStatus | None = Field(
        default=None, description="Who chooses the number of replicas inside spec.scaling; absent without it."
    )
    traffic: str = Field(
        default="", max_length=32, description="Traffic of the serving revision, and of the other when there is one."
    )
    url: str = Field(default="", max_length=512, description="Where HTTP requests go.")
    path_url: str = Field(
        default="", max_length=512, description="The same without DNS: a path of the gateway's address."
    )
    grpc: str = Field(default="", max_length=512, description="Authority for gRPC requests.")

    def condition(self, kind: str) -> Condition | None:
        """The condition of that type, or None."""
        return next((condition for condition in self.conditions if condition.type == kind), None)
