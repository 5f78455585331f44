"""One recorder: a port for the gateway's copies, one for who watches it, and a minute written as soon as it is over.

| port | who comes | what for |
|---|---|---|
| `grpc` | the gateway | copies of requests and answers |
| `status` | the kubelet, Prometheus | `/healthz`, `/readyz`, `/metrics` |

Told to stop, it takes nothing new, and writes every minute it has, the one that runs too. Killed, it loses the rows
since the last minute that was written. Four times an hour it deletes the days that no Model wants any more.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from aiohttp import web

from modelyard.core.storage.object_store import Store

from .minutes import Minutes, write
from .receiver import Receiver, receiving
from .recorder_metrics import RecorderMetrics
from .retention import sweep

_LOOK_SECONDS = 1.0
_AWAY_SECONDS = 15.0
"""Between attempts while the store does not take a minute."""
_SWEEP_SECONDS = 900.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class RecorderPorts:
    """Where a recorder listens; 0 asks for any free port, and `Recorder.ports` says which it is."""

    grpc: int = 9002
    status: int = 9090


class Recorder:
    """The servers of one process, in one event loop: `start`, then `finish`; not ready while there is `trouble`."""

    def __init__(
        self, receiver: Receiver, minutes: Minutes, store: Store, metrics: RecorderMetrics,
        trouble: Callable[[], str], days_of: Callable[[str, str], int], address: str = "0.0.0.0",  # noqa: S104 - in a pod
        read_again: Callable[[], None] = lambda: None,
    ) -> None:  # fmt: skip
        self._minutes, self._store, self._metrics = minutes, store, metrics
        self._trouble, self._address = trouble, address
        self._receiver = receiver
        self._days_of, self._read_again = days_of, read_again
        self._tasks: list[asyncio.Task[None]] = []
        self._leaving = False
        self._away = False
        metrics.watch(lambda: minutes.bytes, lambda: receiver.open)
        self.ports = RecorderPorts()

    async def start(self, ports: RecorderPorts) -> None:
        """Listens, and begins to write."""
        status = web.Application()
        status.add_routes(
            [
                web.get("/healthz", self._healthy),
                web.get("/readyz", self._ready),
                web.get("/metrics", self._measured),
            ]
        )
        self._server, grpc_port = receiving(self._receiver, f"{self._address}:{ports.grpc}")
        await self._server.start()
        self._runner = web.AppRunner(status, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, self._address, ports.status).start()
        self.ports = RecorderPorts(grpc_port, int(self._runner.addresses[0][1]))
        self._tasks = [asyncio.create_task(self._write_forever()), asyncio.create_task(self._sweep_forever())]
        _log.info("recording", extra={"fields": {"grpc": self.ports.grpc}})

    async def finish(self, patience: float = 5.0) -> None:
        """Ends within about `patience` seconds for what is under way, and writes all that it has."""
        self._leaving = True
        await self._server.stop(patience)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        left = await self._write(everything=True)
        _log.info("stopped", extra={"fields": {"minutes lost": left}})
        await self._runner.cleanup()

    async def _write_forever(self) -> None:
        while True:
            await asyncio.sleep(_AWAY_SECONDS if self._away else _LOOK_SECONDS)
            self._away = bool(await self._write())
            await asyncio.to_thread(self._read_again)

    async def _sweep_forever(self) -> None:
        while True:
            await asyncio.sleep(_SWEEP_SECONDS)
            await asyncio.to_thread(sweep, self._store, datetime.now(UTC).date(), self._days_of)

    async def _write(self, everything: bool = False) -> int:
        """How many minutes the store did not take."""
        over = self._minutes.take(time.time(), everything)
        left = await asyncio.shield(asyncio.to_thread(write, self._store, over, self._metrics))
        self._minutes.put_back(left)
        return len(left)

    async def _healthy(self, _: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def _ready(self, _: web.Request) -> web.Response:
        trouble = "leaving" if self._leaving else self._trouble()
        return web.Response(status=503, text=f"{trouble}\n") if trouble else web.Response(text="ok\n")

    async def _measured(self, _: web.Request) -> web.Response:
        return web.Response(body=self._metrics.text(), headers={"Content-Type": "text/plain; version=0.0.4"})
