"""One Triton process on this machine, from start to a clean end.

It listens on 127.0.0.1 only, dies with us even when we are killed, and is stopped by its own process id: nothing
else that runs here is ever touched. What went wrong is read from its log, where the real error stands above
Triton's closing tables.
"""

import ctypes
import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from modelyard.errors import InvalidSettings, Unreachable, UnsupportedModel

READY_SECONDS = 120
_STOP_SECONDS = 20
_PARENT_DIED = 1
_ERROR_LINE = re.compile(r"""^(?:[EF]\d{4} .*?\] |\s*what\(\):\s+)"?(.*?)"?$""")
_NOISE = "CudaDriverHelper has not been initialized"
"""Every Triton without a GPU logs this as an error."""


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
    home: Path, repository: Path, model: str, log: Path, http_port: int = 0, grpc_port: int = 0
) -> Iterator[TritonServer]:
    """A Triton that answers for `model`; free ports where 0 is given. Stopped when the block ends."""
    free = _free_ports(http_port, grpc_port)
    with log.open("wb") as sink:
        process = subprocess.Popen(
            _command(home, repository, *free),
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=sink,
            env=_environment(home),
            start_new_session=True,
            preexec_fn=_die_with_parent,
        )
    server = TritonServer(*free, process, log)
    try:
        _wait_until_ready(server, model)
        yield server
    finally:
        stop(process)


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
    """The errors Triton logged, in one line, paths and positions left out."""
    lines = log.read_text(errors="replace").splitlines()
    found = [match.group(1) for line in lines if (match := _ERROR_LINE.match(line)) and _NOISE not in line]
    return " ".join("; ".join(dict.fromkeys(found)).split())[:600] or "it logged no error"


def _command(home: Path, repository: Path, http_port: int, grpc_port: int) -> list[str]:
    return [
        str(home / "bin" / "tritonserver"), f"--model-repository={repository}",
        f"--backend-directory={home / 'backends'}", "--http-address=127.0.0.1", "--grpc-address=127.0.0.1",
        f"--http-port={http_port}", f"--grpc-port={grpc_port}", "--allow-metrics=false", "--exit-timeout-secs=5",
        "--disable-auto-complete-config",
    ]  # fmt: skip


def _environment(home: Path) -> dict[str, str]:
    """Ours without what would lead the stub's interpreter to our packages."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "VIRTUAL_ENV"))}
    libraries = [str(home / "lib"), *filter(None, [os.environ.get("LD_LIBRARY_PATH")])]
    return {**kept, "LD_LIBRARY_PATH": os.pathsep.join(libraries), "PYTHONDONTWRITEBYTECODE": "1", "PATH": os.defpath}


_libc = ctypes.CDLL(None)


def _die_with_parent() -> None:
    _libc.prctl(_PARENT_DIED, signal.SIGTERM)


def _wait_until_ready(server: TritonServer, model: str) -> None:
    import httpx

    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        if server.process.poll() is not None:
            raise UnsupportedModel(f"Triton cannot serve this model: {reasons(server.log)}")
        try:
            if httpx.get(f"{server.url}/v2/models/{model}/ready", timeout=2, trust_env=False).status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise Unreachable(f"Triton was not ready after {READY_SECONDS} seconds; its log is {server.log}.")


def _free_ports(*wanted: int) -> tuple[int, int]:
    """The wanted ports, checked to be free, or free ones where 0 is wanted."""
    with ExitStack() as held:
        found = []
        for port in wanted:
            probe = held.enter_context(socket.socket())
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError as bad:
                raise InvalidSettings(f"port {port} is in use; choose another with --http-port/--grpc-port.") from bad
            found.append(probe.getsockname()[1])
        return found[0], found[1]
