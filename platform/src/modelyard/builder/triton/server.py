"""One Triton process on this machine, from start to a clean end.

It listens on 127.0.0.1 only, dies with us even when we are killed, and is stopped by its own process id: nothing
else that runs here is ever touched. What went wrong is read from its log, where the real error stands above
Triton's closing tables.
"""

import os
import re
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from modelyard.child_environment import FOLDER, without_keys
from modelyard.child_limits import limited
from modelyard.core.failure_causes import End, failure
from modelyard.errors import InvalidSettings, ModelyardError

from .attempts import fresh_prefix

FRONTEND = "libmodelyard_frontend.so"
"""What gives a client's mistakes the right code and loses no reply (images/triton-cpu/frontend_*.c), where it could be
compiled."""
READY_SECONDS = 120
_STOP_SECONDS = 20
_ENDING_SECONDS = 5
_ERROR_LINE = re.compile(r"""^(?:[EF]\d{4} .*?\] |\s*what\(\):\s+|(?=Signal \(\d+\) received))"?(.*?)"?$""")
_NOISE = "CudaDriverHelper has not been initialized"
"""Every Triton without a GPU logs this as an error."""
_SHARED_MEMORY = Path("/dev/shm")


@dataclass(frozen=True)
class TritonServer:
    """A running Triton."""

    http_port: int
    grpc_port: int
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def url(self) -> str:
        """Base URL of the HTTP API."""
        return f"http://127.0.0.1:{self.http_port}"


@contextmanager
def running(
    home: Path,
    repository: Path,
    model: str,
    log: Path,
    http_port: int = 0,
    grpc_port: int = 0,
    options: Sequence[str] = (),
) -> Iterator[TritonServer]:
    """A Triton that answers for `model`; free ports where 0 is given. Stopped when the block ends.

    Its output goes to `log`; `options` are further ones of tritonserver. Raises InvalidSettings when a port is in use,
    and HostFailure or UnsupportedModel, as `failure_causes` says, when it does not come up within 120 s.
    """
    home, repository = home.absolute(), repository.absolute()
    free, prefix = _free_ports(http_port, grpc_port), fresh_prefix()
    temporary = tempfile.TemporaryDirectory(prefix="modelyard-triton-", ignore_cleanup_errors=True)
    with log.open("wb") as sink:
        process = subprocess.Popen(
            limited(
                [*_command(home, repository, *free, prefix), *options],
                parent=os.getpid(),
                deathSignal=signal.SIGTERM,
                environment=_libraries(home),
            ),
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=sink,
            cwd=FOLDER,
            env={**_environment(), "TMPDIR": temporary.name},
            start_new_session=True,
        )
    server = TritonServer(*free, process, log)
    try:
        _wait_until_ready(server, model)
        yield server
    finally:
        stop(process)
        for left in _SHARED_MEMORY.glob(f"{prefix}*"):  # a Triton that was killed leaves its regions
            left.unlink(missing_ok=True)
        temporary.cleanup()  # with the packages of a Python model


def stop(process: subprocess.Popen[bytes]) -> None:
    """Asks the process to end, then ends its whole session; returns when it is gone."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def reasons(log: Path) -> str:
    """The errors Triton logged, in one line, paths and positions left out; empty when there are none."""
    lines = log.read_text(errors="replace").splitlines()
    errors = [match.group(1) for line in lines if (match := _ERROR_LINE.match(line)) and _NOISE not in line]
    return " ".join("; ".join(dict.fromkeys(errors)).split())[:600]


def ended(server: TritonServer) -> ModelyardError | None:
    """Why Triton is no more, as the error to raise; None when it still runs after a moment."""
    try:
        code = server.process.wait(_ENDING_SECONDS)
    except subprocess.TimeoutExpired:
        return None
    return failure("Triton", End(code, reasons(server.log)))


def _command(home: Path, repository: Path, http_port: int, grpc_port: int, prefix: str) -> list[str]:
    return [
        str(home / "bin" / "tritonserver"), f"--model-repository={repository}",
        f"--backend-directory={home / 'backends'}", "--http-address=127.0.0.1", "--grpc-address=127.0.0.1",
        f"--http-port={http_port}", f"--grpc-port={grpc_port}", "--allow-metrics=false", "--exit-timeout-secs=5",
        "--disable-auto-complete-config", f"--backend-config=python,shm-region-prefix-name={prefix}",
    ]  # fmt: skip


def _environment() -> dict[str, str]:
    """Ours without keys, for a model may be Python, and without what leads the stub's interpreter to our packages."""
    kept = {
        key: value for key, value in without_keys(os.environ).items() if not key.startswith(("PYTHON", "VIRTUAL_ENV"))
    }
    return {**kept, "PYTHONDONTWRITEBYTECODE": "1", "PATH": os.defpath}


def _libraries(home: Path) -> dict[str, str]:
    """Where Triton finds its libraries, that for its front end first; no other program is to find them."""
    places = [str(home / "lib"), *filter(None, [os.environ.get("LD_LIBRARY_PATH")])]
    frontend = home / "lib" / FRONTEND
    preloaded = {"LD_PRELOAD": str(frontend)} if frontend.exists() else {}
    return {"LD_LIBRARY_PATH": os.pathsep.join(places), **preloaded}


def _wait_until_ready(server: TritonServer, model: str) -> None:
    import httpx

    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        if server.process.poll() is not None:
            raise failure("Triton", End(server.process.returncode, reasons(server.log)))
        try:
            if httpx.get(f"{server.url}/v2/models/{model}/ready", timeout=2, trust_env=False).status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise failure("Triton", End(words=f"it was not ready after {READY_SECONDS} s {reasons(server.log)}", late=True))


def _free_ports(*requested: int) -> tuple[int, int]:
    """The wanted ports, checked to be free, or free ones where 0 is wanted."""
    with ExitStack() as held:
        ports = []
        for port in requested:
            probe = held.enter_context(socket.socket())
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError as bad:
                raise InvalidSettings(f"port {port} is in use; choose another with --http-port/--grpc-port.") from bad
            ports.append(probe.getsockname()[1])
        return ports[0], ports[1]
