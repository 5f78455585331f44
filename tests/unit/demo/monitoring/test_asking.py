"""Asking a Model and labelling its answers, over HTTP: a gateway's two addresses, answered by the entry's own model."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np
import onnxruntime
import pytest

from demo.monitoring.asking import Asking
from demo.monitoring.people import CENSUS, batches
from demo.stage import DemoFailed
from modelyard.core.names import REVISION_HEADER
from tests.support.monitoring.live import serving

ROWS = 5


class Gateway:
    """Records every second request, and takes labels of the Model census unless `refusing`."""

    def __init__(self) -> None:
        model = str(CENSUS / "1" / "model.onnx")
        self.session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
        self.labels: list[dict[str, Any]] = []
        self.refusing, self.requests, self.lock = False, 0, threading.Lock()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def answer(self, path: str, body: Any) -> tuple[int, Any, dict[str, str]]:
        """Status, body and headers."""
        with self.lock:
            if path == "/demo/census/feedback":
                self.labels += body
                return 202, {"accepted": len(body)}, {}
            self.requests += 1
            request = self.requests
        if self.refusing or path != "/demo/census/v2/models/census/infer":
            return 503, {}, {}
        [tensor] = body["inputs"]
        rows = np.array(tensor["data"], np.float32).reshape(tensor["shape"])
        label, _ = self.session.run(["label", "probabilities"], {"input": rows})
        sampled = {"x-modelyard-sample": "2"} if request % 2 else {}
        headers = {REVISION_HEADER: "census-1", "x-request-id": f"id-{request}", **sampled}
        return 200, {"outputs": [{"name": "label", "data": np.asarray(label).tolist()}]}, headers

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        answer = self.answer

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                status, said, headers = answer(self.path, body)
                text = json.dumps(said).encode()
                self.send_response(status)
                for name, value in {**headers, "Content-Length": str(len(text))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, format: str, *args: object) -> None:
                """Nobody reads it."""

        return Handler


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    made = Gateway()
    with serving(made.server):
        yield made


def until(there: Callable[[], bool]) -> None:
    for _ in range(1000):
        if there():
            return
        time.sleep(0.02)
    raise AssertionError("never")


def test_answers_are_counted_by_revision_and_those_recorded_are_labelled(gateway: Gateway) -> None:
    with Asking(gateway.url, "demo", "census", batches("synthetic", ROWS, 3), rate=200) as asking:
        until(lambda: asking.requests >= 40)
    handed = asking.hand_in()

    assert asking.failures == 0
    assert asking.asked == {"census-1": ROWS * asking.requests}
    assert 0.7 < asking.share_right("census-1") == asking.share_right() < 1.0
    assert handed == asking.labelled == len(gateway.labels) == ROWS * -(-asking.requests // 2)
    assert {label["row"] for label in gateway.labels} == set(range(ROWS))
    assert (asking.waiting, asking.hand_in()) == (0, 0)


def test_a_refused_request_is_a_failed_one_and_other_people_can_ask_on(gateway: Gateway) -> None:
    with Asking(gateway.url, "demo", "census", batches("synthetic", ROWS, 3), rate=200) as asking:
        until(lambda: asking.requests >= 3)
        gateway.refusing = True
        until(lambda: asking.failures >= 3)
        gateway.refusing, asking.people = False, batches("later", ROWS, 3)
        until(lambda: asking.requests > asking.failures + 20)
        asking.count_anew()
        until(lambda: asking.asked.total() > 100)

    assert "503" in asking.last_failure
    assert asking.share_right() < 0.7
    assert np.isnan(asking.share_right("nobody"))


def test_labels_that_nobody_takes_wait_on(gateway: Gateway) -> None:
    with Asking(gateway.url, "demo", "census", batches("synthetic", ROWS, 3), rate=200) as asking:
        until(lambda: asking.waiting > 0)
    waiting = asking.waiting
    gateway.server.shutdown()
    gateway.server.server_close()
    with pytest.raises(DemoFailed, match="labels were not taken"):
        asking.hand_in()
    assert (asking.waiting, asking.labelled) == (waiting, 0)
