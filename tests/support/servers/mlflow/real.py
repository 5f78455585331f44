"""A real MLflow server: SQLite and a folder, started by the Python that MODELYARD_MLFLOW_PYTHON names.

Tests with the marker `mlflow` need it; they are left out where the variable names none. That Python has `mlflow`, not
only its skinny form, and for `log_onnx` onnx and onnxruntime.
"""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.support.servers.store import free_ports

PYTHON = "MODELYARD_MLFLOW_PYTHON"
_QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    "MLFLOW_WEBHOOK_ALLOWED_SCHEMES": "http,https",
    "MLFLOW_WEBHOOK_ALLOW_PRIVATE_IPS": "true",
}
_START_SECONDS = 240


@dataclass
class RealMlflow:
    """A server in `folder` that can be stopped and started again at the same address."""

    folder: Path
    port: int
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Returns once it answers."""
        python = os.environ[PYTHON]
        command = [
            python, "-m", "mlflow", "server", "--backend-store-uri", f"sqlite:///{self.folder / 'mlflow.db'}",
            "--artifacts-destination", str(self.folder / "artifacts"), "--workers", "1", "--host", "127.0.0.1",
            "--port", str(self.port),
        ]  # fmt: skip
        with (self.folder / "mlflow.log").open("ab") as sink:
            environment = {**os.environ, **_QUIET, "PYTHONPATH": ""}
            self.process = subprocess.Popen(
                command, stdout=sink, stderr=sink, env=environment, cwd=self.folder, start_new_session=True
            )
        end = time.monotonic() + _START_SECONDS
        while time.monotonic() < end and self.process.poll() is None:
            try:
                if httpx.get(f"{self.url}/health", timeout=5, trust_env=False).is_success:
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.2)
        self.stop()
        raise RuntimeError(f"MLflow did not start:\n{(self.folder / 'mlflow.log').read_text()[-2000:]}")

    def stop(self) -> None:
        """Ends it and the processes it started."""
        if self.process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.process = None

    def run(self, program: str) -> str:
        """A program of somebody's with MLflow's own client; what it printed."""
        environment = {**os.environ, **_QUIET, "PYTHONPATH": "", "MLFLOW_TRACKING_URI": self.url}
        command = [os.environ[PYTHON], "-c", program]
        done = subprocess.run(
            command, env=environment, cwd=self.folder, capture_output=True, text=True, timeout=300, check=False
        )
        assert done.returncode == 0, done.stderr[-3000:]
        return done.stdout


@contextmanager
def real_mlflow(folder: Path) -> Iterator[RealMlflow]:
    """A server that runs, in a folder of its own."""
    server = RealMlflow(folder, free_ports(1)[0])
    server.start()
    try:
        yield server
    finally:
        server.stop()
