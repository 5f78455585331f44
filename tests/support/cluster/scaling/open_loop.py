"""An open loop over HTTP: requests are due whether answers come or not, as those of independent users are.

    with OpenLoop("digits", namespace, [LoadPhase(60, 8.0), LoadPhase(60, 16.0)]) as load:
        answers = load.ended()

Gaps between requests are exponential, and the same in every run, or all `even`. What an answer took counts from when
its request was due. The loop lives in a thread of its own; a phase's rate is in requests a second.
"""

import asyncio
import random
import threading
import time
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import aiohttp
import numpy as np

from modelyard.core.names import REVISION_HEADER
from tests.support.cluster.models import gateway, host

MOST_REQUESTS = 60_000
_SECONDS = 60.0
"""Longer than the gateway lets a request wait."""
_TENSOR, _SHAPE = "input", (1, 1, 8, 8)


class LoadPhase(NamedTuple):
    """So many seconds with so many requests each."""

    seconds: float
    rate: float


class LoopAnswer(NamedTuple):
    """When a request was due (epoch seconds), what its answer took from then on, its HTTP status, and who gave it.

    Status 0 is no answer at all; `failure` then says what the client met.
    """

    due: float
    seconds: float
    status: int
    revision: str
    failure: str = ""


class _Request:
    """One prediction of a Model of digits, as the gateway is asked for it."""

    def __init__(self, model: str, namespace: str) -> None:
        self._url = f"http://{gateway()}/v2/models/{model}/infer"
        self._headers = {"Host": host(model, namespace)}
        values = np.full(_SHAPE, 0.5, np.float32).ravel().tolist()
        self._body = {"inputs": [{"name": _TENSOR, "shape": list(_SHAPE), "datatype": "FP32", "data": values}]}

    async def ask(self, session: aiohttp.ClientSession, due: float) -> LoopAnswer:
        status, revision, failure = 0, "", ""
        try:
            async with session.post(self._url, json=self._body, headers=self._headers) as answer:
                await answer.read()
                status, revision = answer.status, answer.headers.get(REVISION_HEADER, "")
        except (aiohttp.ClientError, TimeoutError) as bad:
            failure = f"{type(bad).__name__}: {bad}"
        return LoopAnswer(due, time.time() - due, status, revision, failure)


def lost(answers: Sequence[LoopAnswer]) -> list[LoopAnswer]:
    """Those that are none."""
    return [answer for answer in answers if answer.status != 200]


class OpenLoop:
    """Use as a context manager; `changes` are the epoch seconds at which phases begin, the end of the last included."""

    def __init__(self, model: str, namespace: str, phases: Sequence[LoadPhase], *, even: bool = False) -> None:
        assert sum(phase.seconds * phase.rate for phase in phases) < MOST_REQUESTS, "fewer, or slower"
        self._request, self._phases, self._even = _Request(model, namespace), tuple(phases), even
        self._stop = threading.Event()
        self._answers: list[LoopAnswer] = []
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True)
        self.changes: list[float] = []

    def __enter__(self) -> "OpenLoop":
        begin = time.time()
        self.changes = [
            begin + sum(phase.seconds for phase in self._phases[:at]) for at in range(len(self._phases) + 1)
        ]
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def ended(self) -> list[LoopAnswer]:
        """All answers, once the last phase is over and nothing is under way."""
        self._thread.join()
        return sorted(self._answers)

    async def _run(self) -> None:
        async with _session() as session, asyncio.TaskGroup() as asked:
            for due in self._arrivals():
                while (left := due - time.time()) > 0 and not self._stop.is_set():
                    await asyncio.sleep(min(left, 0.5))
                if self._stop.is_set():
                    return
                asked.create_task(self._ask(session, due))

    def _arrivals(self) -> Iterator[float]:
        draw = random.Random(1)
        for begin, phase in zip(self.changes, self._phases, strict=False):
            due = begin
            while (due := due + self._gap(draw, phase.rate)) < begin + phase.seconds:
                yield due

    def _gap(self, draw: random.Random, rate: float) -> float:
        return 1 / rate if self._even else draw.expovariate(rate)

    async def _ask(self, session: aiohttp.ClientSession, due: float) -> None:
        self._answers.append(await self._request.ask(session, due))


def saturated(model: str, namespace: str, users: int, seconds: float) -> float:
    """Requests a second that are answered while so many users ask one after the other."""
    request, end = _Request(model, namespace), time.monotonic() + seconds

    async def user(session: aiohttp.ClientSession) -> int:
        answered = 0
        while time.monotonic() < end:
            answered += (await request.ask(session, time.time())).status == 200
        return answered

    async def run() -> int:
        async with _session() as session:
            return sum(await asyncio.gather(*(user(session) for _ in range(users))))

    return asyncio.run(run()) / seconds


def _session() -> aiohttp.ClientSession:
    timeout = aiohttp.ClientTimeout(total=_SECONDS)
    return aiohttp.ClientSession(timeout=timeout, connector=aiohttp.TCPConnector(limit=0))
