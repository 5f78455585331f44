"""A Triton that is given one configuration after the other, and what is measured of each.

Its cores and ours are kept apart where the machine has enough of them, because a client that takes the server's time
measures itself.
"""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from modelyard.api.tuning.report import RatePoint, TunedSettings, TuningTrial
from modelyard.builder.triton.instance_settings import with_settings
from modelyard.builder.triton.server import TritonServer, ended, reasons, running
from modelyard.builder.triton.v2_http import RequestBody
from modelyard.core.failure_causes import End, blamed_for, failure
from modelyard.core.tuning.rates import OfferedRate, highest_kept, next_rate
from modelyard.core.tuning.search import TunedTrial
from modelyard.core.tuning.settings import ServerSettings

from .connection import request_bytes
from .load import LoadResult, offer, saturate

_ALONE_SECONDS, _WARM_UP_SECONDS = 0.5, 0.2
_FEWEST_REQUESTS, _SHORTEST, _THRESHOLDS = 200, 1.5, 8.0
"""A rate is offered for so many requests, seconds and thresholds at least: a queue that grows is to be seen."""
LONGEST = 8.0
"""Seconds for which a rate is offered at most."""
_TRIES = 3
"""How often a rate is offered until the client keeps up with it."""
_RELOAD_SECONDS = 120
_EXPLICIT = "--model-control-mode=explicit"


class ClientTooSlow(Exception):
    """The client is the bottleneck: `rate` is the requests a second it could still be trusted with."""

    def __init__(self, rate: float) -> None:
        super().__init__(f"the client cannot send more than some {rate:.0f} requests/s")
        self.rate = rate


@dataclass(frozen=True)
class LatencyTarget:
    """`percentile` percent of the answers within `threshold` seconds."""

    percentile: float
    threshold: float


@dataclass
class TuningBench:
    """A server, the request it is asked, and what counts; `seconds` are for how long a rate is offered at most."""

    server: TritonServer
    folder: Path
    config: str
    request: bytes
    objective: LatencyTarget
    cpus: int
    seconds: float = LONGEST
    highest: float = field(default=0.0, init=False)
    """The highest rate at which the client kept up."""

    def measure(self, settings: ServerSettings, to_beat: float = 0.0) -> tuple[TunedTrial, TuningTrial]:
        """What the server does with these settings, for the search and for people; `to_beat` as in `next_rate`.

        Raises ClientTooSlow when it does more than this client can ask, UnsupportedModel or HostFailure when the
        server does not run with them.
        """
        self._load(settings)
        objective, points = self.objective, list[RatePoint]()
        alone = self._saturate(1, _ALONE_SECONDS).quantile(objective.percentile)
        crowd = self._saturate(max(32, 2 * settings.instances * settings.batch), _ALONE_SECONDS)
        offered: list[OfferedRate] = []
        while alone <= objective.threshold and (rate := next_rate(offered, crowd.rate, to_beat)) is not None:
            points.append(self._offer(rate))
            offered.append(OfferedRate(rate, points[-1].kept))
        kept = highest_kept(offered)
        report = TuningTrial(
            settings=written(settings),
            requests_per_second=round(kept, 2),
            saturated=round(crowd.rate, 2),
            alone=_milliseconds(alone),
            points=tuple(sorted(points, key=lambda point: point.rate)),
        )
        return TunedTrial(settings, kept, crowd.rate, alone), report

    def _offer(self, rate: float) -> RatePoint:
        percentile, threshold = self.objective.percentile, self.objective.threshold
        seconds = min(self.seconds, max(_SHORTEST, _FEWEST_REQUESTS / rate, _THRESHOLDS * threshold))
        result = self._trustworthy(rate, seconds)
        self.highest = max(self.highest, rate)
        tail = result.quantile(percentile)
        count = len(result.took) + result.failed
        return RatePoint(
            rate=round(rate, 2),
            p50=_milliseconds(result.quantile(50.0)),
            tail=_milliseconds(tail),
            failed=round(result.failed / count, 4) if count else 1.0,
            kept=tail <= threshold and not result.overrun,
        )

    def _trustworthy(self, rate: float, seconds: float) -> LoadResult:
        port, threshold = self.server.http_port, self.objective.threshold
        for _ in range(_TRIES):
            result = self._sure(lambda: offer(port, self.request, rate, seconds, threshold))
            if result.trustworthy(threshold):
                return result
        raise ClientTooSlow(self.highest)

    def _saturate(self, connections: int, seconds: float) -> LoadResult:
        return self._sure(lambda: saturate(self.server.http_port, self.request, connections, seconds))

    def _sure(self, load: Callable[[], LoadResult]) -> LoadResult:
        """What the load gives; raises what ended the server, when it has."""
        try:
            result = load()
        except OSError as bad:
            raise ended(self.server) or failure("Triton", End(words=str(bad))) from bad
        if result.failed and not result.took and self.server.process.poll() is not None:
            raise failure("Triton", End(self.server.process.returncode, reasons(self.server.log)))
        return result

    def _load(self, settings: ServerSettings) -> None:
        """Has the server run the model with other settings, and warms it up."""
        import httpx

        (self.folder / "config.pbtxt").write_text(with_settings(self.config, settings, self.cpus))
        url = f"{self.server.url}/v2/repository/models/{self.folder.name}/load"
        try:
            response = httpx.post(url, timeout=_RELOAD_SECONDS, trust_env=False)
        except httpx.TransportError as bad:
            raise ended(self.server) or failure("Triton", End(words=str(bad))) from bad
        if response.status_code != 200:
            message = f"Triton does not run the model with {settings}: {response.text[:400]}"
            raise blamed_for(response.text, message, "Triton")
        self._saturate(2, _WARM_UP_SECONDS)


@contextmanager
def bench(
    home: Path, repository: Path, model: str, body: RequestBody, objective: LatencyTarget, cpus: int
) -> Iterator[TuningBench]:
    """A server on `cpus` cores for a copy of the model in REPOSITORY; stopped, and the copy removed, when the block
    ends. Raises what `running` raises."""
    with tempfile.TemporaryDirectory(prefix="modelyard-tune-") as scratch, _cores_apart(cpus) as ours:
        folder = Path(shutil.copytree(repository / model, Path(scratch, "repository", model)))
        options = (_EXPLICIT, f"--load-model={model}")
        config = (folder / "config.pbtxt").read_text()
        with running(home, folder.parent, model, Path(scratch, "triton.log"), options=options) as server:
            os.sched_setaffinity(0, ours)
            yield TuningBench(server, folder, config, request_bytes(model, body), objective, cpus)


@contextmanager
def _cores_apart(cpus: int) -> Iterator[set[int]]:
    """What is started now gets the first `cpus` cores; yields those for us: the others, or all when none is left."""
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, cores[:cpus])
    try:
        yield set(cores[cpus:] or cores)
    finally:
        os.sched_setaffinity(0, cores)


def written(settings: ServerSettings) -> TunedSettings:
    """Settings as the report has them."""
    return TunedSettings(
        instances=settings.instances, threads=settings.threads, batch=settings.batch, delay=settings.delay
    )


def _milliseconds(seconds: float) -> float:
    return round(1000.0 * min(seconds, 1e6), 3)
