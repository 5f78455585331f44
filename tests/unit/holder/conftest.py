"""A holder that runs, with nothing ready behind it yet."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest
from grpc import aio

from modelyard.core.names import BACKEND_HEADER
from modelyard.holder.endpoint_slices import OURS, EndpointSlices
from modelyard.holder.process import Holder, HolderPorts
from modelyard.holder.waiting_room import Limits
from tests.support.servers.held_revision import BACKEND, HeldPod, endpoint_slice


@dataclass
class Running:
    """A holder, what it knows, and clients of it."""

    holder: Holder
    slices: EndpointSlices
    session: aiohttp.ClientSession
    channel: aio.Channel

    def name(self) -> None:
        """As the operator does when a revision goes to zero."""
        self.slices.take_in("ADDED", endpoint_slice(OURS, {"http": 1, "grpc": 2}))

    def unname(self) -> None:
        """As the operator does when the revision's replicas answer alone."""
        self.slices.take_in("DELETED", endpoint_slice(OURS, {"http": 1, "grpc": 2}))

    async def pod(self) -> HeldPod:
        """A pod that has just become ready."""
        pod = await HeldPod().start()
        pod.of(self.slices)
        return pod

    async def post(self, path: str = "/v2/infer", body: bytes = b"x", backend: str = BACKEND, **more: Any) -> Any:
        """Status, headers and body of one answer."""
        url = f"http://127.0.0.1:{self.holder.ports.http}{path}"
        headers = {BACKEND_HEADER: backend, **more} if backend else more
        async with self.session.post(url, data=body, headers=headers) as answer:
            return answer.status, answer.headers, await answer.read()

    async def call(self, *messages: bytes, backend: str = BACKEND, timeout: float = 100.0) -> tuple[list[bytes], Any]:
        """The answers of one gRPC call, and the call."""
        metadata = ((BACKEND_HEADER, backend), ("x-mine", "2")) if backend else ()
        call = self.channel.stream_stream("/inference.GRPCInferenceService/ModelInfer")(
            iter(messages), metadata=metadata, timeout=timeout
        )
        return [message async for message in call], call

    async def status(self, path: str) -> Any:
        """Status and text of an answer of the status port."""
        async with self.session.get(f"http://127.0.0.1:{self.holder.ports.status}{path}") as answer:
            return answer.status, await answer.text()

    async def until_waiting(self, requests: int) -> None:
        """Returns when so many requests wait."""
        while sum(one["requests"] for one in self.holder.room.waiting()["waiting"].values()) != requests:
            await asyncio.sleep(0.005)


@asynccontextmanager
async def running(limits: Limits, trouble: Callable[[], str]) -> AsyncIterator[Running]:
    """A holder for the time of a test."""
    slices = EndpointSlices(lambda held: holder.room.changed(held))
    holder = Holder(slices, limits, trouble, "127.0.0.1")
    await holder.start(HolderPorts(0, 0, 0))
    async with (
        aiohttp.ClientSession(auto_decompress=False) as session,
        aio.insecure_channel(f"127.0.0.1:{holder.ports.grpc}") as channel,
    ):
        yield Running(holder, slices, session, channel)
    await asyncio.wait_for(holder.finish(0.0), 60.0)


_LIMITS = Limits()
Story = Callable[[Running], Awaitable[None]]


@pytest.fixture
def tell() -> Callable[..., None]:
    """Runs a story with a holder, for 150 s at most, which only a hang takes."""

    def run(story: Story, limits: Limits = _LIMITS, trouble: Callable[[], str] = lambda: "") -> None:
        async def all_of_it() -> None:
            async with running(limits, trouble) as holder:
                await story(holder)

        asyncio.run(asyncio.wait_for(all_of_it(), 150.0))

    return run
