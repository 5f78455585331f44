"""What a model answers to rows, from a process of its own: what a recipe made may be broken, or hostile."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from modelyard.builder.artifacts.source import ModelSource
from modelyard.builder.evaluation.evaluation_set import write_arrays
from modelyard.builder.inference.hardware import cores
from modelyard.builder.inference.predict import Question, ask
from modelyard.builder.inference.sandbox import WorkerDied, meaning
from modelyard.errors import HostFailure, UnsupportedModel

_SECONDS = 900.0


class ModelQuestion(NamedTuple):
    """Arrays by input name; `rows` says that dimension 0 of all of them is a batch."""

    inputs: Mapping[str, Any]
    rows: bool = True


def answers_of(model: ModelSource, asked: ModelQuestion, scratch: Path) -> dict[str, Any]:
    """Arrays by output name. Raises UnsupportedModel when it gives none, HostFailure when the machine failed."""
    scratch.mkdir(parents=True, exist_ok=True)
    inputs = write_arrays(asked.inputs, scratch / "asked.npz")
    try:
        return ask(model.model, Question(inputs.absolute(), cores(), asked.rows), scratch, _SECONDS).outputs
    except WorkerDied as death:
        meant = meaning(death, _SECONDS)
        if isinstance(meant, HostFailure):
            raise meant from death
        raise UnsupportedModel(f"what was trained gives no answers to the held-out rows: it {death.fate}.") from death
