"""`Model`: the one resource a user writes.

A spec stays one screen long: it names a registry entry and, where the defaults do not fit, how it is
served and what its users were promised. Cross-field rules are CEL, so that the API server refuses a
mistake with the sentence that mends it; pydantic repeats them for callers without an API server.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, model_validator

from .lifecycle.retrain import RETRAIN_RULES, Retrain, require_means
from .monitoring.spec import Monitoring
from .optimize import Optimize
from .quantity import (
    Amount,
    Duration,
    EntryAlias,
    EntryName,
    EntryVersion,
    Percent,
    Percentile,
    ReplicaCount,
    canonical,
    seconds,
)
from .rollout import Rollout
from .scheduling.placement import Placement
from .scheduling.scaling import Scaling
from .shape import Shape, cel, validated
from .signing.spec import Verify
from .status import ModelStatus
from .stored_status import readable
from .tuning.cache import ResponseCache
from .tuning.spec import Tune

GROUP = "modelyard.dev"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"
KIND = "Model"
MAX_NAME = 40
_NO_COST = "!has(self.optimize) || self.optimize.goal != 'cost'"
_SAY_OBJECTIVE = "tune needs slo.latency: write what is to be kept, such as {percentile: 99, threshold: 50ms}"
_SAY_COST = "optimize.goal cost needs slo.latency: write what is to be kept, such as {percentile: 99, threshold: 50ms}"
_SAY_COST_OF_GPU = "optimize.goal cost is measured on CPUs: write throughput, or serving.runtime: cpu"
_SAY_REPLAY = (
    "rollout.replay asks what was recorded, and no rows are kept: write monitoring: {sample: auto, log: {columns: "
    '["*"]}}'
)
_SAY_LABELS = (
    "rollout.feedback compares labelled answers, and no labels are taken: write monitoring: {sample: auto, log: "
    '{columns: ["*"]}, feedback: {}}'
)
_SAY_ABOVE = (
    "serving.replicas is above scaling.maxReplicas: lower it (kubectl scale), raise maxReplicas, or give an autoscaler "
    "of the Model the same maximum"
)


class Runtime(StrEnum):
    """Which hardware serves the model."""

    AUTO = "auto"
    CPU = "cpu"
    GPU = "gpu"


class RegistryName(StrEnum):
    """Where an entry comes from."""

    BUCKET = "bucket"
    MLFLOW = "mlflow"


class Source(Shape):
    """The registry entry to serve: a name, and either a version or an alias."""

    model_config = validated(
        cel(
            "has(self.version) != has(self.alias)", 'write either version: "2" or alias: champion, and only one of them'
        )
    )

    registry: RegistryName | None = Field(
        default=None,
        description="bucket, which it is when left out: what was pushed; mlflow: a model registered there, which the "
        "platform brings in.",
    )
    name: EntryName = Field(description="Name of the entry in the registry.")
    version: EntryVersion | None = Field(
        default=None, description='Version of the entry, such as "2" (in quotes); never changes meaning.'
    )
    alias: EntryAlias | None = Field(
        default=None, description="Alias of a version, such as champion; followed when it moves."
    )
    verify: Verify | None = Field(
        default=None, description="Serve the entry only if it is signed; checked before the build and by every pod."
    )

    allow_contract_change: bool | None = Field(
        default=None,
        description="Begin a version although its inputs or outputs differ so that clients of the serving one notice.",
    )
    trust_code: bool | None = Field(
        default=None,
        description="Serve a Python model: code of whoever may push the entry runs in the Model's pods, without keys.",
    )

    @model_validator(mode="after")
    def _one_of_version_and_alias(self) -> "Source":
        if (self.version is None) == (self.alias is None):
            raise ValueError('write either version: "2" or alias: champion, and only one of them')
        return self

    def __str__(self) -> str:
        return f"{self.name}:{self.version}" if self.version else f"{self.name}@{self.alias}"


class LatencyObjective(Shape):
    """`percentile` of all requests are answered within `threshold`."""

    percentile: Percentile
    threshold: Duration


class Slo(Shape):
    """What users of the model were promised."""

    latency: LatencyObjective | None = Field(default=None, description="How fast answers are.")
    error_rate: Percent | None = Field(default=None, description='Share of requests that may fail, such as "0.1%".')
    availability: Percent | None = Field(default=None, description='Share of time the model answers, such as "99.9%".')


ResourceList = Annotated[dict[str, Amount], Field(max_length=8)]


class Resources(Shape):
    """Resources of one replica, as in a Pod."""

    requests: ResourceList | None = Field(default=None, description="What a replica is guaranteed.")
    limits: ResourceList | None = Field(default=None, description="What a replica may use at most.")

    def canonical(self) -> dict[str, dict[str, str]]:
        """The resources as plain values in which equal amounts are written alike; parts without any are left out."""
        parts = {"requests": self.requests, "limits": self.limits}
        return {
            part: {name: canonical(quantity) for name, quantity in amounts.items()}
            for part, amounts in parts.items()
            if amounts is not None
        }


class Serving(Placement):
    """How one revision is served, and where."""

    runtime: Runtime = Field(default=Runtime.AUTO, description="cpu, gpu, or auto: what the platform's operator chose.")
    resources: Resources | None = Field(
        default=None, description="Resources of one replica; the runtime's when left out."
    )
    timeout: Duration | None = Field(
        default=None,
        description="How long the gateway waits for an answer, from the request's first byte; 15s when left out. "
        "Changes no revision.",
    )
    replicas: ReplicaCount = Field(
        default=1,
        description="How many replicas there are to be, which `kubectl scale` and autoscalers write as well; with "
        "scaling, the number inside its range.",
    )


class ModelSpec(Shape):
    """The desired state of a Model."""

    model_config = validated(
        cel(
            "!has(self.scaling) || !has(self.serving.replicas) || self.serving.replicas <= self.scaling.maxReplicas",
            _SAY_ABOVE,
        ),
        cel("!has(self.tune) || (has(self.slo) && has(self.slo.latency))", _SAY_OBJECTIVE),
        cel(
            "!has(self.rollout) || !has(self.rollout.replay) || (has(self.monitoring) && has(self.monitoring.log) "
            "&& has(self.monitoring.log.columns))",
            _SAY_REPLAY,
        ),
        cel(
            "!has(self.rollout) || !has(self.rollout.feedback) || (has(self.monitoring) "
            "&& has(self.monitoring.feedback))",
            _SAY_LABELS,
        ),
        cel(f"{_NO_COST} || (has(self.slo) && has(self.slo.latency))", _SAY_COST),
        cel(f"{_NO_COST} || self.serving.runtime != 'gpu'", _SAY_COST_OF_GPU),
        *RETRAIN_RULES,
    )

    source: Source
    slo: Slo | None = Field(default=None, description="What users of the model were promised.")
    serving: Serving = Field(default=Serving(), description="How a revision is served.")
    scaling: Scaling | None = Field(default=None, description="The range an autoscaler may choose from.")
    rollout: Rollout = Field(default=Rollout(), description="How a new revision takes over.")
    optimize: Optimize | None = Field(
        default=None, description="Try smaller and faster variants and serve the best; {} takes every default."
    )

    tune: Tune | None = Field(
        default=None,
        description="Measure how much a replica takes on at slo.latency, and serve with the settings that take on "
        "most; {} takes every default. CPUs only.",
    )

    monitoring: Monitoring | None = Field(
        default=None, description="What is recorded of requests, and when a change in them is told."
    )

    retrain: Retrain | None = Field(
        default=None, description="When a new version is trained, by whom, and how often; never when left out."
    )

    cache: ResponseCache | None = Field(
        default=None,
        description="Keep answers in the server and give them again to whoever asks the same; refused for models whose "
        "answers depend on chance.",
    )

    @model_validator(mode="after")
    def _tuned_to_an_objective(self) -> "ModelSpec":
        if self.tune is not None and (self.slo is None or self.slo.latency is None):
            raise ValueError(_SAY_OBJECTIVE)
        return self

    @model_validator(mode="after")
    def _cost_of_keeping_an_objective(self) -> "ModelSpec":
        if self.optimize is not None and self.optimize.goal == "cost":
            if self.slo is None or self.slo.latency is None:
                raise ValueError(_SAY_COST)
            if self.serving.runtime is Runtime.GPU:
                raise ValueError(_SAY_COST_OF_GPU)
        return self

    @model_validator(mode="after")
    def _replayed_from_a_record(self) -> "ModelSpec":
        log = self.monitoring.log if self.monitoring is not None else None
        if self.rollout.replay is not None and (log is None or log.columns is None):
            raise ValueError(_SAY_REPLAY)
        return self

    @model_validator(mode="after")
    def _judged_by_labels(self) -> "ModelSpec":
        labelled = self.monitoring is not None and self.monitoring.feedback is not None
        if self.rollout.feedback is not None and not labelled:
            raise ValueError(_SAY_LABELS)
        return self

    @model_validator(mode="after")
    def _retrained_with_means(self) -> "ModelSpec":
        if self.retrain is not None:
            watched = self.monitoring
            require_means(
                self.retrain,
                recorded=watched is not None and watched.sample is not None,
                labelled=watched is not None and watched.feedback is not None,
                verified=self.source.verify is not None,
                mlflow=self.source.registry is RegistryName.MLFLOW,
            )
        return self

    @model_validator(mode="after")
    def _replicas_within_scaling(self) -> "ModelSpec":
        if self.scaling is not None and self.serving.replicas > self.scaling.max_replicas:
            raise ValueError(_SAY_ABOVE)
        return self

    def build_options(self, target: str) -> dict[str, Any]:
        """What the build for a `target` (cpu, gpu) is to do beyond the plain one; empty when nothing."""
        options = self.optimize.options(target) if self.optimize is not None else {}
        if self.cache is not None:  # its size is the server's business, and no other build
            options["cache"] = True
        tune = self.tune or (Tune() if self.optimize is not None and self.optimize.goal == "cost" else None)
        if tune is None or self.slo is None or self.slo.latency is None or target != "cpu":
            return options
        latency, resources = self.slo.latency, self.serving.resources
        replica = resources.canonical() if resources is not None else {}
        return {**options, **tune.options(latency.percentile, seconds(latency.threshold), replica)}

    def replica_range(self) -> tuple[int, int]:
        """(fewest, most) replicas of a revision that serves, as `scaling` says; else `serving.replicas`, twice.

        One that may rest has one replica at least while it does not.
        """
        if self.scaling is not None:
            return max(1, self.scaling.min_replicas), self.scaling.max_replicas
        return self.serving.replicas, self.serving.replicas

    @property
    def may_rest(self) -> bool:
        """Whether there may be no replicas while nobody asks."""
        return self.scaling is not None and self.scaling.min_replicas == 0

    def requested_replicas(self) -> int:
        """`serving.replicas`, which may be less than `scaling` allows: then the fewest."""
        return max(self.serving.replicas, self.replica_range()[0])


class Model(Shape):
    """A Model as read from the API server; metadata stays the server's own dictionary."""

    metadata: dict[str, Any]
    spec: ModelSpec
    status: Annotated[ModelStatus, BeforeValidator(readable)] = Field(default_factory=ModelStatus)

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Self:
        """The Model of an API server's document, which has more than these three; ValidationError when it is none."""
        return cls.model_validate({name: document.get(name) or {} for name in cls.model_fields})

    @property
    def name(self) -> str:
        """`metadata.name`."""
        return self.metadata["name"]

    @property
    def namespace(self) -> str:
        """`metadata.namespace`."""
        return self.metadata["namespace"]

    @property
    def generation(self) -> int:
        """`metadata.generation`, which the API server raises with every change of the spec; 0 before that."""
        return self.metadata.get("generation", 0)
