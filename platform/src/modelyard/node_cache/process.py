"""One cache: a port for pods, a port for the kubelet and Prometheus, until it is told to stop."""

import logging
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web
from pydantic import SecretStr

from modelyard.clients.store import S3Store
from modelyard.settings import StoreSettings

from .front import NodeCacheFront
from .kept_files import KeptFiles
from .reader_keys import MountedKeys
from .request_signature import ReaderKeys
from .store_requests import StoreRequests

_SPARE = 0.9
"""Of the volume: what is unlinked while it is being read takes place still."""
_SHUTDOWN_SECONDS = 20.0
_EVERYWHERE = "0.0.0.0"  # noqa: S104 - in a pod
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class NodeCachePorts:
    """Where a cache listens; 0 asks for any free port, and `NodeCache.ports` says which it is."""

    objects: int = 8334
    status: int = 9090


class NodeCache:
    """The servers of one process, in one event loop: `start`, then `finish`.

    `folder` is a volume of `size` bytes of its own, `keys` a folder with the keys that read the store of `settings`.
    """

    def __init__(
        self, settings: StoreSettings, keys: Path, folder: Path, size: int, address: str = _EVERYWHERE
    ) -> None:
        self._settings, self._address = settings, address
        self._mounted = MountedKeys(keys)
        self._known = self._mounted.current()
        self._store = S3Store(_with_keys(settings, self._known))
        self._passed = StoreRequests(settings, self._keys)
        kept = KeptFiles(folder, int(_SPARE * size))
        self.front = NodeCacheFront(self._store, settings.bucket, self._keys, kept, self._passed)
        self._runners: list[web.AppRunner] = []
        self.ports = NodeCachePorts()

    async def start(self, ports: NodeCachePorts) -> None:
        """Listens."""
        objects = web.Application()
        objects.router.add_route("*", "/{path:.*}", self.front.handle)
        status = web.Application()
        status.add_routes([web.get("/healthz", _healthy), web.get("/metrics", self._measured)])
        listening = [await self._listen(app, port) for app, port in ((objects, ports.objects), (status, ports.status))]
        self.ports = NodeCachePorts(*listening)
        _log.info("serving builds", extra={"fields": {"port": self.ports.objects}})

    async def finish(self) -> None:
        """Ends once what is under way has been answered."""
        for runner in self._runners:
            await runner.cleanup()
        self.front.close()
        await self._passed.close()

    def _keys(self) -> ReaderKeys:
        keys = self._mounted.current()
        if keys != self._known:
            self._known = keys
            self._store.renew(_with_keys(self._settings, keys))
        return keys

    async def _listen(self, app: web.Application, port: int) -> int:
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=_SHUTDOWN_SECONDS)
        await runner.setup()
        await web.TCPSite(runner, self._address, port).start()
        self._runners.append(runner)
        return int(runner.addresses[0][1])

    async def _measured(self, _: web.Request) -> web.Response:
        return web.Response(body=self.front.metrics.text(), headers={"Content-Type": "text/plain; version=0.0.4"})


async def _healthy(_: web.Request) -> web.Response:
    return web.Response(text="ok\n")


def _with_keys(settings: StoreSettings, keys: ReaderKeys) -> StoreSettings:
    secret = SecretStr(keys.secret_access_key)
    return settings.model_copy(update={"access_key_id": keys.access_key_id, "secret_access_key": secret})
