"""A small server of the Open Inference Protocol v2 on real sockets, HTTP and gRPC, for one model `double`.

It takes `x` (FP32, any number of rows of 2) and `word` (BYTES, one a row), gives `y` = 2x and `word` back,
and answers like a gateway in front of a Model: by host name, with the revision in a header.
"""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, NamedTuple

import grpc
import numpy as np
from tritonclient.grpc import service_pb2, service_pb2_grpc

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


class _Http(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:
        return

    def do_GET(self) -> None:
        if self.headers["Host"] != HOST:
            self._answer(404, b"")
        else:
            self._answer(200, json.dumps(METADATA).encode())

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        length = int(self.headers["Inference-Header-Content-Length"])
        header, rest = json.loads(body[:length]), body[length:]
        tensors = {}
        for one in header["inputs"]:
            size = one["parameters"]["binary_data_size"]
            tensors[one["name"]], rest = (one["shape"], rest[:size]), rest[size:]
        shape, raw = tensors["x"]
        doubled = np.frombuffer(raw, "<f4") * 2
        if not np.isfinite(doubled).all():
            self._answer(400, json.dumps({"error": "x is not finite"}).encode())
            return
        outputs = [
            {"name": "y", "datatype": "FP32", "shape": shape, "data": doubled.tolist()},
            _binary("word", *tensors["word"]),
        ]
        said = json.dumps({"model_name": "double", "outputs": outputs}).encode()
        self._answer(200, said + tensors["word"][1], {"Inference-Header-Content-Length": str(len(said))})

    def _answer(self, code: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(code)
        revision = self.headers.get("x-modelyard-revision", REVISIONS[0])
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
    def _greet(self, context: grpc.ServicerContext) -> None:
        asked = dict(context.invocation_metadata())
        context.send_initial_metadata([("x-modelyard-revision", str(asked.get("x-modelyard-revision", REVISIONS[0])))])

    def ModelMetadata(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802 - named by the protocol
        self._greet(context)
        answer = service_pb2.ModelMetadataResponse(name="double")
        for kind in ("inputs", "outputs"):
            for one in METADATA[kind]:
                getattr(answer, kind).add(name=one["name"], datatype=one["datatype"], shape=one["shape"])
        return answer

    def ModelInfer(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802 - named by the protocol
        self._greet(context)
        raw = dict(zip([one.name for one in request.inputs], request.raw_input_contents, strict=True))
        doubled = np.frombuffer(raw["x"], "<f4") * 2
        if not np.isfinite(doubled).all():
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, "x is not finite")
        answer = service_pb2.ModelInferResponse(model_name="double")
        for tensor, name in zip(request.inputs, ("y", "word"), strict=True):
            answer.outputs.add(name=name, datatype=tensor.datatype, shape=tensor.shape)
        answer.raw_output_contents.extend([doubled.astype("<f4").tobytes(), raw["word"]])
        return answer


@contextmanager
def running() -> Iterator[Addresses]:
    """The server, listening on two free ports until the end of the block."""
    http = ThreadingHTTPServer(("127.0.0.1", 0), _Http)
    http.daemon_threads = True
    rpc = grpc.server(ThreadPoolExecutor(max_workers=2))
    service_pb2_grpc.add_GRPCInferenceServiceServicer_to_server(_Grpc(), rpc)
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
