"""An entry with a recipe, made in the environment that has torch; without that nothing here runs."""

import importlib.util
import subprocess
from pathlib import Path
from shutil import copytree
from typing import Any

import numpy as np
import onnxruntime
import pytest
import yaml

import modelyard.builder.optimization.training
from modelyard.builder.optimization.optimizer import OptimizationRequest
from modelyard.builder.optimization.pass_api import Precision
from modelyard.builder.optimization.training.environment import python
from modelyard.builder.optimization.trials.timing import TimingBudget

HERE = Path(__file__).resolve().parent
TINY = HERE.parents[1] / "support" / "tiny_training"
PROGRAMS = Path(modelyard.builder.optimization.training.__file__).parent
RECIPE: dict[str, Any] = {
    "module": "module.py:Network",
    "architecture": {"width": 64, "depth": 3},
    "weights": "weights.safetensors",
    "data": "data.py:load",
    "prune": {"ratio": 0.5},
    "distill": {"epochs": 3},
    "qat": {"epochs": 1},
    "search": {"width": [8, 16], "depth": [1], "kernel": [3, 2], "trials": 4, "epochs": 12},
    "seed": 5,
    "batch": 32,
    "rate": 0.01,
}


def held_out() -> tuple[np.ndarray, np.ndarray]:
    spec = importlib.util.spec_from_file_location("tiny_data", TINY / "data.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.load("held-out")


@pytest.fixture(scope="session")
def entry(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What an author brings: model, evaluation set, and a training folder."""
    folder = tmp_path_factory.mktemp("entry")
    copytree(TINY, folder / "training")
    command = [python(), "-I", str(HERE / "entry_program.py"), str(PROGRAMS), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    pictures, labels = held_out()
    session = onnxruntime.InferenceSession(str(folder / "model.onnx"), providers=["CPUExecutionProvider"])
    logits = np.asarray(session.run(["logits"], {"picture": pictures})[0])
    np.savez(folder / "eval.npz", **{"input:picture": pictures, "output:logits": logits}, labels=labels)
    said = {"name": "tiny", "version": "1", "framework": "pytorch", "task": "other"}
    (folder / "modelyard.yaml").write_text(yaml.safe_dump(said))
    (folder / "training" / "recipe.yaml").write_text(yaml.safe_dump(RECIPE))
    return folder


def an_order(entry: Path, out: Path) -> OptimizationRequest:
    return OptimizationRequest(
        entry, "latency", 0.05, (Precision.FP32, Precision.INT8), 300.0, 1, out, pace=TimingBudget(3, 0.5, 0.02)
    )
