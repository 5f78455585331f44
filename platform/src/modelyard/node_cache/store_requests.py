"""Requests that the store itself answers: passed on as they came, signed anew, because a signature names its host."""

import logging
from collections.abc import Callable, Mapping

import aiohttp
from aiohttp import web
from yarl import URL

from modelyard.settings import StoreSettings

from .request_signature import ReaderKeys

_ASKED = ("Range", "If-Match", "If-None-Match")
_ANSWERED = (
    "Accept-Ranges", "Content-Length", "Content-Range", "Content-Type", "ETag", "Last-Modified", "Retry-After",
)  # fmt: skip
_CHUNK = 256 * 1024
_LIMITS = aiohttp.ClientTimeout(total=None, sock_connect=5, sock_read=60)
_log = logging.getLogger(__name__)


class StoreRequests:
    """Passes requests on to the store with the keys that hold now."""

    def __init__(self, settings: StoreSettings, keys: Callable[[], ReaderKeys]) -> None:
        self._endpoint = settings.endpoint.rstrip("/") or f"https://s3.{settings.region}.amazonaws.com"
        self._region, self._keys = settings.region, keys
        self._session = aiohttp.ClientSession(timeout=_LIMITS, auto_decompress=False, trust_env=False)

    async def pass_on(self, request: web.Request, tag: str = "") -> web.StreamResponse:
        """The store's answer to a request, streamed. Raises aiohttp.ClientError when it gives none.

        One that breaks off ends the connection, too: an answer cut short must not look whole. With a `tag` the client
        knows the file by that ETag, which the store does not: it is not asked about it, and the answer has it.
        """
        url = f"{self._endpoint}{request.raw_path}"
        asked = {name: request.headers[name] for name in _ASKED if name in request.headers}
        if tag:
            asked = {name: value for name, value in asked.items() if name == "Range"}
        headers = _signed(request.method, url, asked, self._keys(), self._region)
        async with self._session.request(
            request.method, URL(url, encoded=True), headers=headers, allow_redirects=False
        ) as answer:
            given = {name: answer.headers[name] for name in _ANSWERED if name in answer.headers}
            given |= {"ETag": tag} if tag and answer.ok else {}
            response = web.StreamResponse(status=answer.status, headers=given)
            await response.prepare(request)
            try:
                if request.method != "HEAD":
                    async for piece in answer.content.iter_chunked(_CHUNK):
                        await response.write(piece)
                await response.write_eof()
            except aiohttp.ClientError as broken:
                _log.warning("broken off", extra={"fields": {"path": request.path, "error": str(broken)}})
                break_off(request)
            return response

    async def close(self) -> None:
        """Ends the connections to the store."""
        await self._session.close()


def break_off(request: web.Request) -> None:
    """Ends the connection before the answer does, so that the client asks again."""
    if request.transport is not None:
        request.transport.abort()


def _signed(method: str, url: str, headers: Mapping[str, str], keys: ReaderKeys, region: str) -> dict[str, str]:
    from botocore.auth import S3SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials

    request = AWSRequest(method=method, url=url, headers=dict(headers))
    S3SigV4Auth(Credentials(*keys), "s3", region).add_auth(request)
    return {name: str(value) for name, value in request.headers.items()}
