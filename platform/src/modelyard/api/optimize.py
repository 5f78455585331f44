"""`spec.optimize`: try smaller and faster variants of the entry, and serve the best that keeps its quality.

Everything but `wait` decides what is made, so everything but `wait` is in the digest of the optimized build: one
that is in the store is never made twice, whatever Model of that name asks for it.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from .optimization import Goal
from .quantity import Budget, Percent, fraction, seconds
from .shape import Shape, cel

_SAY_ONCE = "write each precision once, such as [fp32, int8]"


class Precision(StrEnum):
    """What the heavy arithmetic or the stored weights are in."""

    FP32 = "fp32"
    FP16 = "fp16"
    BF16 = "bf16"
    INT8 = "int8"
    INT4 = "int4"


def _each_once(precisions: list[Precision]) -> list[Precision]:
    if len(set(precisions)) != len(precisions):
        raise ValueError(_SAY_ONCE)
    return precisions


Precisions = Annotated[
    list[Precision],
    Field(
        min_length=1,
        max_length=len(Precision),
        json_schema_extra={
            "x-kubernetes-validations": [dict(cel("self.all(i, self.filter(j, j == i).size() == 1)", _SAY_ONCE))]
        },
    ),
    AfterValidator(_each_once),
]


class Optimize(Shape):
    """What an optimization is for, what it may cost, and how long it may take."""

    goal: Goal = Field(
        default="latency",
        description="What is to become better: latency, throughput, size, or cost: the fewest cores for 1,000 requests "
        "a second that keep slo.latency, by measurement under load; CPUs only.",
    )
    max_quality_loss: Percent = Field(
        default="1%", description='Share of the quality on the evaluation set that may be lost, such as "1%".'
    )
    precisions: Precisions = Field(
        default=[Precision.FP32, Precision.FP16, Precision.INT8, Precision.INT4],
        description="Which may be tried: fp32, fp16, bf16, int8, int4.",
    )
    budget: Budget = Field(default="10m", description="How long variants are tried, from 30s to 24h.")
    wait: bool = Field(
        default=False,
        description="Serve nothing of a new version before it is optimized; otherwise it serves as it is meanwhile.",
    )
    train: bool = Field(
        default=False,
        description="First run the entry's training/recipe.yaml (pruning, distillation, quantization-aware training), "
        "where the platform allows it: config.build.trainImage.",
    )

    @property
    def budget_seconds(self) -> float:
        """`budget` in seconds: how long variants are tried."""
        return seconds(self.budget)

    def options(self, target: str) -> dict[str, Any]:
        """Build options, equal for equal specs however they were written; `target` is cpu or gpu."""
        options = {
            "goal": "throughput" if self.goal == "cost" and target != "cpu" else self.goal,
            "maxQualityLoss": fraction(self.max_quality_loss),
            "precisions": [precision.value for precision in _in_order(self.precisions)],
            "budget": self.budget_seconds,
            "target": target,
        }
        return {"optimize": {**options, "train": True} if self.train else options}


def _in_order(precisions: Sequence[Precision]) -> list[Precision]:
    """As `Precision` lists them."""
    return [precision for precision in Precision if precision in precisions]
