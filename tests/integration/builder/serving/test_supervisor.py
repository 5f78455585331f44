"""A real Triton under the supervisor of its image: it ends with its models' processes, and when it is told to."""

import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from modelyard.builder.triton import server as triton
from modelyard.builder.triton.attempts import Attempts
from modelyard.core.failure_causes import End, failure
from modelyard.core.revisions.pod_failures import cause_of
from tests.support.artifacts import onnx_models as models
from tests.support.servers.triton_homes import save_for_triton

Start = Callable[[], "Supervised"]


class Supervised:
    """A supervised Triton that serves the model `four`."""

    def __init__(self, home: Path, repository: Path, log: Path) -> None:
        self.log = log
        http, grpc = triton._free_ports(0, 0)
        command = triton._command(home, repository, http, grpc, f"modelyard-supervised-{os.getpid()}-{http}-")
        command[0] = str(home / "sbin" / "tritonserver")
        surroundings = {**triton._environment(), **triton._libraries(home)}
        with log.open("wb") as sink:
            self.process = subprocess.Popen(command, stdout=sink, stderr=sink, env=surroundings, start_new_session=True)
        self.url = f"http://127.0.0.1:{http}/v2/models/four"

    def once_ready(self) -> "Supervised":
        """Itself, once it serves; raises what a build would when it ends before that."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise failure("Triton", End(self.process.returncode, triton.reasons(self.log)))
            try:
                if httpx.get(f"{self.url}/ready", timeout=2, trust_env=False).status_code == 200:
                    return self
            except httpx.TransportError:
                time.sleep(0.1)
        raise AssertionError(self.log.read_text())

    def stubs(self) -> list[int]:
        """Process ids of the models' processes, children of the one Triton."""
        tritons = _children(self.process.pid)
        assert len(tritons) == 1
        return _children(tritons[0])


def _children(parent: int) -> list[int]:
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            facts = stat.read_text().rpartition(") ")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if facts[1] == str(parent):
            found.append(int(stat.parent.name))
    return found


def ready(start: Start) -> Supervised:
    """One that serves, begun as often as a build begins it."""
    return Attempts().of(lambda: start().once_ready())


@pytest.fixture
def start(tmp_path: Path, python_home: Path) -> Iterator[Start]:
    save_for_triton(models.doubling(), "max_batch_size: 4\n", tmp_path / "repository" / "four")
    started: list[Supervised] = []

    def begin() -> Supervised:
        started.append(Supervised(python_home, tmp_path / "repository", tmp_path / "triton.log"))
        return started[-1]

    yield begin
    for one in started:
        triton.stop(one.process)
    for left in Path("/dev/shm").glob(f"modelyard-supervised-{os.getpid()}-*"):
        left.unlink()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGKILL, 137), (signal.SIGSEGV, 139)])
def test_the_server_ends_with_a_models_process_and_says_why(start: Start, number: signal.Signals, code: int) -> None:
    served = ready(start)

    os.kill(served.stubs()[0], number)

    assert served.process.wait(30) == code
    assert cause_of(served.log.read_text()) == (
        f"the process that runs the model ended by signal {number}, so the server ends too"
    )


def test_a_server_that_is_told_to_end_does_so_in_its_own_way(start: Start) -> None:
    served = ready(start)

    served.process.terminate()

    assert served.process.wait(30) == 0
    assert re.search("successfully unloaded 'four'", served.log.read_text())


def test_a_triton_that_is_killed_ends_the_supervisor_with_the_signals_code(start: Start) -> None:
    served = ready(start)

    os.kill(_children(served.process.pid)[0], signal.SIGKILL)

    assert served.process.wait(30) == 137


def test_a_model_that_cannot_be_loaded_ends_it_with_tritons_own_words(start: Start, tmp_path: Path) -> None:
    (tmp_path / "repository" / "four" / "1" / "model.onnx").write_bytes(b"no model")

    served = start()

    assert served.process.wait(60) == 1
    assert "onnxruntime cannot load model.onnx" in (cause_of(served.log.read_text()) or "")


def test_what_is_loaded_before_the_server_is_not_loaded_into_a_models_process(start: Start) -> None:
    served = ready(start)
    [server], [model] = _children(served.process.pid), served.stubs()

    loaded = {process: Path(f"/proc/{process}/maps").read_text() for process in (server, model)}
    assert triton.FRONTEND in loaded[server]
    assert triton.FRONTEND not in loaded[model]
    assert b"LD_PRELOAD" not in Path(f"/proc/{model}/environ").read_bytes()
