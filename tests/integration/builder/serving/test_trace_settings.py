"""Why Triton's own spans are not switched on (decision 0053), tried with a real one.

Started as it is here no client can switch them on. Started so that they can be, it heeds no decision of the gateway.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from modelyard.builder.triton.server import TritonServer
from tests.support.artifacts import onnx_models as models
from tests.support.monitoring.live import serving, until
from tests.support.servers.triton_homes import running, save_for_triton

WANTED = {"trace_level": ["TIMESTAMPS"], "trace_rate": "1"}
NOT_SAMPLED = "00"


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("traced")
    save_for_triton(models.doubling(), "max_batch_size: 4\n", root / "toy")
    return root


@contextmanager
def sink() -> Iterator[tuple[str, list[bytes]]]:
    """A URL that takes spans (OTLP over HTTP), and what came."""
    exports: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            return

        def do_POST(self) -> None:
            exports.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    with serving(server):
        yield f"http://127.0.0.1:{server.server_port}/v1/traces", exports


def setting(server: TritonServer, path: str) -> httpx.Response:
    """The answer to a client that wants traces of everything."""
    return httpx.post(f"{server.url}/v2/{path}", json=WANTED, trust_env=False)


def infer(server: TritonServer, trace: str) -> None:
    """A request of a trace that the gateway does not send, because it is not in the sample."""
    inputs = [{"name": "x", "shape": [1, 3], "datatype": "FP32", "data": [1.0, 2.0, 3.0]}]
    headers = {"traceparent": f"00-{trace}-{'ab' * 8}-{NOT_SAMPLED}"}
    answer = httpx.post(f"{server.url}/v2/models/toy/infer", json={"inputs": inputs}, headers=headers, trust_env=False)
    assert answer.status_code == 200, answer.text


def test_as_models_are_served_no_client_can_switch_traces_on(
    repository: Path, compiled_home: Path, tmp_path: Path
) -> None:
    with running(compiled_home, repository, "toy", tmp_path / "triton.log") as server:
        answers = [setting(server, path) for path in ("trace/setting", "models/toy/trace/setting")]
        now = httpx.get(f"{server.url}/v2/models/toy/trace/setting", trust_env=False).json()

    assert [answer.status_code for answer in answers] == [400, 400]
    assert all("trace file name is not given" in answer.text for answer in answers)
    assert now["trace_level"] == ["OFF"]


def test_if_they_could_be_switched_on_they_would_be_sent_of_requests_outside_of_the_sample(
    repository: Path, compiled_home: Path, tmp_path: Path
) -> None:
    before, after = uuid4().hex, uuid4().hex
    with sink() as (url, exports):
        options = [f"--trace-config={each}" for each in ("mode=opentelemetry", "level=OFF", f"opentelemetry,url={url}")]
        with running(compiled_home, repository, "toy", tmp_path / "triton.log", options=options) as server:
            infer(server, before)
            assert setting(server, "models/toy/trace/setting").status_code == 200
            infer(server, after)
            until("spans of a request outside of the sample", lambda: after.encode() in b"".join(exports))

    assert before.encode() not in b"".join(exports)
