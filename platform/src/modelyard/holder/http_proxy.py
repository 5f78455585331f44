"""HTTP through the holder: a body is read, waits, and goes to a pod as it came; the answer streams back as it comes.

A pod that refuses the connection has begun nothing, so the request waits again for another. One that breaks off later
may have begun: the client gets 502 and decides by itself.
"""

import asyncio
import time
from collections.abc import Mapping

import aiohttp
from aiohttp import web
from multidict import CIMultiDict

from modelyard.core.names import BACKEND_HEADER

from .endpoint_slices import Address, Held
from .holder_metrics import HolderMetrics
from .waiting_room import NoPodInTime, NoRoom, NotHeld, WaitingRoom

PORT_NAME = "http"
_OF_ONE_HOP = {
    "connection", "host", "keep-alive", "proxy-authenticate", "proxy-authorization", "te", "trailer",
    "transfer-encoding", "upgrade",
}  # fmt: skip
_CONNECT_SECONDS = 2.0
_PAUSE_SECONDS = 0.1
_CHUNK = 64 * 1024


class HttpProxy:
    """The handler of all paths and methods; `session` talks to pods."""

    def __init__(self, room: WaitingRoom, metrics: HolderMetrics, session: aiohttp.ClientSession) -> None:
        self._room, self._metrics, self._session = room, metrics, session

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """One request from the gateway."""
        held = Held.parse(request.headers.get(BACKEND_HEADER, ""))
        if held is None:
            return _error(400, f"the header {BACKEND_HEADER}: <namespace>/<revision> is missing; come by the gateway")
        began = time.monotonic()
        try:
            await self._room.name(held)
            body = await self._body(request, held)
            return await self._forward(request, held, body, began)
        except NotHeld as refused:
            self._metrics.refused("http", refused)
            return _error(503, f"{refused}.", {"Retry-After": str(refused.retry_after)})

    async def _body(self, request: web.Request, held: Held) -> bytes:
        """The whole body. Raises NoRoom when it is longer than all that may wait, or others have taken the room."""
        most, pieces, size = self._room.limits.bytes, list[bytes](), 0
        with self._room.reading(held) as more:
            async for piece in request.content.iter_any():
                size += len(piece)
                if size > most:
                    raise NoRoom(f"a body of more than {most} bytes cannot wait for {held}")
                more(len(piece))
                pieces.append(piece)
            return b"".join(pieces)

    async def _forward(self, request: web.Request, held: Held, body: bytes, began: float) -> web.StreamResponse:
        while True:
            address = await self._room.address(held, PORT_NAME, len(body), time.monotonic() - began)
            self._metrics.waited("http", time.monotonic() - began)
            try:
                answer = await self._session.request(
                    request.method,
                    f"http://{address}{request.raw_path}",
                    data=body or None,
                    headers=_passed_on(request.headers),
                    allow_redirects=False,
                )
            except aiohttp.ClientConnectorError:
                await self._rest(held, began)
                continue
            except aiohttp.ClientError as bad:
                return self._broken(address, bad)
            async with answer:
                return await self._back(request, answer)

    async def _rest(self, held: Held, began: float) -> None:
        """A pause before the next pod is asked. Raises NotHeld when the request has waited for long enough."""
        self._metrics.not_reached("http")
        if time.monotonic() - began >= self._room.limits.seconds:
            raise NoPodInTime(f"no pod of {held} takes connections")
        await asyncio.sleep(_PAUSE_SECONDS)

    async def _back(self, request: web.Request, answer: aiohttp.ClientResponse) -> web.StreamResponse:
        back = web.StreamResponse(status=answer.status, reason=answer.reason, headers=_passed_on(answer.headers))
        await back.prepare(request)
        try:
            async for chunk in answer.content.iter_chunked(_CHUNK):
                await back.write(chunk)
        except aiohttp.ClientError:
            self._metrics.broken("http")
            raise  # the connection to the gateway breaks, too: an answer cut short must not look whole
        await back.write_eof()
        self._metrics.forwarded("http")
        return back

    def _broken(self, address: Address, bad: aiohttp.ClientError) -> web.Response:
        self._metrics.broken("http")
        return _error(502, f"the pod at {address} broke off before it answered ({type(bad).__name__}).")


def client_session() -> aiohttp.ClientSession:
    """What talks to pods: no limit of time but for connecting, for the gateway has its own; bytes stay as they are."""
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_SECONDS)
    connector = aiohttp.TCPConnector(limit=0, force_close=False)
    return aiohttp.ClientSession(
        timeout=timeout, connector=connector, auto_decompress=False, cookie_jar=aiohttp.DummyCookieJar()
    )


def _passed_on(headers: Mapping[str, str]) -> CIMultiDict[str]:
    kept: CIMultiDict[str] = CIMultiDict()
    for name, value in headers.items():
        if name.lower() not in _OF_ONE_HOP:
            kept.add(name, value)
    return kept


def _error(status: int, sentence: str, headers: dict[str, str] | None = None) -> web.Response:
    return web.json_response({"error": sentence}, status=status, headers=headers)
