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
        float, BeforeValidator(lambda value: fraction(value) if isinstance(value, str) else value), Field(gt=0, lt=1)
    ] = 0.01
    precisions: tuple[Precision, ...] = Field(
        (Precision.FP32, Precision.FP16, Precision.INT8, Precision.INT4), min_length=1
    )
    budget: Annotated[
        float,
        BeforeValidator(lambda value: seconds(value) if isinstance(value, str) else value),
        Field(gt=0, allow_inf_nan=False),
    ] = 600.0
    target: Literal["cpu", "gpu"] | None = None
    train: bool = False


@dataclass(frozen=True)
class OptimizationOptions:
    """What an optimized build is asked for: `bound` is the quality loss allowed (0 to 1), `budget` is in seconds.

    `train` runs the entry's training recipe first. With `leftover` a search gets what the recipes leave of the budget,
    which is no part of the digest.
    """

    goal: Goal
    bound: float
    precisions: tuple[Precision, ...]
    budget: float
    target: Literal["cpu", "gpu"]
    train: bool = False
    leftover: bool = True

    @property
    def options(self) -> dict[str, Any]:
        """As the digest of the build has them; the same as `api.optimize.Optimize.options`."""
        values = {
            "goal": self.goal,
            "maxQualityLoss": self.bound,
            "precisions": [precision.value for precision in self.precisions],
            "budget": self.budget,
            "target": self.target,
        }
        return {"optimize": {**values, "train": True} if self.train else values}

    def request(self, path: Path, out: Path) -> OptimizationRequest:
        """The request to the optimizer for a model at PATH, with results in OUT.

        Raises InvalidSettings when the target is a GPU and this machine has none.
        """
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
            leftover=self.leftover,
            hardware=hardware if self.target == "gpu" else replace(hardware, gpu=None),
        )


def parse_options(text: str, target: Literal["cpu", "gpu"]) -> OptimizationOptions:
    """The options that the JSON of `--optimize` asks for on `target`, precisions in the order of `Precision`.

    Raises InvalidSettings naming the field that is not usable, or when the JSON is for another target.
    """
    try:
        requested = _RequestedOptions.model_validate_json(text)
    except ValidationError as bad:
        first = bad.errors()[0]
        field = ".".join(str(key) for key in first["loc"]) or "it"
        raise InvalidSettings(f"--optimize {text!r}: {field} is not usable: {first['msg']}; correct it.") from bad
    if requested.target not in (None, target):
        raise InvalidSettings(f"--optimize is for the target {requested.target} and the build is for {target}; agree.")
    ordered = tuple(precision for precision in Precision if precision in requested.precisions)
    return OptimizationOptions(
        requested.goal, requested.max_quality_loss, ordered, requested.budget, target, requested.train
    )
