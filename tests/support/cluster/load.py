"""A bounded steady load on one model, over HTTP or gRPC, that counts who answered and what failed.

    python -m tests.support.cluster.load http|grpc --gateway 127.0.0.1:80 --host M.NS.DOMAIN --model M --input x:1,1,8,8

Every element of the input is `--fill`; with `--samples eval.npz` the rows of that file's `input:` array are sent in
turn instead. With `--mistakes N` every Nth request over HTTP has no shape, and 400 is the right answer to it. Each
client sends its next request on a fixed schedule, so that a slow answer is not hidden by a pause.
It prints `begun` with the first answer. It ends when standard input closes or after `--seconds`, and prints one JSON
line:
`{"requests": n, "failures": n, "revisions": {...}, "failed": {...}, "spans": {...}, "failed_at": [...], "slowest": s,
"errors": [...]}`, where `revisions` are good answers and `failed` bad ones by who gave them ("" when nobody says so),
`spans` when the first and the last request that a revision answered was sent, in seconds since the epoch, `failed_at`
when the first thousand that failed were, and `slowest` the seconds that the slowest good answer took. Runs as a process
of its own, because tritonclient's gRPC stubs and KServe's cannot share one.
"""

import argparse
import itertools
import json
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import httpx
import numpy as np

HEADER = "x-modelyard-revision"
BEGUN = "begun\n"
MOST_SECONDS = 1200
Call = Callable[[], str]
"""One request; gives the revision that answered, or raises, a `BadAnswer` where somebody did answer."""


class BadAnswer(Exception):
    """An answer that is none, and whose it was."""

    def __init__(self, revision: str, why: str) -> None:
        super().__init__(why)
        self.revision = revision


@dataclass
class Tally:
    """Counts of one run; `errors` keeps the first few sentences."""

    revisions: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    spans: dict[str, tuple[float, float]] = field(default_factory=dict)
    failed_at: list[float] = field(default_factory=list)
    slowest: float = 0.0
    errors: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def answer(self, revision: str, sent: float, why: str = "") -> None:
        """Counts one; `why` says what was bad about it."""
        with self.lock:
            (self.failed if why else self.revisions)[revision] += 1
            first, last = self.spans.get(revision, (sent, sent))
            self.spans[revision] = (min(first, sent), max(last, sent))
            if self.failed.total() + self.revisions.total() == 1:
                print(BEGUN, end="", flush=True)
            if not why:
                self.slowest = max(self.slowest, time.time() - sent)
            elif len(self.failed_at) < 1000:
                self.failed_at.append(sent)
            if why and len(self.errors) < 10:
                self.errors.append(f"{time.strftime('%H:%M:%S')} {revision} {why}"[:300])

    def line(self) -> str:
        failures = self.failed.total()
        return json.dumps(
            {
                "requests": self.revisions.total() + failures,
                "failures": failures,
                "revisions": dict(self.revisions),
                "failed": dict(self.failed),
                "spans": self.spans,
                "failed_at": self.failed_at,
                "slowest": self.slowest,
                "errors": self.errors,
            }
        )


def http_call(
    gateway: str, host: str, model: str, rows: Iterator[np.ndarray], name: str, mistakes: Iterator[bool]
) -> Call:
    """One inference over HTTP on a kept connection."""
    client = httpx.Client(base_url=f"http://{gateway}", headers={"Host": host}, timeout=10)

    def call() -> str:
        row = next(rows)
        tensor = {"name": name, "shape": list(row.shape), "datatype": "FP32", "data": row.ravel().tolist()}
        if mistake := next(mistakes):
            del tensor["shape"]
        answer = client.post(f"/v2/models/{model}/infer", json={"inputs": [tensor]})
        revision = answer.headers.get(HEADER, "")
        if mistake and answer.status_code == httpx.codes.BAD_REQUEST:
            return revision
        if answer.status_code != httpx.codes.OK:
            raise BadAnswer(revision, f"HTTP {answer.status_code}: {answer.text[:120]}")
        if not answer.json()["outputs"][0]["data"]:
            raise BadAnswer(revision, "an answer without data")
        return revision

    return call


def grpc_call(
    gateway: str, host: str, model: str, rows: Iterator[np.ndarray], name: str, mistakes: Iterator[bool]
) -> Call:
    """One inference over gRPC on a kept channel; no mistakes, which the client's library does not let through."""
    import grpc
    from tritonclient.grpc import service_pb2 as messages
    from tritonclient.grpc import service_pb2_grpc as services

    channel = grpc.insecure_channel(gateway, options=[("grpc.default_authority", host)])
    stub = services.GRPCInferenceServiceStub(channel)

    def call() -> str:
        row = next(rows)
        request = messages.ModelInferRequest(model_name=model)
        request.inputs.add(name=name, datatype="FP32", shape=row.shape)
        request.raw_input_contents.append(row.tobytes())
        try:
            answer, state = stub.ModelInfer.with_call(request, timeout=10)
        except grpc.RpcError as bad:
            metadata = dict([*(bad.initial_metadata() or ()), *(bad.trailing_metadata() or ())])
            raise BadAnswer(metadata.get(HEADER, ""), f"gRPC {bad.code().name}: {bad.details()}") from bad
        revision = dict(state.initial_metadata()).get(HEADER, "")
        if not answer.raw_output_contents:
            raise BadAnswer(revision, "an answer without data")
        return revision

    return call


def drive(call: Call, tally: Tally, interval: float, stop: threading.Event, end: float) -> None:
    """One client: a request every `interval` seconds until told to stop or `end` (monotonic seconds)."""
    due = time.monotonic()
    while not stop.is_set() and due < end:
        sent = time.time()
        try:
            tally.answer(call(), sent)
        except Exception as why:  # every failed request counts, whatever it is called
            tally.answer(getattr(why, "revision", ""), sent, f"{type(why).__name__}: {why}")
        due += interval
        stop.wait(max(0.0, due - time.monotonic()))


def rows(arguments: argparse.Namespace) -> Iterator[np.ndarray]:
    """The inputs to send, one after the other, without end; the name is that of `--input`."""
    name, _, shape = arguments.input.partition(":")
    if not arguments.samples:
        return itertools.repeat(np.full([int(size) for size in shape.split(",")], arguments.fill, dtype=np.float32))
    kept = np.load(arguments.samples)[f"input:{name}"].astype(np.float32)
    return itertools.cycle(kept[at : at + 1] for at in range(len(kept)))


def main() -> None:
    arguments = _arguments()
    name = arguments.input.partition(":")[0]
    make = http_call if arguments.protocol == "http" else grpc_call
    tally, stop = Tally(), threading.Event()
    end = time.monotonic() + min(arguments.seconds, MOST_SECONDS)
    interval = arguments.clients / arguments.rate
    mistakes = itertools.cycle([*[False] * (arguments.mistakes - 1), arguments.mistakes > 0])
    calls = [
        make(
            arguments.gateway,
            arguments.host,
            arguments.model,
            itertools.islice(rows(arguments), at, None),
            name,
            mistakes,
        )
        for at in range(arguments.clients)
    ]
    threads = [threading.Thread(target=drive, args=(call, tally, interval, stop, end)) for call in calls]
    for number, thread in enumerate(threads):
        if number:
            time.sleep(1 / arguments.rate)
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
    parser.add_argument("--fill", type=float, default=0.5)
    parser.add_argument("--samples", default="")
    parser.add_argument("--mistakes", type=int, default=0)
    parser.add_argument("--rate", type=float, default=50)
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=600)
    return parser.parse_args()


if __name__ == "__main__":
    main()
