"""The sampler: reads the gateway's counters every second while a rollout runs, and keeps them as slices.

| Models in the cache | the counters are read |
|---|---|
| one has a rollout under way | every second, on the second (a Prometheus: every five) |
| none has | every twenty seconds, so that the stable's habits are known before a candidate gets its first weight |
| there is none | never |

Every replica reads, so that a new leader has the last minutes too. While some pods that should answer do not, no
slice is cut: half of the counts would be no evidence. The counts stay due.
"""

import logging
import threading
import time
from collections.abc import Callable, Collection

from modelyard.clients.metrics.counters import Provider
from modelyard.clients.metrics.envoy import EnvoyCounters
from modelyard.clients.metrics.envoy_pods import EnvoyPods, Listing
from modelyard.clients.metrics.prometheus import PrometheusCounters
from modelyard.core.snapshot import Object
from modelyard.core.traffic import Traffic
from modelyard.operator.cache.objects import Key, ObjectCache, has_rollout
from modelyard.operator.metrics.controller import ControllerMetrics
from modelyard.settings import GatewaySettings

from .counter_deltas import Baselines
from .windows import IDLE_SECONDS, TrafficWindows

PATIENCE_SECONDS = 5
"""How long readings may be missing before it is called a failure: pods that restart are ordinary."""

_log = logging.getLogger(__name__)


def provider(gateway: GatewaySettings, listing: Listing) -> Provider:
    """The provider of counters that the settings name: Prometheus, or the Envoy pods themselves."""
    pods = EnvoyPods(listing, gateway)
    if gateway.evidence == "prometheus":
        return PrometheusCounters(gateway.prometheus_url, pods)
    return EnvoyCounters(pods)


class Sampler:
    """The thread that reads; `wake` is called after every reading with each Model that has a rollout under way."""

    def __init__(
        self,
        counters: Provider,
        cache: ObjectCache,
        wake: Callable[[Key], None],
        metrics: ControllerMetrics,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._counters, self._cache, self._wake, self._metrics, self._now = counters, cache, wake, metrics, now
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sampler", daemon=True)
        self._lock = threading.Lock()
        self._baselines, self._slices = Baselines(), TrafficWindows()
        self._last_read = 0
        self._last_complete = 0
        self._logged = self._failure = ""

    def start(self) -> None:
        """Begins to read."""
        self._thread.start()

    @property
    def alive(self) -> bool:
        """False once the thread has ended, on purpose or not."""
        return self._thread.is_alive()

    def stop(self, patience: float = 0.0) -> None:
        """Ends after the reading under way; returns after `patience` seconds at the latest."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(patience)

    def of(self, key: Key) -> Traffic:
        """A Model's slices, oldest first, and why counters have been missing for PATIENCE_SECONDS, if they have."""
        with self._lock:
            return Traffic(self._slices.of(key), self._failure)

    def tick(self, second: int) -> None:
        """Reads the counters if it is time at `second` (seconds since the epoch), by the table above."""
        models = {_key(model): has_rollout(model) for model in self._cache.models()}
        with self._lock:
            self._slices.keep(models.keys())
        if not models:
            self._baselines.clear()
            self._last_read = self._last_complete = 0
            self._logged = self._failure = ""
            return
        active = [key for key, under_way in models.items() if under_way]
        if second - self._last_read >= (self._counters.seconds if active else IDLE_SECONDS) or second < self._last_read:
            self._last_read = second
            self._read(second, active)
            for key in active:
                self._wake(key)

    def _read(self, second: int, active: Collection[Key]) -> None:
        begun = time.perf_counter()
        reading = self._counters.read()
        self._metrics.scraped(time.perf_counter() - begun, not reading.trouble)
        increments = self._baselines.advance(reading)
        with self._lock:
            self._slices.owe(increments)
            if reading.trouble:
                self._note_failure(second, reading.trouble)
            else:
                self._slices.cut(second if reading.end is None else min(second, reading.end), active)
                self._last_complete, self._logged, self._failure = second, "", ""

    def _note_failure(self, second: int, failure: str) -> None:
        self._last_complete = self._last_complete or second
        if failure != self._logged:
            self._logged = failure
            _log.warning("counters not read", extra={"fields": {"said": failure}})
        if second - self._last_complete >= PATIENCE_SECONDS:
            self._failure = failure

    def _run(self) -> None:
        while not self._stop.is_set():
            now = self._now()
            if not self._stop.wait(int(now) + 1 - now):
                self.tick(int(self._now()))
        self._counters.close()


def _key(model: Object) -> Key:
    return Key(model["metadata"]["namespace"], model["metadata"]["name"])
