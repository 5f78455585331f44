"""What a TensorRT plan is made for: shapes, a GPU, a version. It runs nowhere else, so that is written beside it.

optimisation profile   for every dynamic dimension the least, the usual and the largest size; dimension 0 is the
                       batch, the others take the sizes the evaluation set has
facts                  model.json beside model.plan: TensorRT's version, the GPU's name and compute capability
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from modelyard.builder.evaluation.evaluation_data import EvaluationData
from modelyard.builder.inspection.graph import Port
from modelyard.errors import UnsupportedModel

Shape = tuple[int, ...]
PLAN, FACTS, TIMING_CACHE = "model.plan", "model.json", "timing.cache"


class PlanFacts(BaseModel):
    """What a plan was built with; `profiles` as `profiles()` returns them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tensorrt: str
    gpu: str
    capability: str
    precision: str
    profiles: dict[str, tuple[Shape, Shape, Shape]]


def profiles(
    ports: Sequence[Port], evaluation: EvaluationData | None, batches: Sequence[int]
) -> dict[str, tuple[Shape, Shape, Shape]]:
    """TensorRT's optimisation profile: (least, usual, largest) shape by input name, of inputs with dynamic dimensions.

    `batches` are three sizes of dimension 0, ascending; other dynamic dimensions go from 1 to the size that the arrays
    in `evaluation` have. Raises UnsupportedModel when `evaluation` does not show such a size.
    """
    by_name = {}
    for port in ports:
        dims = port.dims or ()
        if all(isinstance(dim, int) for dim in dims):
            continue
        array = evaluation.inputs.get(port.name) if evaluation is not None else None
        sizes = [_sizes(port, place, array, batches) for place in range(len(dims))]
        least, usual, largest = (tuple(size[i] for size in sizes) for i in range(3))
        by_name[port.name] = (least, usual, largest)
    return by_name


def against_here(facts: PlanFacts, tensorrt: str, gpu: str, capability: str) -> str | None:
    """Why a plan must not be run with this TensorRT on this GPU of this compute capability; None when it may."""
    if facts.gpu != gpu or facts.capability != capability:
        return (
            f"the plan was built for {facts.gpu} (compute capability {facts.capability}) and this is {gpu} "
            f"({capability}); build it again on this GPU."
        )
    if facts.tensorrt != tensorrt:
        return f"the plan was built with TensorRT {facts.tensorrt} and this is {tensorrt}; build it again."
    return None


def _sizes(port: Port, place: int, array: Any, batches: Sequence[int]) -> tuple[int, int, int]:
    dim = (port.dims or ())[place]
    if isinstance(dim, int):
        return dim, dim, dim
    if place == 0:
        return batches[0], batches[1], batches[2]
    if array is None or place >= array.ndim:
        raise UnsupportedModel(
            f"dimension {place} of the input {port.name!r} is dynamic, and TensorRT must know its usual size; "
            "add an eval.npz with real inputs."
        )
    usual = int(array.shape[place])
    return 1, usual, usual


def facts_from(text: str) -> PlanFacts:
    """The facts in the text of a model.json; raises pydantic's ValidationError when it is not one."""
    return PlanFacts.model_validate_json(text)


def recorded(plan: Path) -> PlanFacts:
    """The facts in the model.json beside `plan`; raises UnsupportedModel when they are missing or damaged."""
    try:
        return facts_from((plan.parent / FACTS).read_text())
    except (OSError, UnicodeDecodeError, ValidationError) as bad:
        words = f"the plan's record ({FACTS} beside it) is missing or damaged; build the plan again."
        raise UnsupportedModel(words) from bad


def profiles_as_json(profile: Mapping[str, tuple[Shape, Shape, Shape]]) -> dict[str, list[list[int]]]:
    """Profiles of `profiles` as JSON holds them: by input name, three lists of sizes."""
    return {name: [list(shape) for shape in shapes] for name, shapes in profile.items()}
