"""S3 as far as a download asks for it: files of builds out of the folder, all else from the store.

| asked for | answered |
|---|---|
| HEAD of a file of a build | from the build's report; the SHA-256 is its ETag |
| GET of one, in whole or a range | out of the folder; what is not there is fetched whole first, once for all who wait |
| the same, and it takes longer than PATIENCE_SECONDS, or finds no room | by the store, while the fetching goes on |
| a listing, any other key | by the store |
| anything that is not signed with the reader's keys | 403 |
| anything but GET and HEAD | 405 |

A store that hangs holds threads of its own, so that what is here is given out all the same.
"""

import asyncio
import logging
import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple, Protocol
from urllib.parse import parse_qsl, unquote
from xml.sax.saxutils import escape

import aiohttp
from aiohttp import web

from modelyard.api.entry import EntryFile
from modelyard.errors import ModelyardError

from .build_files import BuildFiles, Reports
from .cache_metrics import NodeCacheMetrics
from .kept_files import PIECE, Damaged, KeptFiles, OpenFile, WrongContent
from .request_signature import ReaderKeys, refusal
from .store_requests import StoreRequests, break_off

PATIENCE_SECONDS = 25.0
"""KServe's storage initializer gives up after 30 s without a byte; until then a second copy would share the link."""
_RANGE = re.compile(r"bytes=(\d*)-(\d*)")
_ATTEMPTS = 2
_AT_ONCE = 8
"""Files that are fetched, and reports that are read, at a time."""
_log = logging.getLogger(__name__)


class FileStore(Reports, Protocol):
    """The store as far as files are fetched from it."""

    def download(self, key: str, path: Path) -> bool: ...


class _Slice(NamedTuple):
    """The bytes that are asked for, from the first to the last; `partial` when a range was named."""

    first: int
    last: int
    partial: bool


