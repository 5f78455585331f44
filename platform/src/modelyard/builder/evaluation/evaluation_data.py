"""What an answer is measured by: the arrays of an eval.npz together with the name of a metric."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from .evaluation_set import EVALUATION, read_arrays, read_tensors

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class EvaluationData:
    """The entry's eval.npz: arrays by tensor name, axis 0 = samples; labels when given; the metric that judges."""

    inputs: Mapping[str, np.ndarray]
    outputs: Mapping[str, np.ndarray]
    labels: np.ndarray | None
    metric: str


def evaluation_of(folder: Path, metric: str) -> EvaluationData:
    """FOLDER/eval.npz, whose arrays were found fitting before; raises InvalidEntry when it cannot be read."""
    path = folder / EVALUATION
    labels = read_arrays(path).get("labels")
    return EvaluationData(read_tensors(path, "input"), read_tensors(path, "output"), labels, metric)
