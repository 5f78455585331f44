"""A tiny entry to optimize: rows of four numbers, three classes, an evaluation set the model gets right."""

from pathlib import Path
from typing import Any

import numpy as np
import yaml
from onnx import helper, numpy_helper

from modelyard.builder.optimization.optimizer import OptimizationRequest
from modelyard.builder.optimization.pass_api import Precision
from modelyard.builder.optimization.trials.timing import TimingBudget
from tests.support.artifacts import onnx_models as models
from tests.unit.builder.optimization import tiny_passes

WEIGHTS = np.random.default_rng(1).normal(size=(4, 3)).astype(np.float32)
ROWS = np.random.default_rng(2).normal(size=(40, 4)).astype(np.float32)


def proto() -> Any:
    """logits = rows x WEIGHTS."""
    node = helper.make_node("MatMul", ["rows", "weights"], ["logits"])
    weights = numpy_helper.from_array(WEIGHTS, "weights")
    return models.model([node], [models.value("rows", ("n", 4))], [models.value("logits", ("n", 3))], [weights])


def an_entry(folder: Path, described: str = "", **arrays: Any) -> Path:
    """An entry folder; `described` makes the file larger, `arrays` replace those of eval.npz."""
    model = proto()
    model.doc_string = described
    models.saved(model, folder / "model.onnx")
    logits = ROWS @ WEIGHTS
    held = {"input:rows": ROWS, "output:logits": logits, "labels": logits.argmax(axis=1), **arrays}
    np.savez(folder / "eval.npz", **held)
    metadata = {"name": "tiny", "version": "1", "framework": "numpy", "task": "other"}
    (folder / "modelyard.yaml").write_text(yaml.safe_dump(metadata))
    return folder


def a_file(path: Path) -> Path:
    """The same model alone, without an evaluation set."""
    return models.saved(proto(), path)


def an_order(path: Path, out: Path, **changes: Any) -> OptimizationRequest:
    """Optimize for latency at 1 % loss with the tiny passes, in three rounds of short turns."""
    facts: dict[str, Any] = {
        "goal": "latency", "bound": 0.01, "precisions": (Precision.FP32, Precision.INT8), "budget": 900.0, "seed": 1,
        "passes": tiny_passes.WHERE, "memory": 8 << 30, "pace": TimingBudget(rounds=3, patience=0.5, turn=0.02),
    }  # fmt: skip
    return OptimizationRequest(path=path, out=out, **{**facts, **changes})
