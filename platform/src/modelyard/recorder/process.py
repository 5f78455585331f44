"""One recorder: ports for the gateway's copies, labels and who watches it; a minute is written as soon as it is over.

| port | who comes | what for |
|---|---|---|
| `grpc` | the gateway | copies of requests and answers |
| `feedback` | the gateway | labels of answers |
| `status` | the kubelet, Prometheus | `/healthz`, `/readyz`, `/metrics` |

Told to stop, it takes nothing new, and writes every minute it has, the one that runs too. Killed, it loses the rows
and labels since the last minute that was written. Four times an hour it deletes the days that no Model wants any more.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from aiohttp import web

from modelyard.core.storage.object_store import Store

from .feedback import FeedbackEndpoint
from .label_batches import write_labels
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
    feedback: int = 9003


class Recorder:
    """The servers of one process, in one event loop: `start`, then `finish`; not ready while there is `trouble`."""

    def __init__(
        self, receiver: Receiver, minutes: Minutes, feedback: FeedbackEndpoint, store: Store, metrics: RecorderMetrics,
        trouble: Callable[[], str], days_of: Callable[[str, str], int], address: str = "0.0.0.0",  # noqa: S104 - in a pod
        read_again: Callable[[], None] = lambda: None,
    ) -> None:  # fmt: skip
        self._minutes, self._store, self._metrics = minutes, store, metrics
        self._trouble, self._address = trouble, address
        self._receiver, self._feedback = receiver, feedback
        self._days_of, self._read_again = days_of, read_again
        self._tasks: list[asyncio.Task[None]] = []
        self._leaving = False
        self._away = False
        metrics.watch(lambda: minutes.bytes, lambda: receiver.open)
        metrics.watch_labels(lambda: feedback.batches.bytes)
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
        self._runner = await self._serving(status, ports.status)
        self._labels_runner = await self._serving(self._feedback.application(), ports.feedback)
        self.ports = RecorderPorts(grpc_port, _port(self._runner), _port(self._labels_runner))
        self._tasks = [asyncio.create_task(self._write_forever()), asyncio.create_task(self._sweep_forever())]
        _log.info("recording", extra={"fields": {"grpc": self.ports.grpc}})

    async def finish(self, patience: float = 5.0) -> None:
        """Ends within about `patience` seconds for what is under way, and writes all that it has."""
        self._leaving = True
        await asyncio.gather(self._server.stop(patience), self._labels_runner.cleanup())
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        left = await self._write(everything=True)
        lost = sum(len(batch.labels) for batch in self._feedback.batches.take(time.time(), everything=True))
        self._metrics.labels("lost", lost)
        _log.info("stopped", extra={"fields": {"not written": left, "labels lost": lost}})
        await self._runner.cleanup()

    async def _write_forever(self) -> None:
        while True:
            await asyncio.sleep(_AWAY_SECONDS if self._away else _LOOK_SECONDS)
            try:
                self._away = bool(await self._write())
                await asyncio.to_thread(self._read_again)
            except Exception:  # noqa: BLE001 - a defect of ours in one minute keeps nobody from the next ones
                _log.exception("not written")

    async def _sweep_forever(self) -> None:
        while True:
            await asyncio.sleep(_SWEEP_SECONDS)
            try:
                await asyncio.to_thread(sweep, self._store, datetime.now(UTC).date(), self._days_of)
            except Exception:  # noqa: BLE001 - what is to be deleted is looked for again
                _log.exception("not swept")

    async def _write(self, everything: bool = False) -> int:
        """How many minutes and batches of labels the store did not take."""
        now, labels = time.time(), self._feedback.batches
        over, batches = self._minutes.take(now, everything), labels.take(now, everything)
        left = await asyncio.shield(asyncio.to_thread(write, self._store, over, self._metrics))
        self._minutes.put_back(left)
        unwritten = await asyncio.shield(
            asyncio.to_thread(write_labels, self._store, batches, labels.writer, self._metrics)
        )
        labels.put_back(unwritten)
        return len(left) + len(unwritten)

    async def _serving(self, application: web.Application, port: int) -> web.AppRunner:
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=5.0)
        await runner.setup()
        await web.TCPSite(runner, self._address, port).start()
        return runner

    async def _healthy(self, _: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def _ready(self, _: web.Request) -> web.Response:
        trouble = "leaving" if self._leaving else self._trouble()
        return web.Response(status=503, text=f"{trouble}\n") if trouble else web.Response(text="ok\n")

    async def _measured(self, _: web.Request) -> web.Response:
        return web.Response(body=self._metrics.text(), headers={"Content-Type": "text/plain; version=0.0.4"})


def _port(runner: web.AppRunner) -> int:
    return int(runner.addresses[0][1])
