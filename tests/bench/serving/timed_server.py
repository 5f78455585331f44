"""An HTTP server whose answers take what a table says, in a fixed random order: the times of all are known beforehand.

One thread and no framework, so that what it adds to a time is some tenths of a millisecond. It answers any request with
an empty inference, once its body is there.
"""

import asyncio
import math
import random
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import NormalDist
from threading import Event, Thread

_LENGTH = re.compile(rb"\r\ncontent-length: *([0-9]+)", re.IGNORECASE)
_BODY = b'{"model_name":"timed","outputs":[]}'
_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(_BODY), _BODY)


def log_normal(count: int, median: float, spread: float) -> list[float]:
    """Seconds: so many evenly chosen quantiles of a log-normal distribution, rising; `spread` is sigma."""
    normal = NormalDist(0.0, spread)
    return [median * math.exp(normal.inv_cdf((rank + 0.5) / count)) for rank in range(count)]


@dataclass
class TimedServer:
    """Where it listens, and the seconds that each answer really took, from the last byte of its request."""

    url: str = ""
    took: list[float] = field(default_factory=list)


class _Timed(asyncio.Protocol):
    def __init__(self, delays: Iterator[float], took: list[float], loop: asyncio.AbstractEventLoop) -> None:
        self._delays, self._took, self._loop, self._buffer = delays, took, loop, b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head = self._buffer.find(b"\r\n\r\n")
        length = _LENGTH.search(self._buffer, 0, head + 4) if head >= 0 else None
        if head < 0 or (length is not None and len(self._buffer) < head + 4 + int(length[1])):
            return
        self._buffer = b""
        self._loop.call_later(next(self._delays), self._answer, self._loop.time())

    def _answer(self, since: float) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(_ANSWER)
            self._took.append(self._loop.time() - since)


@contextmanager
def running(times: Sequence[float], seed: int = 1) -> Iterator[TimedServer]:
    """The server until the end of the block; as many requests in a row as there are `times` take each of them once."""
    order = list(times)
    random.Random(seed).shuffle(order)
    loop, ready, made = asyncio.new_event_loop(), Event(), TimedServer()
    delays = iter(order * 2)

    async def serve() -> None:
        server = await loop.create_server(lambda: _Timed(delays, made.took, loop), "127.0.0.1", 0)
        made.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        ready.set()

    thread = Thread(target=lambda: (loop.run_until_complete(serve()), loop.run_forever()), daemon=True)
    thread.start()
    ready.wait(30)
    try:
        yield made
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
