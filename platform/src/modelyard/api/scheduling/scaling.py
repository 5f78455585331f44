"""`spec.scaling`, the range in which an autoscaler chooses, and what is told of it in the status."""

from pydantic import Field, model_validator

from modelyard.api.quantity import Duration, Patience, Percent
from modelyard.api.shape import Shape, StatusShape, cel, validated

_SAY_MIN_ABOVE_MAX = "minReplicas is above maxReplicas: lower one or raise the other"


class Scaling(Shape):
    """The range an autoscaler chooses from, and how it chooses; the platform makes one where there is a choice."""

    model_config = validated(cel("self.minReplicas <= self.maxReplicas", _SAY_MIN_ABOVE_MAX))

    min_replicas: int = Field(
        default=1, ge=0, le=1000, description="Fewest replicas of the serving revision; 0: none while nobody asks."
    )
    max_replicas: int = Field(ge=1, le=1000, description="Most replicas of the serving revision.")
    target_utilization: Percent = Field(
        default="75%",
        description="How busy a replica is to be, of what it can take on; the rest is for what comes before there is "
        "another.",
    )
    scale_down_delay: Patience = Field(
        default="5m", description='How long fewer replicas must be enough before any goes, from "1s" to "1h".'
    )

    idle_after: Duration = Field(
        default="10m", description="With minReplicas 0: how long nobody has to ask before there are none."
    )

    @model_validator(mode="after")
    def _min_below_max(self) -> "Scaling":
        if self.min_replicas > self.max_replicas:
            raise ValueError(_SAY_MIN_ABOVE_MAX)
        return self


class ScalingStatus(StatusShape):
    """Who chooses the number of replicas of the revision that serves, by what, and which it is."""

    autoscaler: str = Field(
        default="", max_length=63, description="KEDA, HorizontalPodAutoscaler, or none; empty while it is not known."
    )
    reason: str = Field(default="", max_length=64, description="One CamelCase word for programs.")
    message: str = Field(default="", max_length=2048, description="A sentence for people: who chooses, and by what.")
    guess: bool = Field(
        default=False, description="Whether the target is a guess, because nobody measured what a replica takes on."
    )
    desired_replicas: int = Field(default=0, ge=0, description="How many replicas the serving revision is to have.")
