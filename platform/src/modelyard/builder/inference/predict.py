"""A model's answers to given inputs, from a process of its own (`probe`): the file may be hostile, or simply broken."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modelyard.builder.evaluation.evaluation_set import read_arrays

from .probe import ANSWERS
from .sandbox import confined


@dataclass(frozen=True)
class Question:
    """What a model is run on: inputs as an .npz by tensor name; threads, GPU or not, and a limit of memory in bytes."""

    inputs: Path
    threads: int
    batchable: bool
    gpu: bool = False
    memory: int | None = None


@dataclass(frozen=True)
class Answer:
    """Arrays by output name, the seconds it took and the most memory the process had, in bytes."""

    outputs: dict[str, Any]
    seconds: float
    peak_memory: int


def ask(model: Path, question: Question, folder: Path, seconds: float) -> Answer:
    """The model's outputs for the question's inputs, from a process that ends after `seconds`; its files are in FOLDER.

    Raises UnsupportedModel when the runtime refuses the model, HostFailure when the machine failed, and
    sandbox.WorkerDied when the process ended without an answer.
    """
    folder.mkdir(parents=True, exist_ok=True)
    job, result = folder / "ask.json", folder / "asked.json"
    facts = {"threads": question.threads, "gpu": question.gpu, "batchable": question.batchable}
    job.write_text(json.dumps({"model": str(model), "inputs": str(question.inputs), **facts}))
    arguments = ["answer", str(job), str(result)]
    module = "modelyard.builder.inference.probe"
    figures = confined(module, arguments, result, seconds, memory=question.memory, gpu=question.gpu)
    return Answer(read_arrays(folder / ANSWERS), figures["seconds"], figures["peakMemory"])
