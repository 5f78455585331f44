"""Reads the original model in a process of its own: the file may be hostile, and nothing of it is known yet.

    python -m modelyard.builder.optimization.baseline PATH FOLDER RESULT

FOLDER gets model.onnx with its weights, eval.npz when there is one, and what `artifacts.validation` writes: whether
the model is batchable, and a sample with onnxruntime's answer. RESULT says the rest: name, digest, files, metric.
"""

import json
import shutil
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modelyard.builder.artifacts.served_form import make_servable
from modelyard.builder.artifacts.shared_layer import copy_judgement
from modelyard.builder.artifacts.source import read_source
from modelyard.builder.artifacts.validation import EVALUATION, MODEL, PROOF, gather
from modelyard.builder.evaluation.evaluation_data import EvaluationData, evaluation_of
from modelyard.builder.evaluation.evaluation_set import copy_evaluation, read_arrays, read_evaluation, read_tensors
from modelyard.builder.evaluation.metrics import metric_for
from modelyard.builder.inference.sandbox import WorkerDied, confined, meaning
from modelyard.builder.inspection.model_file import inspect
from modelyard.builder.inspection.onnx_graph import read_model
from modelyard.errors import BudgetTooSmall, InvalidEntry, ModelyardError

from .pass_api import ModelArtifact, Precision

_RESULT = "baseline.json"
_PRECISIONS = {10: Precision.FP16, 16: Precision.BF16, 2: Precision.INT8, 3: Precision.INT8}


@dataclass(frozen=True)
class Baseline:
    """The original model, copied into `folder` and checked.

    `digest` is the SHA-256 of the source, `files` are names below `folder`, `precision` is that of most weights;
    `reason` says why the metric is this one, both empty without eval.npz.
    """

    folder: Path
    name: str
    digest: str
    files: tuple[str, ...]
    precision: Precision
    batchable: bool
    metric: str
    reason: str

    @property
    def artifact(self) -> ModelArtifact:
        """The model file as passes take it."""
        return ModelArtifact(self.folder / MODEL, "onnx", self.precision)

    def evaluation(self) -> EvaluationData | None:
        """The evaluation set, when there is one."""
        if not self.metric:
            return None
        return evaluation_of(self.folder, self.metric)

    @property
    def rows(self) -> int:
        """Rows of the evaluation set, or of the sample."""
        return len(next(iter(self.arrays("output").values())))

    def arrays(self, kind: str) -> dict[str, Any]:
        """The `input`s or expected `output`s by tensor name, from eval.npz or the made-up sample."""
        return read_tensors(self.folder / (EVALUATION if self.metric else PROOF), kind)


def read_baseline(path: Path, scratch: Path, seconds: float) -> Baseline:
    """Copies the model of PATH to SCRATCH/original and reads what it is, in a subprocess, within `seconds`.

    Raises InvalidEntry or UnsupportedModel for what is wrong with the model, BudgetTooSmall when the time is up.
    """
    scratch.mkdir(parents=True, exist_ok=True)
    folder, result = scratch / "original", scratch / _RESULT
    arguments = [str(path.absolute()), str(folder), str(result)]
    try:
        facts = confined("modelyard.builder.optimization.baseline", arguments, result, seconds)
    except WorkerDied as death:
        raise ended_early(death, seconds) from death
    precision = Precision(facts.pop("precision"))
    return Baseline(folder=folder, precision=precision, files=tuple(facts.pop("files")), **facts)


def ended_early(death: WorkerDied, seconds: float) -> Exception:
    """The error to raise when the process that read or ran the original ended early.

    BudgetTooSmall when it was stopped after `seconds`, else what its exit code means.
    """
    if death.code is not None:
        return meaning(death, seconds)
    return BudgetTooSmall(
        f"A budget of {seconds:g} s is too small: reading and asking the original alone takes longer; give more "
        "(--budget, in a Model spec.optimize.budget)."
    )


def gathered(path: Path, folder: Path) -> dict[str, Any]:
    """Copies and runs the model; gives the fields of `Baseline` but `folder`, as JSON.

    Raises InvalidEntry or UnsupportedModel.
    """
    source = read_source(path)
    source.needs_onnx("variants are made of ONNX models")
    folder.mkdir(parents=True, exist_ok=True)
    files = dict(source.files)
    files.pop(MODEL)
    shutil.copyfile(source.model, folder / MODEL)
    for name, file in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, folder / name)
    make_servable(folder / MODEL)
    metric = reason = ""
    if source.evaluation:
        copy_evaluation(source.evaluation, source.graph, folder / EVALUATION)
        copy_judgement(source, folder)
        evaluation = read_evaluation(folder / EVALUATION, inspect(folder / MODEL))
        labels = read_arrays(folder / EVALUATION).get("labels")
        if evaluation.rows == 0:
            raise InvalidEntry("eval.npz needs the same number of rows in dimension 0 of every array; correct it.")
        named = source.metadata.metrics if source.metadata else {}
        choice = metric_for(named, evaluation.outputs, labels)
        metric, reason = choice.name, choice.reason
    return {
        "name": f"{source.name}:{source.metadata.version}" if source.metadata else source.name,
        "digest": source.digest(),
        "files": [MODEL, *files],
        "precision": _precision(folder / MODEL),
        "batchable": gather(folder, deterministic=source.deterministic)["batchable"],
        "metric": metric,
        "reason": reason,
    }


def _precision(path: Path) -> str:
    """What most of the weights are in; fp32 when they are in nothing special."""
    from math import prod

    held: Counter[int] = Counter()
    for tensor in read_model(path).graph.initializer:
        held[tensor.data_type] += prod(tensor.dims)
    return _PRECISIONS.get(held.most_common(1)[0][0] if held else 1, Precision.FP32).value


def main(path: Path, folder: Path, result: Path) -> int:
    """Writes the fields of the baseline, or the error as {"reason", "message"}; 0 in both cases."""
    try:
        outcome = gathered(path, folder)
    except ModelyardError as bad:
        outcome = {"error": {"reason": bad.reason, "message": str(bad)}}
    result.write_text(json.dumps(outcome))
    return 0


if __name__ == "__main__":
    sys.exit(main(*(Path(argument) for argument in sys.argv[1:4])))
