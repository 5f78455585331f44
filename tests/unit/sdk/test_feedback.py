"""Labels from the clients to the platform's own endpoint, over the wire."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from aiohttp.test_utils import TestServer

from modelyard import AsyncClient, Client
from modelyard.errors import InvalidInput, Refused
from modelyard.recorder.feedback import FeedbackEndpoint
from modelyard.recorder.label_batches import LabelBatches
from modelyard.recorder.receiver import CapturePolicy
from modelyard.recorder.recorder_metrics import RecorderMetrics
from modelyard.recorder.redaction import Redaction

POLICIES = {("demo", "loans"): CapturePolicy(Redaction(frozenset("*"), frozenset(), b"key"), labelled=True)}


def told(give: Callable[[str], Awaitable[None]]) -> list[tuple[str, int, str, str]]:
    """What the platform has taken once `give` was called with its URL: request id, row, output and label."""
    batches = LabelBatches("recorder-0", 10**6)
    endpoint = FeedbackEndpoint(lambda *named: POLICIES.get(named), batches, RecorderMetrics())

    async def asked() -> None:
        async with TestServer(endpoint.application(), host="127.0.0.1") as server:
            await give(str(server.make_url("/")))

    asyncio.run(asked())
    return [
        (label.request_id, label.row, label.output, label.label)
        for batch in batches.take(0, everything=True)
        for label in batch.labels
    ]


def test_labels_arrive_from_both_clients() -> None:
    async def give(url: str) -> None:
        async with AsyncClient(url, namespace="demo") as client:
            assert await client.feedback("loans", "order-1", 1, row=2) == 1
        with Client(url, namespace="demo") as client:
            items = [{"request_id": "order-2", "labels": {"price": 3.5}}, {"request_id": "order-3", "label": "cat"}]
            assert await asyncio.to_thread(client.feedback, "loans", items=items) == 2

    assert told(give) == [("order-1", 2, "", "1"), ("order-2", 0, "price", "3.5"), ("order-3", 0, "", "cat")]


def test_what_is_not_taken_is_told_in_the_platforms_words() -> None:
    async def give(url: str) -> None:
        async with AsyncClient(url, namespace="demo") as client:
            with pytest.raises(InvalidInput, match=r"no label was taken: .*label"):
                await client.feedback("loans", "order-1", "")
            with pytest.raises(Refused, match=r"needs spec\.monitoring\.feedback"):
                await client.feedback("quiet", "order-1", 1)

    assert told(give) == []
