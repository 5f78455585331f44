"""`POST /<namespace>/<model>/feedback`, asked over the wire."""

import asyncio
import gzip
import json
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest
from aiohttp.test_utils import TestClient, TestServer

from modelyard.recorder import feedback
from modelyard.recorder.feedback import FeedbackEndpoint
from modelyard.recorder.label_batches import LabelBatches
from modelyard.recorder.receiver import CapturePolicy
from modelyard.recorder.recorder_metrics import RecorderMetrics
from modelyard.recorder.redaction import Redaction, hashed

LABELLED = CapturePolicy(Redaction(frozenset("*"), frozenset({"doctor"}), b"key"), labelled=True)
POLICIES = {("demo", "loans"): LABELLED, ("demo", "quiet"): CapturePolicy(LABELLED.redaction)}
ONE = {"requestId": "r1", "label": 1}


class Endpoint:
    """An endpoint and what it made of what was sent."""

    def __init__(self, room: int = 10**6, patience: float = 5.0) -> None:
        self.metrics, self.batches = RecorderMetrics(), LabelBatches("w", room)
        self.endpoint = FeedbackEndpoint(
            lambda namespace, model: POLICIES.get((namespace, model)), self.batches, self.metrics, patience
        )

    def run(self, asked: Callable[[Any], Awaitable[Any]]) -> Any:
        async def one() -> Any:
            async with TestClient(TestServer(self.endpoint.application(), host="127.0.0.1")) as client:
                return await asked(client)

        return asyncio.run(one())

    def post(self, content: Any, path: str = "/demo/loans/feedback") -> tuple[int, dict[str, Any]]:
        """The status and the body that is answered to JSON, or to bytes as they are."""
        data = content if isinstance(content, bytes) else json.dumps(content).encode()

        async def asked(client: Any) -> tuple[int, dict[str, Any]]:
            answer = await client.post(path, data=data)
            return answer.status, await answer.json()

        return self.run(asked)

    def kept(self) -> list[tuple[str, str, str]]:
        return [
            (one.request_id, one.output, one.label)
            for batch in self.batches.take(0, everything=True)
            for one in batch.labels
        ]

    def counted(self, outcome: str) -> bool:
        told = f'modelyard_recorder_feedback_requests_total{{outcome="{outcome}"}} 1.0'
        return told.encode() in self.metrics.text()


def test_labels_are_taken_and_what_is_redacted_is_hashed() -> None:
    asked = Endpoint()
    body = [ONE, {"requestId": "r2", "row": 1, "labels": {"kind": "cat", "doctor": "Ada"}}]
    assert asked.post(body) == (202, {"accepted": 3})
    assert asked.kept() == [("r1", "", "1"), ("r2", "kind", "cat"), ("r2", "doctor", hashed("Ada", b"key"))]
    assert asked.counted("accepted")
    assert b'labels_total{outcome="accepted"} 3.0' in asked.metrics.text()


@pytest.mark.parametrize(
    ("content", "status", "told"),
    [
        (b"label=1", 400, "the body is no JSON"),
        (b"\xff\xfe", 400, "the body is no JSON"),
        (b"[" * 100_000, 400, "the body is no JSON"),
        (b"", 400, "the body is no JSON"),
        (b'{"requestId": "r", "label": NaN}', 422, "0.label"),
        ([ONE, {"requestId": "r2"}], 422, "1: write either label, or labels with one item for each output."),
        ([ONE, {"label": 1}, {"label": 1}], 422, "1.requestId: Field required (and 1 more)."),
        ([], 422, "the body: List should have at least 1 item"),
        ({**ONE, "model": "cars"}, 422, "item 0 is a label for the Model cars"),
        ([{"requestId": "r", "label": "x" * 256}] * 4000, 413, "the body is longer than 1 MiB"),
    ],
)
def test_of_a_body_that_is_wrong_nothing_is_taken(content: Any, status: int, told: str) -> None:
    asked = Endpoint()
    answered, body = asked.post(content)
    assert (answered, told in body["error"]) == (status, True), body
    assert asked.kept() == []
    assert asked.counted("malformed")


@pytest.mark.parametrize("path", ["/demo/nobody/feedback", "/other/loans/feedback", "/demo/quiet/feedback"])
def test_a_model_that_takes_no_labels_is_named(path: str) -> None:
    asked = Endpoint()
    status, body = asked.post(ONE, path)
    assert (status, "it needs spec.monitoring.feedback" in body["error"]) == (404, True)
    assert asked.counted("unknown")


def test_without_room_nothing_is_taken_and_the_sender_knows() -> None:
    asked = Endpoint(room=500)

    async def twice(client: Any) -> Any:
        await client.post("/demo/loans/feedback", json=ONE)
        return await client.post("/demo/loans/feedback", json=ONE)

    answer = asked.run(twice)
    assert (answer.status, answer.headers["Retry-After"]) == (503, "30")
    assert len(asked.kept()) == 1
    assert asked.counted("refused")


def test_a_compressed_body_is_unpacked_up_to_the_limit_and_a_broken_one_is_the_senders_fault() -> None:
    asked = Endpoint()
    for body, status in (
        (gzip.compress(json.dumps(ONE).encode()), 202),
        (b"plain", 400),
        (gzip.compress(b"[" * (2 << 20)), 413),
    ):

        async def compressed(client: Any, body: bytes = body) -> int:
            answer = await client.post("/demo/loans/feedback", data=body, headers={"Content-Encoding": "gzip"})
            return answer.status

        assert asked.run(compressed) == status
    assert len(asked.kept()) == 1


def test_a_body_that_does_not_come_is_not_waited_for() -> None:
    async def slow(client: Any) -> int:
        async def pieces() -> Any:
            yield b"["
            await asyncio.sleep(30)

        try:
            answer = await client.post("/demo/loans/feedback", data=pieces())
        except aiohttp.ClientError:
            return 408
        return answer.status

    asked = Endpoint(patience=0.01)
    assert asked.run(slow) == 408
    assert asked.counted("malformed")


def test_more_requests_at_a_time_than_there_may_be_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feedback, "MOST_REQUESTS", 0)
    asked = Endpoint()
    status, body = asked.post(ONE)
    assert (status, "too many requests" in body["error"]) == (503, True)
