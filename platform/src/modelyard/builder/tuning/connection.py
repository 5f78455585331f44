"""One kept HTTP/1.1 connection to a Triton of this machine, as cheap as Python allows: the client must not be the
bottleneck of what it measures. Triton says the length of every answer, so nothing else is understood."""

import asyncio
import re
from collections.abc import Callable
from typing import cast

from modelyard.builder.triton.v2_http import RequestBody

FAILED = 0
_LENGTH = re.compile(rb"\r\ncontent-length: *([0-9]+)", re.IGNORECASE)
_END = b"\r\n\r\n"

Answered = Callable[["Connection", int], None]


class Connection(asyncio.Protocol):
    """Sends one request after the other and tells `answered` the status of each; FAILED when the server hung up."""

    def __init__(self, answered: Answered) -> None:
        self._answered, self._buffer, self._waits = answered, b"", False
        self._transport: asyncio.Transport | None = None
        self.due = 0.0
        """When the request under way was due, on the loop's clock."""

    @property
    def open(self) -> bool:
        """Whether requests can be sent."""
        return self._transport is not None

    def send(self, request: bytes, due: float) -> None:
        """Sends a request; there must be none under way."""
        self.due, self._waits = due, True
        if self._transport is None:
            self._finish(FAILED)
        else:
            self._transport.write(request)

    def close(self) -> None:
        """Hangs up; a request under way is not told of any more."""
        self._waits = False
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._finish(FAILED)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head = self._buffer.find(_END)
        if head < 0:
            return
        length = _LENGTH.search(self._buffer, 0, head + len(_END))
        if length is None:
            self.close()
        elif len(self._buffer) >= head + len(_END) + int(length[1]):
            status, self._buffer = int(self._buffer[9:12]), b""
            self._finish(status)

    def _finish(self, status: int) -> None:
        if self._waits:
            self._waits = False
            self._answered(self, status)


def request_bytes(model: str, body: RequestBody) -> bytes:
    """An inference request with that body as it goes over the wire."""
    headers = {"Host": "localhost", "Content-Length": str(len(body.content)), **body.headers}
    lines = [f"POST /v2/models/{model}/infer HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode() + body.content
