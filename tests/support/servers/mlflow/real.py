"""A real MLflow server: SQLite and a folder, started by the Python that MODELYARD_MLFLOW_PYTHON names.

Tests with the marker `mlflow` need it; they are left out where the variable names none. That Python has `mlflow[auth]`,
not only its skinny form, for `log_onnx` onnx and onnxruntime, and for the plugin what `modelyard[cli]` asks for.
"""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from localcluster.identity.certificates import Files
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
    """A server in `folder` that can be stopped and started again at the same address.

    `options` are further ones of `mlflow server`, `environment` further variables.
    """

    folder: Path
    port: int
    options: tuple[str, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)
    scheme: str = "http"
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Returns once it answers."""
        python = os.environ[PYTHON]
        command = [
            python, "-m", "mlflow", "server", "--backend-store-uri", f"sqlite:///{self.folder / 'mlflow.db'}",
            "--artifacts-destination", str(self.folder / "artifacts"), "--workers", "1", "--host", "127.0.0.1",
            "--port", str(self.port), *self.options,
        ]  # fmt: skip
        with (self.folder / "mlflow.log").open("ab") as sink:
            environment = {**os.environ, **_QUIET, "PYTHONPATH": "", **self.environment}
            self.process = subprocess.Popen(
                command, stdout=sink, stderr=sink, env=environment, cwd=self.folder, start_new_session=True
            )
        end = time.monotonic() + _START_SECONDS
        while time.monotonic() < end and self.process.poll() is None:
            try:
                if httpx.get(f"{self.url}/health", timeout=5, trust_env=False, verify=False).is_success:
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
    with _running(RealMlflow(folder, free_ports(1)[0])) as server:
        yield server


@contextmanager
def secured_mlflow(folder: Path, login: tuple[str, str], certificate: Files) -> Iterator[RealMlflow]:
    """The same over HTTPS, with MLflow's own basic authentication, whose administrator has this login."""
    configuration = folder / "auth.ini"
    configuration.write_text(
        "[mlflow]\n"
        "default_permission = READ\n"
        f"database_uri = sqlite:///{folder / 'auth.db'}\n"
        f"admin_username = {login[0]}\n"
        f"admin_password = {login[1]}\n"
        "authorization_function = mlflow.server.auth:authenticate_request_basic_auth\n"
    )
    tls = f"--ssl-keyfile {certificate.key} --ssl-certfile {certificate.certificate}"
    options = ("--app-name", "basic-auth", "--uvicorn-opts", tls)
    environment = {"MLFLOW_AUTH_CONFIG_PATH": str(configuration), "MLFLOW_FLASK_SERVER_SECRET_KEY": "of-this-test"}
    with _running(RealMlflow(folder, free_ports(1)[0], options, environment, "https")) as server:
        yield server


@contextmanager
def _running(server: RealMlflow) -> Iterator[RealMlflow]:
    server.start()
    try:
        yield server
    finally:
        server.stop()
