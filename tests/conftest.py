"""Fixtures that several rooms of tests share, and what is left out: what takes long, and what this machine lacks.

What is left out is deselected and named at the end; a skipped test counts as failed in `make test`. Processes take
tests from each other, so any may come first in its file or alone: MODELYARD_ORDER=backwards finds those that cannot.
"""

import os
import signal

import pytest

from modelyard.builder.conversion.frameworks.catalogue import TENSORFLOW
from modelyard.builder.conversion.frameworks.environment import is_installed
from modelyard.builder.optimization.training import environment
from tests.support.operator.hesitation import hesitate

pytest_plugins = ["tests.support.operator.real_apiserver", "tests.support.servers.store"]


def missing() -> dict[str, str]:
    """Why tests with a marker cannot run here."""
    found = {"torch": environment.against() or ""}
    if not os.environ.get("MODELYARD_TFLITE_PYTHON"):
        found["tflite"] = "MODELYARD_TFLITE_PYTHON names no Python with onnx2tf and ai-edge-litert."
    if not os.environ.get("MODELYARD_MLFLOW_PYTHON"):
        found["mlflow"] = "MODELYARD_MLFLOW_PYTHON names no Python with mlflow."
    if not is_installed(TENSORFLOW):
        found["tensorflow"] = "TensorFlow's packages are not in the cache: `modelyard push model.keras` installs them."
    if not os.environ.get("MODELYARD_WORKFLOW_BIN"):
        found["workflows"] = "MODELYARD_WORKFLOW_BIN names no folder with act, actionlint, dvc and zizmor."
    if not os.environ.get("MODELYARD_AIRFLOW_PYTHON"):
        found["airflow"] = "MODELYARD_AIRFLOW_PYTHON names no Python with apache-airflow."
    if not os.environ.get("MODELYARD_WANDB_PYTHON"):
        found["wandb"] = "MODELYARD_WANDB_PYTHON names no Python with wandb."
    if not os.environ.get("MODELYARD_PROOF"):
        found["proof"] = "it takes long: `make proof`."
    return {marker: reason for marker, reason in found.items() if reason}


def pytest_configure(config: pytest.Config) -> None:
    if os.environ.get("MODELYARD_HESITATION"):
        hesitate()
    config.addinivalue_line("markers", "proof: takes long; left to `make proof`, which sets MODELYARD_PROOF=1.")
    # A shell's background job ignores Ctrl-C, and so would every program of a test that sends it one.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    # Programs of tests are started as those of Modelyard are, away from the working directory.
    places = [str(config.rootpath), os.environ.get("PYTHONPATH", "")]
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, places))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    reasons = missing()
    out = [item for item in items if any(item.get_closest_marker(marker) for marker in reasons)]
    config.hook.pytest_deselected(items=out)
    items[:] = [item for item in items if item not in out]
    if os.environ.get("MODELYARD_ORDER") == "backwards":
        items.reverse()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for marker, reason in missing().items():
        terminalreporter.write_line(f"left out: tests marked {marker}: {reason}")
