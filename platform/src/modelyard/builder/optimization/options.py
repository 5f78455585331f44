"""What an optimized build is asked for: `modelyard build --optimize JSON`, and the Job that `spec.optimize` makes.

    {"goal": "latency", "maxQualityLoss": 0.01, "precisions": ["fp32", "int8"], "budget": 600, "target": "cpu"}

Everything may be left out, and what a spec says ("1%", "10m") means the same. `"train": true` runs the entry's
training recipe first. The options are part of the build's
digest, so they are always written in one way.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from modelyard.api.optimization import Goal, Runtime
from modelyard.api.quantity import fraction, seconds
from modelyard.builder.inference.hardware import this_machine
from modelyard.errors import InvalidSettings

from .optimizer import OptimizationRequest
from .pass_api import Precision

RUNTIMES: dict[str, tuple[Runtime, ...]] = {"cpu": ("onnxruntime", "openvino"), "gpu": ("onnxruntime", "tensorrt")}
"""Those a Triton for that hardware has."""


class _RequestedOptions(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, extra="forbid", frozen=True)

    goal: Goal = "latency"
    max_quality_loss: Annotated[
        float, BeforeValidator(lambda given: fraction(given) if isinstance(given, str) else given), Field(gt=0, lt=1)
    ] = 0.01
    precisions: tuple[Precision, ...] = Field(
        (Precision.FP32, Precision.FP16, Precision.INT8, Precision.INT4), min_length=1
    )
    budget: Annotated[
        float,
        BeforeValidator(lambda given: seconds(given) if isinstance(given, str) else given),
        Field(gt=0, allow_inf_nan=False),
    ] = 600.0
    target: Literal["cpu", "gpu"] | None = None
    train: bool = False


@dataclass(frozen=True)
class OptimizationOptions:
    """A goal, the share of the quality that may be lost, seconds, the hardware it is for; `train` runs the recipe."""

    goal: Goal
    bound: float
    precisions: tuple[Precision, ...]
    budget: float
    target: Literal["cpu", "gpu"]
    train: bool = False

    @property
    def options(self) -> dict[str, Any]:
        """As the digest of the build has them; the same as `api.optimize.Optimize.options`."""
        wanted = {
            "goal": self.goal,
            "maxQualityLoss": self.bound,
            "precisions": [one.value for one in self.precisions],
            "budget": self.budget,
            "target": self.target,
        }
        return {"optimize": {**wanted, "train": True} if self.train else wanted}

    def order(self, path: Path, out: Path) -> OptimizationRequest:
        """The engine's order for a model at PATH; raises InvalidSettings when this machine is of no use for it."""
        hardware = this_machine()
        if self.target == "gpu" and hardware.gpu is None:
            raise InvalidSettings(
                "this optimization is for a GPU, and onnxruntime has none here: run it where onnxruntime-gpu and an "
                "NVIDIA GPU are (build.gpuImage in the cluster), or for the target cpu."
            )
        return OptimizationRequest(
            path=path,
            goal=self.goal,
            bound=self.bound,
            precisions=self.precisions,
            budget=self.budget,
            seed=1,
            out=out,
            runtimes=RUNTIMES[self.target],
            leftover=True,
            hardware=hardware if self.target == "gpu" else replace(hardware, gpu=None),
        )


def wish(text: str, target: Literal["cpu", "gpu"]) -> OptimizationOptions:
    """What the JSON asks for on a target; raises InvalidSettings naming the field that is not usable."""
    try:
        asked = _RequestedOptions.model_validate_json(text)
    except ValidationError as bad:
        first = bad.errors()[0]
        field = ".".join(str(part) for part in first["loc"]) or "it"
        raise InvalidSettings(f"--optimize {text!r}: {field} is not usable: {first['msg']}; correct it.") from bad
    if asked.target not in (None, target):
        raise InvalidSettings(f"--optimize is for the target {asked.target} and the build is for {target}; agree.")
    ordered = tuple(one for one in Precision if one in asked.precisions)
    return OptimizationOptions(asked.goal, asked.max_quality_loss, ordered, asked.budget, target, asked.train)
