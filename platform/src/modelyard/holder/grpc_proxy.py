"""gRPC through the holder: messages are bytes that nobody reads, and every method is treated as a stream of them.

A call waits before its first message is taken, so flow control keeps its body with the client. Status, details and
trailing metadata come back as the pod gave them; a client that goes away ends its call to the pod. Every call has a
channel of its own, which costs no connection: gRPC shares those to the same pod among channels.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import grpc
from grpc import aio

from modelyard.core.names import BACKEND_HEADER

from .endpoint_slices import Held
from .holder_metrics import HolderMetrics
from .waiting_room import NoPodInTime, NotHeld, WaitingRoom

PORT_NAME = "grpc"
_OF_ONE_HOP = {"te", "content-type", "user-agent", "grpc-accept-encoding", "grpc-encoding"}
_UNLIMITED = (("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1))
_CONNECT_SECONDS = 2.0
_PAUSE_SECONDS = 0.1

Context = aio.ServicerContext[Any, Any]


class GrpcProxy(grpc.GenericRpcHandler):
    """The handler of all methods."""

    def __init__(self, room: WaitingRoom, metrics: HolderMetrics) -> None:
        self._room, self._metrics = room, metrics

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> "grpc.RpcMethodHandler[Any, Any]":
        """Takes any method, known to us or not."""
        method = handler_call_details.method

        async def behaviour(requests: AsyncIterator[bytes], context: Context) -> AsyncIterator[bytes]:
            async for message in self._answers(method, requests, context):
                yield message

        return grpc.stream_stream_rpc_method_handler(behaviour)

    async def _answers(self, method: str, requests: AsyncIterator[bytes], context: Context) -> AsyncIterator[bytes]:
        metadata = [(name, value) for name, value in context.invocation_metadata() or () if name not in _OF_ONE_HOP]
        held = Held.parse(str(dict(metadata).get(BACKEND_HEADER, "")))
        if held is None:
            said = f"the metadata {BACKEND_HEADER}: <namespace>/<revision> is missing; come by the gateway."
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, said)
        try:
            channel = await self._reached(held)
        except NotHeld as refused:
            self._metrics.refused("grpc", refused)
            trailing = (("retry-after", str(refused.retry_after)),)
            await context.abort(grpc.StatusCode.UNAVAILABLE, f"{refused}.", trailing)
        async with channel:
            call = channel.stream_stream(method)(requests, timeout=context.time_remaining(), metadata=metadata)
            try:
                await context.send_initial_metadata(tuple(await call.initial_metadata()))
                async for message in call:
                    yield message
                context.set_trailing_metadata(tuple(await call.trailing_metadata()))
            except aio.AioRpcError as ended:
                await context.abort(ended.code(), ended.details() or "", tuple(ended.trailing_metadata()))
            finally:
                self._metrics.forwarded("grpc")
                call.cancel()

    async def _reached(self, held: Held) -> aio.Channel:
        """A channel to a ready pod that has taken the connection. Raises NotHeld."""
        began = time.monotonic()
        while True:
            address = await self._room.address(held, PORT_NAME, 0, time.monotonic() - began)
            channel = aio.insecure_channel(str(address), options=_UNLIMITED)
            left = self._room.limits.seconds - (time.monotonic() - began)
            try:
                await asyncio.wait_for(channel.channel_ready(), max(0.0, min(_CONNECT_SECONDS, left)))
            except BaseException as bad:
                await channel.close()
                if not isinstance(bad, TimeoutError):
                    raise
                self._metrics.not_reached("grpc")
                if left <= _CONNECT_SECONDS:
                    raise NoPodInTime(f"no pod of {held} takes connections") from None
                await asyncio.sleep(_PAUSE_SECONDS)
                continue
            self._metrics.waited("grpc", time.monotonic() - began)
            return channel


def server(proxy: GrpcProxy) -> aio.Server:
    """A server for that handler, without a port yet."""
    return aio.server(handlers=[proxy], options=_UNLIMITED)
