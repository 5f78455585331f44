"""A bounded steady load on one model, over HTTP or gRPC, that counts who answered and what failed.

    python -m tests.support.load http|grpc --gateway 127.0.0.1:80 --host M.NS.DOMAIN --model M --input pixels:1,1,8,8

Each client sends its next request on a fixed schedule, so that a slow answer is not hidden by a pause.
It ends when standard input closes or after `--seconds`, and prints one JSON line:
`{"requests": n, "failures": n, "revisions": {...}, "errors": [...]}`. Runs as a process of its own,
because tritonclient's gRPC stubs and KServe's cannot share one.
"""

import argparse
import json
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import httpx
import numpy as np

HEADER = "x-modelyard-revision"
MOST_SECONDS = 300
Call = Callable[[], str]


@dataclass
class Tally:
    """Counts of one run; `errors` keeps the first few sentences."""

    requests: int = 0
    failures: int = 0
    revisions: Counter[str] = field(default_factory=Counter)
    errors: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def answered(self, revision: str) -> None:
        with self.lock:
            self.requests += 1
            self.revisions[revision] += 1

    def failed(self, why: str) -> None:
        with self.lock:
            self.requests += 1
            self.failures += 1
            if len(self.errors) < 10:
                self.errors.append(f"{time.strftime('%H:%M:%S')} {why}"[:300])

    def line(self) -> str:
        return json.dumps(
            {
                "requests": self.requests,
                "failures": self.failures,
                "revisions": dict(self.revisions),
                "errors": self.errors,
            }
        )


def http_call(gateway: str, host: str, model: str, sample: np.ndarray, name: str) -> Call:
    """One inference over HTTP on a kept connection; gives the revision that answered."""
    client = httpx.Client(base_url=f"http://{gateway}", headers={"Host": host}, timeout=10)
    tensor = {"name": name, "shape": list(sample.shape), "datatype": "FP32", "data": sample.ravel().tolist()}
    body = {"inputs": [tensor]}

    def call() -> str:
        answer = client.post(f"/v2/models/{model}/infer", json=body)
        if answer.status_code != httpx.codes.OK:
            raise RuntimeError(f"HTTP {answer.status_code}: {answer.text[:120]}")
        if not answer.json()["outputs"][0]["data"]:
            raise RuntimeError("an answer without data")
        return answer.headers.get(HEADER, "")

    return call


def grpc_call(gateway: str, host: str, model: str, sample: np.ndarray, name: str) -> Call:
    """One inference over gRPC on a kept channel; gives the revision that answered."""
    import grpc
    from tritonclient.grpc import service_pb2 as messages
    from tritonclient.grpc import service_pb2_grpc as services

    channel = grpc.insecure_channel(gateway, options=[("grpc.default_authority", host)])
    stub = services.GRPCInferenceServiceStub(channel)
    request = messages.ModelInferRequest(model_name=model)
    request.inputs.add(name=name, datatype="FP32", shape=sample.shape)
    request.raw_input_contents.append(sample.tobytes())

    def call() -> str:
        answer, state = stub.ModelInfer.with_call(request, timeout=10)
        if not answer.raw_output_contents:
            raise RuntimeError("an answer without data")
        return dict(state.initial_metadata()).get(HEADER, "")

    return call


def drive(call: Call, tally: Tally, interval: float, stop: threading.Event, end: float) -> None:
    """One client: a request every `interval` seconds until told to stop or `end` (monotonic seconds)."""
    due = time.monotonic()
    while not stop.is_set() and due < end:
        try:
            tally.answered(call())
        except Exception as why:  # every failed request counts, whatever it is called
            tally.failed(f"{type(why).__name__}: {why}")
        due += interval
        stop.wait(max(0.0, due - time.monotonic()))


def main() -> None:
    arguments = _arguments()
    name, _, shape = arguments.input.partition(":")
    sample = np.full([int(one) for one in shape.split(",")], 0.5, dtype=np.float32)
    make = http_call if arguments.protocol == "http" else grpc_call
    tally, stop = Tally(), threading.Event()
    end = time.monotonic() + min(arguments.seconds, MOST_SECONDS)
    interval = arguments.clients / arguments.rate
    threads = [
        threading.Thread(
            target=drive,
            args=(make(arguments.gateway, arguments.host, arguments.model, sample, name), tally, interval, stop, end),
        )
        for _ in range(arguments.clients)
    ]
    for thread in threads:
        thread.start()
    threading.Thread(target=lambda: (sys.stdin.read(), stop.set()), daemon=True).start()
    for thread in threads:
        thread.join()
    print(tally.line(), flush=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("protocol", choices=["http", "grpc"])
    parser.add_argument("--gateway", required=True)
    parser.add_argument("--host", required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--input", required=True)
    parser.add_argument("--rate", type=float, default=50)
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=120)
    return parser.parse_args()


if __name__ == "__main__":
    main()
