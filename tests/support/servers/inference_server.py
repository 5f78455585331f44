"""A small server of the Open Inference Protocol v2 on real sockets, HTTP and gRPC, for one model `double`.

It takes `x` (FP32, any number of rows of 2) and `word` (BYTES, one a row), gives `y` = 2x and `word` back,
and answers like a gateway in front of a Model: by host name, with the revision in a header. Each revision may have
manners of its own: another factor, a delay, failures. Like Triton it says how many rows it takes at once, and refuses
more.
"""

import json
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from threading import Thread
from typing import Any, NamedTuple

import grpc
import numpy as np
from tritonclient.grpc import service_pb2, service_pb2_grpc
from tritonclient.utils import serialize_byte_tensor

from modelyard.builder.triton.v2_http import decode

HOST = "double.demo.models.local"
METADATA = {
    "name": "double",
    "inputs": [
        {"name": "x", "datatype": "FP32", "shape": [-1, 2]},
        {"name": "word", "datatype": "BYTES", "shape": [-1]},
    ],
    "outputs": [
        {"name": "y", "datatype": "FP32", "shape": [-1, 2]},
        {"name": "word", "datatype": "BYTES", "shape": [-1]},
    ],
}
REVISIONS = ("double-a", "double-b")


class Addresses(NamedTuple):
    """Where it listens."""

    http: str
    grpc: str


@dataclass
class Manners:
    """How a revision answers: y = `factor` x after `delay` seconds; every `fails_each`-th request over one of the
    protocols `fails_over` fails (0: none); `as_revision` is who it says it is, itself when empty;
    `explains`: over HTTP it has an explainer."""

    factor: float = 2.0
    delay: float = 0.0
    fails_each: int = 0
    fails_over: tuple[str, ...] = ("http", "grpc")
    as_revision: str = ""
    explains: bool = False
    asked: Iterator[int] = field(default_factory=lambda: count(1))
    headers: list[dict[str, str]] = field(default_factory=list)

    def fails(self, protocol: str) -> bool:
        """Whether this request fails; waits the delay."""
        time.sleep(self.delay)
        return protocol in self.fails_over and bool(self.fails_each) and next(self.asked) % self.fails_each == 0


class _Http(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    manners: Mapping[str, Manners]
    largest: int

    def log_message(self, format: str, *args: Any) -> None:
        return

    def do_GET(self) -> None:
        if self.headers["Host"] != HOST:
            self._answer(404, b"")
        elif self.path.endswith("/config"):
            self._answer(200, json.dumps({"max_batch_size": self.largest}).encode())
        else:
            self._answer(200, json.dumps(METADATA).encode())

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        manners = self.manners.get(self.headers.get("x-modelyard-revision", ""), Manners())
        manners.headers.append({key.lower(): value for key, value in self.headers.items()})
        if manners.fails("http"):
            self._answer(500, json.dumps({"error": "out of luck"}).encode())
            return
        if not self.path.endswith("/infer"):
            explained = self.path.endswith("/explain") and manners.explains
            self._answer(200 if explained else 404, b'{"explanations": []}' if explained else b"Not Found")
            return
        arrays = decode(body, int(self.headers.get("Inference-Header-Content-Length", len(body))), "inputs")
        if self.largest and len(arrays["x"]) > self.largest:
            self._answer(400, json.dumps({"error": f"batch-size must be <= {self.largest}"}).encode())
            return
        y = arrays["x"] * np.float32(manners.factor)
        if not np.isfinite(y).all():
            self._answer(400, json.dumps({"error": "x is not finite"}).encode())
            return
        words = serialize_byte_tensor(arrays["word"]).item()
        outputs = [
            {"name": "y", "datatype": "FP32", "shape": y.shape, "data": y.ravel().tolist()},
            _binary("word", list(arrays["word"].shape), words),
        ]
        body = json.dumps({"model_name": "double", "outputs": outputs}).encode()
        self._answer(200, body + words, {"Inference-Header-Content-Length": str(len(body))})

    def _answer(self, code: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(code)
        requested = self.headers.get("x-modelyard-revision", REVISIONS[0])
        revision = self.manners.get(requested, Manners()).as_revision or requested
        for key, value in {
            "x-modelyard-revision": revision,
            "Content-Length": str(len(body)),
            **(headers or {}),
        }.items():
            self.send_header(key, value)
        self.end_headers()
        self.wfile.write(body)


def _binary(name: str, shape: list[int], raw: bytes) -> dict[str, Any]:
    return {"name": name, "datatype": "BYTES", "shape": shape, "parameters": {"binary_data_size": len(raw)}}


class _Grpc(service_pb2_grpc.GRPCInferenceServiceServicer):
    def __init__(self, manners: Mapping[str, Manners], largest: int) -> None:
        self._manners, self._largest = manners, largest

    def _greet(self, context: grpc.ServicerContext) -> Manners:
        headers = {key: str(value) for key, value in context.invocation_metadata()}
        requested = headers.get("x-modelyard-revision", REVISIONS[0])
        manners = self._manners.get(requested, Manners())
        manners.headers.append(headers)
        context.send_initial_metadata([("x-modelyard-revision", manners.as_revision or requested)])
        return manners

    def ModelMetadata(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802 - named by the protocol
        self._greet(context)
        answer = service_pb2.ModelMetadataResponse(name="double")
        for kind in ("inputs", "outputs"):
            for tensor in METADATA[kind]:
                getattr(answer, kind).add(name=tensor["name"], datatype=tensor["datatype"], shape=tensor["shape"])
        return answer

    def ModelConfig(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802 - named by the protocol
        answer = service_pb2.ModelConfigResponse()
        answer.config.max_batch_size = self._largest
        return answer

    def ModelInfer(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802 - named by the protocol
        manners = self._greet(context)
        if manners.fails("grpc"):
            context.abort(grpc.StatusCode.INTERNAL, "out of luck")
        raw = dict(zip([tensor.name for tensor in request.inputs], request.raw_input_contents, strict=True))
        if self._largest and request.inputs[0].shape[0] > self._largest:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"batch-size must be <= {self._largest}")
        doubled = np.frombuffer(raw["x"], "<f4") * np.float32(manners.factor)
        if not np.isfinite(doubled).all():
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, "x is not finite")
        answer = service_pb2.ModelInferResponse(model_name="double")
        for tensor, name in zip(request.inputs, ("y", "word"), strict=True):
            answer.outputs.add(name=name, datatype=tensor.datatype, shape=tensor.shape)
        answer.raw_output_contents.extend([doubled.astype("<f4").tobytes(), raw["word"]])
        return answer


@contextmanager
def running(manners: Mapping[str, Manners] | None = None, largest: int = 0) -> Iterator[Addresses]:
    """The server, listening on two free ports until the end of the block; `manners` by revision, `largest` rows at
    once (0: any number)."""
    manners = manners or {}
    http = ThreadingHTTPServer(("127.0.0.1", 0), type("_Handler", (_Http,), {"manners": manners, "largest": largest}))
    http.daemon_threads = True
    rpc = grpc.server(ThreadPoolExecutor(max_workers=8))
    service_pb2_grpc.add_GRPCInferenceServiceServicer_to_server(_Grpc(manners, largest), rpc)
    port = rpc.add_insecure_port("127.0.0.1:0")
    rpc.start()
    thread = Thread(target=http.serve_forever, daemon=True)
    thread.start()
    try:
        yield Addresses(f"http://127.0.0.1:{http.server_port}", f"http://127.0.0.1:{port}")
    finally:
        rpc.stop(None).wait()
        http.shutdown()
        http.server_close()
        thread.join()
