"""What a training did, in MLflow: parameters, metrics by epoch, and at the end the figures of its variants.

Only when MLFLOW_TRACKING_URI is set; otherwise nothing is written and MLflow need not be there. Its experiment is
`modelyard`, or the one MLFLOW_EXPERIMENT_NAME names.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

URI, EXPERIMENT, OURS = "MLFLOW_TRACKING_URI", "MLFLOW_EXPERIMENT_NAME", "modelyard"
_LONGEST = 500


class Journal:
    """A run that is being written; without MLflow it writes nothing."""

    def __init__(self, mlflow: Any, run: str) -> None:
        self._mlflow, self.run = mlflow, run

    def params(self, values: Mapping[str, Any]) -> None:
        """Nested values by their path: distill.epochs."""
        if self._mlflow:
            self._mlflow.log_params({name: str(value)[:_LONGEST] for name, value in flat(values).items()})

    def metric(self, name: str, value: float, step: int = 0) -> None:
        """One figure of one epoch."""
        if self._mlflow:
            self._mlflow.log_metric(name, value, step=step)


@contextmanager
def journal(name: str, run: str = "") -> Iterator[Journal]:
    """A new run called `name`, or one to go on with; ValueError when MLflow is asked for and missing."""
    if not os.environ.get(URI):
        yield Journal(None, "")
        return
    try:
        import mlflow
    except ModuleNotFoundError as missing:
        raise ValueError(f"{URI} is set and MLflow is not here; install mlflow-skinny, or unset it") from missing
    if not run:
        mlflow.set_experiment(os.environ.get(EXPERIMENT) or OURS)
    with mlflow.start_run(run_id=run or None, run_name=None if run else name) as active:
        yield Journal(mlflow, active.info.run_id)


def flat(values: Mapping[str, Any], path: str = "") -> dict[str, Any]:
    """Nested mappings as one, keys joined by dots; what is not set is left out."""
    flattened: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, Mapping):
            flattened |= flat(value, f"{path}{key}.")
        elif value is not None:
            flattened[f"{path}{key}"] = value
    return flattened
