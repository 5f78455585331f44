"""What a real gateway copies becomes rows in a real store, and nobody who asks feels it."""

import itertools
import json
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import httpx
import numpy as np
import pytest
from tritonclient.grpc import service_pb2, service_pb2_grpc
from tritonclient.utils import serialize_byte_tensor

from modelyard.clients.store import S3Store
from modelyard.core.storage.monitoring_keys import MONITOR, ROWS, minute_of
from modelyard.recorder.redaction import hashed
from modelyard.records.parquet import from_parquet
from tests.support.recording.gateway import REVISION, RunningRecorder, recorded_gateway, recorder
from tests.support.servers import inference_server
from tests.support.servers.store import StoreServer

X = {"name": "x", "datatype": "FP32", "shape": [2, 2], "data": [1, 2, 3, 4]}
WORD = {"name": "word", "datatype": "BYTES", "shape": [2], "data": ["Ada", "Bob"]}


class Recorded:
    """A gateway before a model that doubles, its recorder, and the store."""

    def __init__(self, url: str, running: RunningRecorder, store: S3Store) -> None:
        self.url, self.recorder, self.store = url, running, store
        self.http = httpx.Client(base_url=url, timeout=20, trust_env=False)

    def ask(self, request_id: str, body: bytes = b"", headers: dict[str, str] | None = None) -> httpx.Response:
        """One prediction over HTTP, in JSON when there is no body."""
        content = body or json.dumps({"inputs": [X, WORD]}).encode()
        return self.http.post(
            "/v2/models/double/infer", content=content, headers={"x-request-id": request_id, **(headers or {})}
        )

    def ask_over_grpc(self, request_id: str) -> Any:
        """One prediction over gRPC."""
        request = service_pb2.ModelInferRequest(model_name="double")
        request.inputs.add(name="x", datatype="FP32", shape=[1, 2])
        request.inputs.add(name="word", datatype="BYTES", shape=[1])
        request.raw_input_contents.append(np.array([5, 6], np.float32).tobytes())
        request.raw_input_contents.append(serialize_byte_tensor(np.array([b"Cy"], object)).item())
        with grpc.insecure_channel(self.url.removeprefix("http://")) as channel:
            stub = service_pb2_grpc.GRPCInferenceServiceStub(channel)
            return stub.ModelInfer(request, metadata=[("x-request-id", request_id)], timeout=20)

    def counted(self, outcome: str, number: int) -> None:
        """Waits until so many copies have ended so."""
        wait_until(lambda: self.recorder.metric(f'requests_total{{outcome="{outcome}"}}') >= number)

    def open_streams(self) -> float:
        """How many copies are still on their way, once there has been time for one to begin."""
        time.sleep(0.3)
        return self.recorder.metric("open_streams")

    def rows(self) -> dict[str, Any]:
        """Everything in the store, once the recorder has ended."""
        self.recorder.process.send_signal(signal.SIGTERM)
        self.recorder.process.wait(30)
        keys = [stored.key for stored in self.store.list(MONITOR) if stored.key.endswith(ROWS)]
        assert {(found.namespace, found.model, found.revision) for key in keys if (found := minute_of(key))} == {
            ("demo", "double", REVISION)
        }
        return from_parquet([self.store.get(key) or b"" for key in keys])


def wait_until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)


@contextmanager
def recording(folder: Path, server: StoreServer, **options: str) -> Iterator[Recorded]:
    settings = server.settings(server.new_bucket())
    with (
        inference_server.running() as addresses,
        recorder(settings, folder / "recorder.log", **options) as running,
        recorded_gateway(folder, port_of(addresses.http), port_of(addresses.grpc), running.grpc_port) as url,
    ):
        yield Recorded(url, running, S3Store(settings))


def port_of(address: str) -> int:
    return int(address.rpartition(":")[2])


