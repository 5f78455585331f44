"""Connections over HTTP/1.1, blocking and awaiting, kept open between requests.

httpx's engine, httpcore, is called directly: what httpx adds for browsers' needs (cookies, redirects, proxies of the
environment) costs as much as the request itself, and none of it is wanted here.
"""

import ssl
import time
from collections.abc import Mapping
from typing import Any

import httpcore
import httpx

from modelyard.clients.inference.name_lookup import failed_lookup
from modelyard.errors import ModelyardError

from .calls import Call, ClientOptions
from .failures import broken, too_late, unbegun, unknown_name, unreadable
from .http_requests import HttpWire, WireAnswer, WireRequest

_CONNECT_SECONDS = 5.0
_UNBEGUN = (httpcore.ConnectError, httpcore.ConnectTimeout, httpcore.PoolTimeout)


class HttpConnection:
    """Blocking; safe to share between threads."""

    def __init__(self, options: ClientOptions) -> None:
        self._wire = HttpWire(options.token, options.binary)
        self._pool = httpcore.ConnectionPool(**_pool_options(options))

    def ask(self, call: Call, seconds: float) -> Any:
        """The answer's value, within `seconds`; raises what `failures.py` names."""
        request, end = self._wire.request(call), time.monotonic() + seconds
        try:
            with self._pool.stream(*request[:2], **_details(call, request, seconds)) as response:
                pieces = []
                for piece in response.iter_stream():
                    pieces.append(piece)
                    if time.monotonic() > end:
                        raise too_late(call.endpoint, seconds)
        except (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError) as bad:
            raise _failed(call, bad, seconds) from bad
        return self._wire.value(call, _answer(response, pieces))

    def close(self) -> None:
        """Closes the connections."""
        self._pool.close()


class AsyncHttpConnection:
    """The same for one event loop."""

    def __init__(self, options: ClientOptions) -> None:
        self._wire = HttpWire(options.token, options.binary)
        self._pool = httpcore.AsyncConnectionPool(**_pool_options(options))

    async def ask(self, call: Call, seconds: float) -> Any:
        """See `HttpConnection.ask`."""
        request, end = self._wire.request(call), time.monotonic() + seconds
        try:
            async with self._pool.stream(*request[:2], **_details(call, request, seconds)) as response:
                pieces = []
                async for piece in response.aiter_stream():
                    pieces.append(piece)
                    if time.monotonic() > end:
                        raise too_late(call.endpoint, seconds)
        except (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError) as bad:
            raise _failed(call, bad, seconds) from bad
        return self._wire.value(call, _answer(response, pieces))

    async def close(self) -> None:
        """Closes the connections."""
        await self._pool.aclose()


def _pool_options(options: ClientOptions) -> dict[str, Any]:
    return {"ssl_context": _trust(options.verify), "max_connections": options.connections, "keepalive_expiry": 30.0}


def _trust(verify: Any) -> ssl.SSLContext:
    if not isinstance(verify, str):
        return httpx.create_ssl_context(verify=verify, trust_env=False)
    try:
        return ssl.create_default_context(cafile=verify)
    except OSError as bad:  # ssl's own errors are of this kind
        raise unreadable(verify, bad) from bad


def _details(call: Call, request: WireRequest, seconds: float) -> Mapping[str, Any]:
    limits = {"connect": min(_CONNECT_SECONDS, seconds), "read": seconds, "write": seconds, "pool": seconds}
    extensions: dict[str, Any] = {"timeout": limits}
    if call.endpoint.host:
        extensions["sni_hostname"] = call.endpoint.host
    return {"headers": request.headers, "content": request.content, "extensions": extensions}


def _answer(response: httpcore.Response, pieces: list[bytes]) -> WireAnswer:
    headers = {name.lower().decode(): value.decode("latin-1") for name, value in response.headers}
    return WireAnswer(response.status, headers, b"".join(pieces))


def _failed(call: Call, bad: Exception, seconds: float) -> ModelyardError:
    """The error for what httpcore raises."""
    if failed_lookup(bad):
        return unknown_name(call.endpoint)
    cause = f"{type(bad).__name__} {bad}".strip()
    if isinstance(bad, _UNBEGUN):
        return unbegun(call.endpoint, cause)
    if isinstance(bad, httpcore.TimeoutException):
        return too_late(call.endpoint, seconds)
    return broken(call.endpoint, cause)
