"""What a training run takes from its entry."""

from pathlib import Path

import numpy as np

from modelyard.builder.artifacts.source import read_source
from modelyard.builder.evaluation.evaluation_set import read_arrays
from modelyard.builder.optimization.training.recipe import TrainingRecipe
from modelyard.builder.optimization.training.training_run import TrainingRun
from tests.support.artifacts import onnx_models as models


def test_an_evaluation_set_under_the_models_own_names_is_given_in_full(tmp_path: Path) -> None:
    rows = np.ones((2, 3), np.float32)
    models.saved(models.doubling(), tmp_path / "entry" / "model.onnx")
    np.savez(tmp_path / "entry" / "eval.npz", x=rows, y=2 * rows)
    run = TrainingRun(read_source(tmp_path / "entry"), TrainingRecipe.model_construct(), tmp_path / "trained")

    assert set(read_arrays(run.evaluation)) == {"input:x", "output:y"}
