"""MLflow, by its own package: the server and its login are in MLflow's own variables.

Its client would ask a server that is away for minutes; a training does not wait for it that long.
"""

import os
from collections.abc import Mapping

import mlflow  # type: ignore[import-not-found]

from .tracker import PROJECT

EXPERIMENT = "MLFLOW_EXPERIMENT_NAME"
_PATIENCE = {"MLFLOW_HTTP_REQUEST_TIMEOUT": "15", "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1"}


class MlflowTracker:
    """A run of the experiment `modelyard`, or of the one MLFLOW_EXPERIMENT_NAME names."""

    def __init__(self, name: str, run: str) -> None:
        for variable, value in _PATIENCE.items():
            os.environ.setdefault(variable, value)
        if not run:
            mlflow.set_experiment(os.environ.get(EXPERIMENT) or PROJECT)
        started = mlflow.start_run(run_id=run or None, run_name=None if run else name)
        self.run: str = started.info.run_id

    def params(self, values: Mapping[str, str]) -> None:
        """As parameters of the run."""
        mlflow.log_params(dict(values))

    def metric(self, name: str, value: float, step: int) -> None:
        """As a metric at a step."""
        mlflow.log_metric(name, value, step=step)

    def text(self, name: str, value: str) -> None:
        """As a tag, which has dots where names have slashes."""
        mlflow.set_tag(name.replace("/", "."), value)

    def close(self, failed: bool) -> None:
        """Ends the run, until another process goes on with it."""
        mlflow.end_run("FAILED" if failed else "FINISHED")
