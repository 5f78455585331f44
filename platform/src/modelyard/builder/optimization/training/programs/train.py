"""A recipe from first to last. Every stage leaves an ONNX file, so that each can be measured and judged:

pruned, student      what is smaller; a student is written only when it has learnt
...-distilled        the same after learning from the teacher
...-qat              the same with int8 inside
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor, nn

from . import fit, prune_sparse, prune_structured, qat
from .authored import Authored
from .export import answers, export
from .tracking.journal import Journal

_CLOSE, _CLOSE_ROUNDED = 1e-3, 0.1
"""Share of the largest answer by which a file may differ; where int8 rounds, a hair can tip a step."""
QAT_RATE = 0.1
"""Share of the recipe's learning rate: weights only settle on what int8 can say."""


@dataclass(frozen=True)
class Ports:
    """Tensor names of the entry's model."""

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


@dataclass
class TrainingJob:
    """What one training works with; `stages` holds what it made so far, as JSON, with paths below `out`."""

    authored: Authored
    ports: Ports
    out: Path
    tell: Callable[[str], None]
    journal: Journal
    stages: list[dict[str, Any]] = field(default_factory=list)

    @property
    def recipe(self) -> Mapping[str, Any]:
        """The entry's recipe.yaml, with all defaults filled in."""
        return self.authored.recipe

    @cached_property
    def taught(self) -> Tensor:
        """The teacher's answers to all training rows."""
        self.tell("asking the teacher")
        return fit.answered(self.authored.teacher(), self.authored.train.inputs)

    def learn(self, network: nn.Module, name: str, plan: fit.TrainingPlan, after: Callable[[], None]) -> None:
        """Trains the network in place; every epoch is told and logged. `after` is called after each step."""

        def on_epoch(epoch: int, loss: float) -> None:
            self.tell(f"training {name}: epoch {epoch} of {plan.epochs}, loss {loss:.4f}")
            self.journal.metric(f"{name}/loss", loss, epoch)

        fit.fit(network, self.taught, self.authored.train, plan, on_epoch, after)

    def write(self, network: nn.Module, name: str, passes: list[str], precision: str = "fp32") -> None:
        """Adds a stage: its ONNX file, and what can be said of the network."""
        rows = self.authored.calibration
        facts = {
            "score": fit.score(network, rows),
            "parameters": prune_structured.parameters(network),
            "zeros": prune_sparse.zeros(network),
        }
        for fact, value in facts.items():
            self.journal.metric(f"{name}/{fact}", value)
        self.tell(f"exporting {name}")
        path = f"{name}/model.onnx"
        made = network if precision == "fp32" else qat.fixed(network)
        written(made, rows.inputs, self.ports, self.out / path)
        self.journal.digest(name, self.out / path)
        self.stages.append({"name": name, "path": path, "passes": passes, "precision": precision, **facts})


def train(job: TrainingJob) -> list[dict[str, Any]]:
    """Runs all stages of the recipe and gives them as JSON: name, path, passes, precision, score, parameters, zeros.

    ValueError with a sentence when something in the recipe cannot be done.
    """
    recipe, name, passes, after = job.recipe, "", [], _nothing
    network = job.authored.original()
    if recipe["prune"]:
        network, after = _pruned(network, recipe["prune"], job)
        name, passes = "pruned", ["prune"]
        job.write(network, name, passes)
    elif recipe["student"] is not None:
        network, name, passes = job.authored.network(recipe["student"]), "student", ["student"]
    if recipe["distill"] and (name or not recipe["search"]):  # with nothing smaller, it is for what a search finds
        name, passes = _then(name, "distilled"), [*passes, "distill"]
        job.learn(network, name, fit.plan_of(recipe, recipe["distill"]["epochs"]), after)
        job.write(network, name, passes)
    if recipe["qat"]:
        name, passes = _then(name, "qat"), [*passes, "qat"]
        network = quantized(network, job, name, sparse=after is not _nothing)
        job.write(network, name, passes, "int8")
    return job.stages


def quantized(network: nn.Module, job: TrainingJob, name: str, *, sparse: bool) -> nn.Module:
    """The network after quantization-aware training; a sparse one keeps its zeros."""
    made, recipe = qat.prepared(network), job.recipe
    plan = fit.plan_of(recipe, recipe["qat"]["epochs"])
    after = prune_sparse.keeper(made, prune_sparse.present(made)) if sparse else _nothing
    job.learn(made, name, fit.TrainingPlan(**{**vars(plan), "rate": QAT_RATE * plan.rate}), after)
    return made


def written(network: nn.Module, sample: tuple[Tensor, ...], ports: Ports, path: Path) -> None:
    """Exports, and compares the file's answers with the network's; ValueError when they differ."""
    if len(sample) != len(ports.inputs):
        raise ValueError(f"the data gives {len(sample)} inputs and model.onnx has {', '.join(ports.inputs)}")
    if len(sample[0]) < 2:
        raise ValueError("the calibration data needs two rows at least")
    path.parent.mkdir(parents=True, exist_ok=True)
    few = tuple(array[:2] for array in sample)
    expected = fit.answered(network, few).numpy()
    export(network, few, ports.inputs, ports.outputs, path)
    answer = answers(path, dict(zip(ports.inputs, (array.numpy() for array in few), strict=True)))[0]
    furthest = float(np.abs(answer - expected).max())
    rounds = any(isinstance(module, qat.Rounded) for module in network.modules())
    if furthest > (_CLOSE_ROUNDED if rounds else _CLOSE) * max(1.0, float(np.abs(expected).max())):
        raise ValueError(f"{path.name} answers otherwise than the network, by up to {furthest:.3g}; export is wrong")


def _pruned(network: nn.Module, settings: Mapping[str, Any], job: TrainingJob) -> tuple[nn.Module, Callable[[], None]]:
    job.tell(f"pruning ({settings['kind']})")
    if settings["kind"] == "structured":
        sample = tuple(array[:2] for array in job.authored.calibration.inputs)
        return prune_structured.prune(network, sample, settings["ratio"]), _nothing
    dropped = settings["kind"] == "unstructured"
    masks = prune_sparse.unstructured(network, settings["ratio"]) if dropped else prune_sparse.two_of_four(network)
    keep = prune_sparse.keeper(network, masks)
    keep()
    return network, keep


def _then(name: str, more: str) -> str:
    return f"{name}-{more}" if name else more


def _nothing() -> None:
    """No mask to hold."""