def test_json_raw_bytes_and_grpc_become_typed_rows_of_their_revision(tmp_path: Path, store_server: StoreServer) -> None:
    with recording(tmp_path, store_server, redact="word") as recorded:
        answer = recorded.ask("00-a0")
        assert (answer.status_code, answer.headers["x-modelyard-sample"]) == (200, "16")
        raw = [np.array([[7, 8]], np.float32).tobytes(), serialize_byte_tensor(np.array([b"Di"], object)).item()]
        described = [
            {"name": "x", "datatype": "FP32", "shape": [1, 2], "parameters": {"binary_data_size": len(raw[0])}},
            {"name": "word", "datatype": "BYTES", "shape": [1], "parameters": {"binary_data_size": len(raw[1])}},
        ]
        header = json.dumps({"inputs": described, "parameters": {"binary_data_output": True}}).encode()
        length = {"Inference-Header-Content-Length": str(len(header))}
        assert recorded.ask("00-b0", header + b"".join(raw), length).status_code == 200
        recorded.ask_over_grpc("00-c0")
        assert "x-modelyard-sample" not in recorded.ask("00-d1").headers
        recorded.counted("recorded", 3)
        found = recorded.rows()

    by_id = sorted(zip(found["request_id"], found["row"], range(len(found["row"])), strict=True))
    order = [at for _, _, at in by_id]
    assert [(request, int(row)) for request, row, _ in by_id] == [
        ("00-a0", 0),
        ("00-a0", 1),
        ("00-b0", 0),
        ("00-c0", 0),
    ]
    assert found["input.x[0]"][order].tolist() == [1, 3, 7, 5]
    assert found["output.y[1]"][order].tolist() == [4, 8, 16, 12]
    assert found["input.word"][order].tolist() == [hashed(name, b"key") for name in ("Ada", "Bob", "Di", "Cy")]
    assert found["input.x[0]"].dtype == np.float32
    assert set(found["share"].tolist()) == {16}


def test_what_may_not_be_written_is_in_no_object_of_the_bucket(tmp_path: Path, store_server: StoreServer) -> None:
    with recording(tmp_path, store_server, columns="x", redact="word") as recorded:
        assert recorded.ask("00-a0").status_code == 200
        recorded.counted("recorded", 1)
        recorded.rows()
        objects = [recorded.store.get(stored.key) or b"" for stored in recorded.store.list("")]
    assert objects
    assert not any(b"Ada" in content or b"Bob" in content for content in objects)


def test_a_refused_request_is_counted_and_makes_no_rows(tmp_path: Path, store_server: StoreServer) -> None:
    with recording(tmp_path, store_server) as recorded:
        assert recorded.ask("00-a0", b"no JSON").status_code >= 400
        assert recorded.ask("00-b0").status_code == 200
        recorded.counted("failed", 1)
        recorded.counted("recorded", 1)
        assert set(recorded.rows()["request_id"].tolist()) == {"00-b0"}


@pytest.mark.parametrize("end", [signal.SIGSTOP, signal.SIGKILL], ids=["frozen", "killed"])
def test_nobody_who_asks_feels_a_recorder_that_is_gone(
    end: signal.Signals, tmp_path: Path, store_server: StoreServer
) -> None:
    with recording(tmp_path, store_server) as recorded:
        assert recorded.ask("00-a0").status_code == 200
        recorded.counted("recorded", 1)
        recorded.recorder.process.send_signal(end)
        try:
            assert {recorded.ask(f"00-{number:x}0").status_code for number in range(200)} == {200}
            for number in range(20):
                recorded.ask_over_grpc(f"00-{number:x}0")
        finally:
            recorded.recorder.process.send_signal(signal.SIGCONT)
        if end is signal.SIGSTOP:
            ids = (f"00-awake{number:x}0" for number in itertools.count())
            wait_until(lambda: recorded.ask(next(ids)).status_code == 200 and recorded.open_streams() == 0)
            assert any("awake" in request_id for request_id in recorded.rows()["request_id"].tolist())
