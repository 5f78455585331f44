"""The receiver, asked over the wire as Envoy asks it: one stream a request, and nothing is ever answered."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any

import grpc
import numpy as np
import pytest
from envoy.service.ext_proc.v3.external_processor_pb2_grpc import ExternalProcessorStub

from modelyard.api.monitoring.profile import FeatureProfile, ReferenceProfile
from modelyard.recorder.minutes import Minutes
from modelyard.recorder.receiver import CaptureLimits, CapturePolicy, Receiver, receiving
from modelyard.recorder.recorder_metrics import RecorderMetrics
from modelyard.recorder.redaction import Redaction

EVERYTHING = CapturePolicy(Redaction(frozenset("*"), frozenset({"name"}), b"key"))


def request(*rows: float) -> bytes:
    x = {"name": "x", "datatype": "FP32", "shape": [len(rows), 1], "data": list(rows)}
    name = {"name": "name", "datatype": "BYTES", "shape": [len(rows), 1], "data": ["Ada"] * len(rows)}
    return json.dumps({"inputs": [x, name]}).encode()


def response(*rows: float) -> bytes:
    return json.dumps(
        {"outputs": [{"name": "y", "datatype": "FP32", "shape": [len(rows)], "data": list(rows)}]}
    ).encode()


class Asked:
    """A receiver of the Model demo/loans, and what it made of streams."""

    def __init__(self, policy: CapturePolicy = EVERYTHING, limits: CaptureLimits | None = None) -> None:
        self.metrics = RecorderMetrics()
        self.minutes = Minutes("w", 10**6, self.metrics)
        policies = {("demo", "loans"): policy}
        self.receiver = Receiver(
            lambda namespace, model: policies.get((namespace, model)), self.minutes,
            limits or CaptureLimits(), self.metrics,
        )  # fmt: skip

    def over_the_wire(self, ask: Callable[[Any], Awaitable[None]]) -> None:
        """Starts it, lets `ask` use a stub of it, and ends it."""

        async def run() -> None:
            server, port = receiving(self.receiver, "127.0.0.1:0")
            await server.start()
            async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
                await ask(ExternalProcessorStub(channel))
            await server.stop(None)

        asyncio.run(asyncio.wait_for(run(), 30))

    def take(self, streams: Iterable[Sequence[Any]]) -> None:
        """Streams, one after the other, each left open by the client: the receiver is to end it."""

        async def ask(stub: Any) -> None:
            for messages in streams:
                stream = stub.Process()
                for message in messages:
                    await stream.write(message)
                assert await stream.read() is grpc.aio.EOF
                assert await stream.code() is grpc.StatusCode.OK

        self.over_the_wire(ask)

    @property
    def tables(self) -> list[dict[str, Any]]:
        """The rows by column, one table a request."""
        return [dict(table) for minute in self.minutes.take(0, everything=True).values() for table in minute.tables()]

    def counted(self, outcome: str) -> int:
        """How many copies ended so."""
        line = f'modelyard_recorder_requests_total{{outcome="{outcome}"}} '
        return int(float(self.metrics.text().decode().partition(line)[2].partition("\n")[0]))


def test_an_exchange_becomes_rows_with_what_may_be_written(envoy: Any) -> None:
    asked = Asked()
    asked.take([envoy.prediction(request(1, 2), response(3, 4), share="16")])
    (table,) = asked.tables
    assert {name: values.tolist() for name, values in table.items() if name != "time"} == {
        "request_id": ["id-1", "id-1"], "row": [0, 1], "share": [16, 16], "input.x": [1, 2], "output.y": [3, 4],
        "input.name": [table["input.name"][0]] * 2,
    }  # fmt: skip
    assert "Ada" not in str(table)
    assert asked.counted("recorded") == 1


def test_rows_are_counted_by_the_reference_whether_they_may_be_written_or_not(envoy: Any) -> None:
    x = FeatureProfile(
        name="x", column="x", role="input", kind="number", rows=2, missing=0, low=0, high=9, edges=(5.0,), bins=(1, 1)
    )
    profile = ReferenceProfile(source="eval.npz of loans:1", rows=2, features=(x,))
    asked = Asked(CapturePolicy(Redaction(frozenset(), frozenset(), b"key"), {"loans-1": profile}))
    asked.take(
        [envoy.prediction(request(1, 7), response(2, 3)), envoy.prediction(request(1), response(2), revision="o")]
    )
    recorded = {key.revision: minute.recorded for key, minute in asked.minutes.take(0, everything=True).items()}
    [known], [unknown] = recorded["loans-1"], recorded["o"]
    assert (known.rows, known.table, known.profile) == (2, {}, profile)
    assert known.features["x"].tolist() == [1, 7]
    assert (unknown.table, unknown.features, unknown.profile) == ({}, {}, None)


@pytest.mark.parametrize(
    ("outcome", "change"),
    [
        ("failed", {"status": "503"}),
        ("unknown", {"revision": ""}),
        ("unknown", {"route": "httproute/demo/other--sampled/rule/0/match/0/x"}),
        ("unknown", {"route": "httproute/demo/loans/rule/0/match/0/x"}),
    ],
)
def test_what_is_no_answer_of_a_recorded_model_makes_no_rows(envoy: Any, outcome: str, change: dict[str, str]) -> None:
    asked = Asked()
    asked.take([envoy.prediction(request(1), response(2), **change)])
    assert asked.tables == []
    assert asked.counted(outcome) == 1


def test_a_body_that_cannot_be_decoded_is_counted_with_its_reason(envoy: Any) -> None:
    asked = Asked(limits=CaptureLimits(body_bytes=300))
    asked.take([envoy.prediction(b"no JSON", response(2)), envoy.prediction(request(*range(100)), response(2))])
    assert asked.tables == []
    assert asked.counted("malformed") == 2
    told = asked.metrics.text().decode()
    assert 'recorder_malformed_total{reason="no JSON with tensors"} 1.0' in told
    assert 'recorder_malformed_total{reason="longer than what is kept of a body"} 1.0' in told


def test_a_request_for_no_rows_is_recorded_as_none(envoy: Any) -> None:
    asked = Asked()
    asked.take([envoy.prediction(b'{"inputs": []}', b'{"outputs": []}')])
    assert asked.tables == []
    assert asked.counted("recorded") == 1


@pytest.mark.parametrize("cancelled", [True, False])
def test_a_stream_that_ends_before_is_counted_as_lost(envoy: Any, cancelled: bool) -> None:
    asked = Asked()

    async def ask(stub: Any) -> None:
        for message in (envoy.prediction(request(1), response(2))[:4], [envoy.headers("request", path="/v2")]):
            stream = stub.Process()
            for one in message:
                await stream.write(one)
            if cancelled:
                while not asked.receiver.open:
                    await asyncio.sleep(0.01)
                stream.cancel()
            else:
                await stream.done_writing()
                await stream.read()
            while asked.receiver.open:
                await asyncio.sleep(0.01)

    asked.over_the_wire(ask)
    assert asked.counted("incomplete") == 1
    assert asked.tables == []


def test_too_many_at_a_time_are_refused_and_counted(envoy: Any) -> None:
    asked = Asked(limits=CaptureLimits(streams=1))

    async def ask(stub: Any) -> None:
        first = stub.Process()
        await first.write(envoy.headers("request", path="/v2/models/loans/infer"))
        while not asked.receiver.open:
            await asyncio.sleep(0.01)
        second = stub.Process()
        await second.write(envoy.headers("request", path="/v2/models/loans/infer"))
        assert await second.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        first.cancel()

    asked.over_the_wire(ask)
    assert asked.counted("refused") == 1


def test_rows_are_of_the_moment_they_were_answered(envoy: Any) -> None:
    asked = Asked()
    asked.take([envoy.prediction(request(1), response(2))])
    (table,) = asked.tables
    assert table["time"].dtype == np.float64
    assert table["time"][0] > 1.7e9


def test_bodies_on_their_way_are_bounded_together(envoy: Any) -> None:
    asked = Asked(limits=CaptureLimits(body_bytes=1000, streams=10, all_bytes=1500))

    async def ask(stub: Any) -> None:
        streams = [stub.Process() for _ in range(2)]
        for stream in streams:
            await stream.write(envoy.headers("request", route=envoy.ROUTE, path="/v2/models/loans/infer"))
            await stream.write(envoy.piece("request", b"x" * 1000))
        codes = [asyncio.ensure_future(stream.code()) for stream in streams]
        (refused, *_), rest = await asyncio.wait(codes, return_when=asyncio.FIRST_COMPLETED)
        assert await refused is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert len(rest) == 1
        for stream in streams:
            stream.cancel()

    asked.over_the_wire(ask)
    assert asked.counted("refused") == 1
    asked.take([envoy.prediction(request(1), response(2))])
    assert asked.counted("recorded") == 1
