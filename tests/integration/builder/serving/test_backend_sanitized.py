"""Proof: the compiled onnxruntime backend under AddressSanitizer, UBSan and LeakSanitizer, and its memory under load.

Requests are drawn from all that a client can get wrong: shapes, counts, sizes in bytes, lengths of strings, bytes that
are no text, indices outside a table, outputs that do not exist. Good ones run between them, in the same batches.
"""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from modelyard.builder.triton.server import TritonServer, stop
from tests.support.artifacts import onnx_models as models
from tests.support.servers.hostile_requests import drawn
from tests.support.servers.triton_homes import running, sanitized_home, save_for_triton

pytestmark = pytest.mark.proof
REQUESTS = 20_000
ROUND = 5_000
PATIENT = "max_batch_size: 16\ndynamic_batching { max_queue_delay_microseconds: 2000 }\n"


@contextmanager
def serving(home: Path, root: Path) -> Iterator[TritonServer]:
    """A Triton with the three models that hostile requests ask."""
    for name, proto in (("numbers", models.doubling()), ("table", models.looking_up()), ("words", models.echoing())):
        save_for_triton(proto, PATIENT, root / "repository" / name)
    with running(home, root / "repository", "numbers", root / "triton.log") as started:
        yield started


def asked(server: TritonServer, seeds: range) -> Counter[tuple[bool, int]]:
    """How many good and bad requests got which HTTP status."""
    with httpx.Client(base_url=server.url, timeout=60, trust_env=False) as client, ThreadPoolExecutor(8) as pool:

        def one(seed: int) -> tuple[bool, int]:
            request = drawn(seed)
            path = f"/v2/models/{request.model}/infer"
            return request.good, client.post(path, content=request.content, headers=request.headers).status_code

        return Counter(pool.map(one, seeds))


def test_no_request_whatever_makes_the_sanitizers_speak(tmp_path: Path, compiled_home: Path) -> None:
    with serving(sanitized_home(compiled_home, tmp_path / "home"), tmp_path) as server:
        found = asked(server, range(REQUESTS))
        stop(server.process)

    assert {status for good, status in found if good} == {200}
    assert {status for good, status in found if not good} <= {200, 400}
    assert found[False, 400] > REQUESTS / 10
    log = server.log.read_text(errors="replace")
    assert server.process.returncode == 0, log[-4000:]
    assert "Sanitizer" not in log, log[-4000:]
    assert "runtime error" not in log, log[-4000:]


def test_a_planted_leak_is_found(tmp_path: Path, compiled_home: Path) -> None:
    """That silence means something."""
    leak = tmp_path / "leak.c"
    leak.write_text(
        "#include <stdlib.h>\nstatic void *volatile held;\n"
        "__attribute__((constructor)) static void leak(void) { held = malloc(77); held = NULL; }\n"
    )
    with serving(sanitized_home(compiled_home, tmp_path / "home", leak), tmp_path) as server:
        stop(server.process)

    assert "77 byte(s) in 1 object(s)" in server.log.read_text(errors="replace")


def test_memory_stays_where_it_was_however_many_ask(tmp_path: Path, compiled_home: Path) -> None:
    with serving(compiled_home, tmp_path) as server:
        sizes = []
        for start in range(0, 6 * ROUND, ROUND):
            asked(server, range(start, start + ROUND))
            sizes.append(_resident_kib(server))

    assert max(sizes[3:]) < 1.1 * sizes[2], sizes


def _resident_kib(server: TritonServer) -> int:
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0])
