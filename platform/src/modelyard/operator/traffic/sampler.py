"""The sampler: reads the gateway's counters every second while a rollout runs, and keeps them as slices.

| Models in the cache | the counters are read |
|---|---|
| some have a rollout beside a stable under way | theirs every second, on the second (a Prometheus: every five) |
| any | all of them every twenty seconds, by the leader: a survey |
| there is none | never |

At rest that tells which Models fail their users, and the stable's habits before a candidate gets its first weight.
During a rollout every replica reads its counters, so that a new leader has the last minutes too. While some pods that
should answer do not, no slice is cut: half of the counts would be no evidence. The counts stay due. What was counted
while no operator ran is recovered from the counters in the status (`stored_counters.py`).
"""

import logging
import threading
import time
from collections.abc import Callable, Mapping

from modelyard.background_thread import BackgroundThread
from modelyard.clients.metrics.counters import Provider
from modelyard.clients.metrics.envoy import EnvoyCounters
from modelyard.clients.metrics.envoy_pods import EnvoyPods, Listing
from modelyard.clients.metrics.prometheus import PrometheusCounters
from modelyard.core.conditions import REQUESTS_FAIL
from modelyard.core.snapshot import Object
from modelyard.core.traffic import Reserved, Traffic
from modelyard.operator.cache.objects import Key, ObjectCache, compares
from modelyard.operator.metrics.controller import ControllerMetrics
from modelyard.settings import GatewaySettings

from .counter_deltas import Baselines
from .stored_counters import Handover
from .windows import IDLE_SECONDS, TrafficWindows

PATIENCE_SECONDS = 5
"""How long readings may be missing before it is called a failure: pods that restart are ordinary."""
_FORGOTTEN_SECONDS = 2 * IDLE_SECONDS
"""How old a survey may be for the next reading of a Model to be counted on from it."""

_log = logging.getLogger(__name__)


def provider(gateway: GatewaySettings, listing: Listing) -> Provider:
    """The provider of counters that the settings name: Prometheus, or the Envoy pods themselves."""
    pods = EnvoyPods(listing, gateway)
    if gateway.evidence == "prometheus":
        return PrometheusCounters(gateway.prometheus_url, pods)
    return EnvoyCounters(pods)


class Sampler(BackgroundThread):
    """The thread that reads; `leading` says whether this replica is the leader, `reserved` what pods reserve now.

    `wake` is called after every reading with each Model that has a rollout under way, whose users are failed, or of
    which that was said.
    """

    def __init__(
        self,
        counters: Provider,
        cache: ObjectCache,
        wake: Callable[[Key], None],
        metrics: ControllerMetrics,
        now: Callable[[], float] = time.time,
        leading: Callable[[], bool] = lambda: True,
        reserved: Callable[[Key], Reserved] = lambda key: Reserved(),
    ) -> None:
        super().__init__("sampler")
        self._leading = leading
        self._counters, self._cache, self._wake, self._metrics, self._now = counters, cache, wake, metrics, now
        self._lock = threading.Lock()
        self._baselines, self._slices = Baselines(), TrafficWindows(reserved)
        self._handover = Handover()
        self._last_read = self._last_survey = 0
        self._last_complete = 0
        self._active: frozenset[Key] = frozenset()
        self._logged = self._failure = ""

    def of(self, key: Key) -> Traffic:
        """A Model's slices, oldest first, and why counters have been missing for PATIENCE_SECONDS, if they have."""
        with self._lock:
            slices, quiet = self._slices.of(key), self._slices.quiet(key)
            return Traffic(slices, self._failure, self._handover.text(key), quiet)

    def tick(self, second: int) -> None:
        """Reads the counters if it is time at `second` (seconds since the epoch), by the table above."""
        listed = {_key(model): model for model in self._cache.models()}
        models = {key: compares(model) for key, model in listed.items()}
        counts = any(models.values()) or (bool(models) and self._leading())
        with self._lock:
            self._slices.keep(models.keys() if counts else ())
        if not counts:
            self._baselines.clear()
            self._handover.clear()
            self._last_read = self._last_survey = self._last_complete = 0
            self._logged = self._failure = ""
            return
        active = {key: _stored_counters(listed[key]) for key, under_way in models.items() if under_way}
        survey = abs(second - self._last_survey) >= IDLE_SECONDS and (self._leading() or not self._last_survey)
        due = second - self._last_read >= self._counters.seconds or second < self._last_read
        if not survey and not (active and due):
            return
        self._last_read = second
        self._baselines.retain(models.keys())
        if second - self._last_survey > _FORGOTTEN_SECONDS:
            self._baselines.age(self._active)
            with self._lock:
                self._slices.restart((models.keys() if survey else active.keys()) - self._active)
        self._last_survey = second if survey else self._last_survey
        self._read(second, active, survey)
        self._active = frozenset(active)
        failing = [key for key, model in listed.items() if self._fails(key) or _said_to_fail(model)] if survey else []
        for key in dict.fromkeys((*active, *failing)):
            self._wake(key)

    def _fails(self, key: Key) -> bool:
        """Whether a request of a Model failed in its newest slice."""
        newest = self.of(key).windows[-1:]
        return any(counts.errors for window in newest for counts in window.slots.values())

    def _read(self, second: int, active: Mapping[Key, str], survey: bool) -> None:
        """One reading; `active` are the Models with a rollout under way and the counters that their statuses hold."""
        asked = None if survey else active.keys()
        begun = time.perf_counter()
        reading = self._counters.read(asked)
        self._metrics.scraped(time.perf_counter() - begun, not reading.trouble)
        increments = self._baselines.advance(reading, asked)
        with self._lock:
            self._slices.owe(increments)
            if reading.trouble:
                self._note_failure(second, reading.trouble)
            else:
                end = second if reading.end is None else min(second, reading.end)
                for recovered in self._handover.missed(end, self._baselines.pods, active):
                    self._slices.recover(*recovered)
                self._slices.cut(end, active, survey)
                self._handover.keep(end, self._baselines.pods, active)
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


def _stored_counters(model: Object) -> str:
    return ((model.get("status") or {}).get("rollout") or {}).get("counters", "")


def _said_to_fail(model: Object) -> bool:
    conditions = (model.get("status") or {}).get("conditions") or ()
    return any(condition["type"] == "Serving" and condition["reason"] == REQUESTS_FAIL for condition in conditions)