class NodeCacheFront:
    """The handler of all paths and methods."""

    def __init__(
        self, store: FileStore, bucket: str, keys: Callable[[], ReaderKeys], kept: KeptFiles, passed: StoreRequests
    ) -> None:
        self._store, self._bucket, self._keys, self._kept, self._passed = store, bucket, keys, kept, passed
        self._files = BuildFiles(store)
        self._fetching: dict[str, asyncio.Task[bool]] = {}
        self._fetchers, self._readers = (ThreadPoolExecutor(_AT_ONCE, name) for name in ("fetch", "report"))
        self.metrics = NodeCacheMetrics(lambda: kept.size)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """One request of a pod's."""
        if request.method not in ("GET", "HEAD"):
            return _error(405, "MethodNotAllowed", "only what reads is taken here")
        refused = refusal(request.method, request.raw_path, request.headers, self._keys(), time.time())
        if refused:
            return _error(403, "AccessDenied", refused)
        try:
            return await self._answer(request)
        except (ModelyardError, aiohttp.ClientError) as away:
            _log.warning("not answered", extra={"fields": {"path": request.path, "error": str(away)}})
            return _error(503, "ServiceUnavailable", "the store does not answer")
        except WrongContent as wrong:
            _log.error("not what its report says", extra={"fields": {"path": request.path, "error": str(wrong)}})
            return _error(500, "InternalError", f"{request.path} is not what the build's report says: {wrong}")

    def close(self) -> None:
        """What waits to be fetched is not."""
        for threads in (self._fetchers, self._readers):
            threads.shutdown(wait=False, cancel_futures=True)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        path, _, query = request.raw_path.partition("?")
        options = dict(parse_qsl(query, keep_blank_values=True))
        bucket, _, key = unquote(path).lstrip("/").partition("/")
        if not key:
            self._files.listed(options.get("prefix", ""))
        plain = bucket == self._bucket and key != "" and set(options) <= {"x-id"}
        file = await asyncio.get_running_loop().run_in_executor(self._readers, self._files.of, key) if plain else None
        if file is None:
            return await self._passed.pass_on(request)
        return await self._file(request, key, file)

    async def _file(self, request: web.Request, key: str, file: EntryFile) -> web.StreamResponse:
        tag = f'"{file.sha256}"'
        if request.headers.get("If-Match", tag) not in (tag, "*"):
            return _error(412, "PreconditionFailed", "the file is another one by now")
        asked = _slice(request.headers.get("Range", ""), file.size)
        if asked is None:
            return _error(416, "InvalidRange", f"the file has {file.size} bytes")
        response = web.StreamResponse(status=206 if asked.partial else 200)
        response.headers.update({"ETag": tag, "Accept-Ranges": "bytes", "Content-Type": "application/octet-stream"})
        response.content_length = asked.last + 1 - asked.first
        if asked.partial:
            response.headers["Content-Range"] = f"bytes {asked.first}-{asked.last}/{file.size}"
        if request.method == "HEAD" or not response.content_length:
            await response.prepare(request)
            return response
        for _ in range(_ATTEMPTS):
            opened = await self._opened(key, file)
            if opened is None:
                break
            try:
                await self._sent(request, response, opened, asked)
                return response
            except Damaged:
                self._thrown_away(key, file)
                if response.prepared:
                    break_off(request)
                    return response
            finally:
                opened.close()
        self.metrics.asked("passed")
        return await self._passed.pass_on(request, tag)

    async def _opened(self, key: str, file: EntryFile) -> OpenFile | None:
        """The file, fetched where it was not here; None when it is not here in time, or has no room.

        Raises WrongContent, and OutsideError when the store does not give it.
        """
        source = "node"
        if not await asyncio.to_thread(self._kept.has, file.sha256):
            source = "store"
            task = self._fetching.get(file.sha256)
            if task is None:
                task = self._fetching[file.sha256] = asyncio.create_task(self._fetched(key, file))
            done, _ = await asyncio.wait({task}, timeout=PATIENCE_SECONDS)
            if not done or not task.result():
                return None
        opened = self._kept.open(file.sha256)
        if opened is not None:
            self.metrics.asked(source)
        return opened

    async def _fetched(self, key: str, file: EntryFile) -> bool:
        began = time.monotonic()
        try:
            kept = await asyncio.get_running_loop().run_in_executor(
                self._fetchers, self._kept.add, file.sha256, file.size, lambda path: self._store.download(key, path)
            )
        except OSError as full:  # the disk, or a file that the store does not have
            _log.warning("not kept", extra={"fields": {"key": key, "error": str(full)}})
            return False
        finally:
            self._fetching.pop(file.sha256, None)
        if kept:
            self.metrics.fetched(file.size)
            seconds = round(time.monotonic() - began, 3)
            _log.info("kept", extra={"fields": {"key": key, "bytes": file.size, "seconds": seconds}})
        return kept

    async def _sent(self, request: web.Request, response: web.StreamResponse, opened: OpenFile, asked: _Slice) -> None:
        """Sends what is asked for, piece by piece. Raises Damaged before a piece is sent that has changed."""
        for number in range(asked.first // PIECE, asked.last // PIECE + 1):
            content = await asyncio.to_thread(opened.piece, number)
            if not response.prepared:
                await response.prepare(request)
            start = number * PIECE
            part = content[max(0, asked.first - start) : asked.last + 1 - start]
            await response.write(part)
            self.metrics.sent(len(part))
        await response.write_eof()

    def _thrown_away(self, key: str, file: EntryFile) -> None:
        _log.error("damaged, so no longer kept", extra={"fields": {"key": key}})
        self.metrics.damaged()
        self._kept.forget(file.sha256)


def _slice(header: str, size: int) -> _Slice | None:
    """The bytes that a Range header means of a file with `size` bytes; None when it has none of them."""
    named = _RANGE.fullmatch(header)
    if named is None or named[1] == named[2] == "":
        return _Slice(0, size - 1, partial=False)
    if not named[1]:
        first, last = max(0, size - int(named[2])), size - 1
    else:
        first, last = int(named[1]), min(int(named[2] or size - 1), size - 1)
    return _Slice(first, last, partial=True) if first <= last else None


def _error(status: int, code: str, message: str) -> web.Response:
    body = f"<Error><Code>{code}</Code><Message>{escape(message)}</Message></Error>"
    return web.Response(status=status, text=f'<?xml version="1.0"?>\n{body}', content_type="application/xml")
