"""One holder: three ports and a watch, until it is told to stop.

| port | who comes | what for |
|---|---|---|
| `http`, `grpc` | the gateway | requests for revisions at zero |
| `status` | the operator, the kubelet, Prometheus | to read `/waiting`, `/healthz`, `/readyz`, `/metrics` |

It writes nothing anywhere: the operator asks what waits, `/waiting?after=VERSION&seconds=20`, and is answered as soon
as that differs from what it was at VERSION.

Told to stop, it says at `/readyz` that it is not ready, so that the gateway sends nothing new; what waits goes on
waiting for a pod, and the process ends when nothing is under way any more, or when the longest wait is over.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import web

from .grpc_proxy import GrpcProxy, server
from .holder_metrics import HolderMetrics
from .http_proxy import HttpProxy, client_session
from .waiting_room import Limits, Slices, WaitingRoom

_MOST_SECONDS = 30.0
_LEAVING_SECONDS = 3.0
"""From telling the gateway that this pod goes to when nothing new comes any more."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class HolderPorts:
    """Where a holder listens; 0 asks for any free port, and `Holder.ports` says which it is."""

    http: int = 8080
    grpc: int = 9000
    status: int = 9090


class Holder:
    """The servers of one process, in one event loop: `start`, then `finish`; not ready while there is `trouble`."""

    def __init__(self, slices: Slices, limits: Limits, trouble: Callable[[], str], address: str = "0.0.0.0") -> None:  # noqa: S104 - in a pod
        self.room = WaitingRoom(slices, limits)
        self._trouble = trouble
        self._address = address
        self._metrics = HolderMetrics()
        self._metrics.watch(self.room.waiting)
        self._session = client_session()
        self._leaving = False
        self._http = HttpProxy(self.room, self._metrics, self._session)
        self._grpc_server = server(GrpcProxy(self.room, self._metrics))
        self._runners: list[web.AppRunner] = []
        self.ports = HolderPorts()

    async def start(self, ports: HolderPorts) -> None:
        """Listens."""
        http = web.Application()
        http.router.add_route("*", "/{path:.*}", self._http.handle)
        status = web.Application()
        status.add_routes(
            [
                web.get("/waiting", self._waiting),
                web.get("/healthz", self._healthy),
                web.get("/readyz", self._ready),
                web.get("/metrics", self._measured),
            ]
        )
        grpc_port = self._grpc_server.add_insecure_port(f"{self._address}:{ports.grpc}")
        await self._grpc_server.start()
        self.ports = HolderPorts(
            await self._listen(http, ports.http), grpc_port, await self._listen(status, ports.status)
        )
        _log.info("holding", extra={"fields": {"http": self.ports.http, "grpc": self.ports.grpc}})

    async def finish(self, leaving_seconds: float = _LEAVING_SECONDS) -> None:
        """Ends once nothing new comes and what waits has been answered, or the longest wait is over."""
        self._leaving = True
        _log.info("stopping", extra={"fields": self.room.waiting()})
        await asyncio.sleep(leaving_seconds)
        patience = self.room.limits.seconds
        http, status = self._runners
        await asyncio.gather(self._grpc_server.stop(patience), http.cleanup())
        self.room.close()
        await status.cleanup()
        await self._session.close()

    async def _listen(self, app: web.Application, port: int) -> int:
        patience = self.room.limits.seconds
        runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=patience)
        await runner.setup()
        await web.TCPSite(runner, self._address, port).start()
        self._runners.append(runner)
        return int(runner.addresses[0][1])

    async def _waiting(self, request: web.Request) -> web.Response:
        try:
            after = int(request.query.get("after", "-1"))
            seconds = min(_MOST_SECONDS, max(0.0, float(request.query.get("seconds", "0"))))
        except ValueError:
            said = "after is a version and seconds a number, as in /waiting?after=3&seconds=20"
            return web.json_response({"error": said}, status=400)
        return web.json_response(await self.room.waiting_after(after, seconds))

    async def _healthy(self, _: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def _ready(self, _: web.Request) -> web.Response:
        if self._leaving:
            return web.Response(status=503, text="leaving\n")
        trouble = self._trouble()
        return web.Response(status=503, text=f"{trouble}\n") if trouble else web.Response(text="ok\n")

    async def _measured(self, _: web.Request) -> web.Response:
        return web.Response(body=self._metrics.text(), headers={"Content-Type": "text/plain; version=0.0.4"})
