"""The operator without its threads: one look at a time, and a stop after any number of writes.

What a look sees is listed from the API server just before it, as a fresh start would see it.
"""

import time
from collections.abc import Callable
from typing import Any

from modelyard.clients.cluster.access import access
from modelyard.clients.cluster.api_server import Cluster
from modelyard.clients.inference.gateway import Gateway
from modelyard.core.decide import decide
from modelyard.core.kinds import BY_NAME
from modelyard.core.traffic import Traffic
from modelyard.operator.cache.guarded_writes import GuardedWrites
from modelyard.operator.cache.objects import Key, ObjectCache
from modelyard.operator.cache.ownership import Ownership
from modelyard.operator.metrics.controller import ControllerMetrics
from modelyard.operator.observer.builds import BuildObserver
from modelyard.operator.observer.checks import CheckObserver
from modelyard.operator.observer.crash_logs import CrashLogs
from modelyard.operator.observer.entries import EntryObserver
from modelyard.operator.observer.snapshot import SnapshotObserver
from modelyard.operator.observer.warmups import Warmups
from modelyard.operator.reconciler.events import EventRecorder
from modelyard.operator.reconciler.reconcile import Decide, Reconciler, ReconcileResult
from modelyard.registry.bucket import BucketRegistry
from tests.support.operator.answers import PollingByHand
from tests.support.operator.bench import Bench

_LOOKS = 400


class Crash(BaseException):
    """The process stops here."""


class _Alone:
    held = True


def _crash() -> None:
    raise Crash


class _Countdown(ControllerMetrics):
    """Stops the process, or whatever else `over` does once, at the first write after `left` more."""

    left: float = float("inf")
    over: Callable[[], None] = staticmethod(_crash)

    def wrote(self, verb: str, kind: str) -> None:
        if self.left <= 0:
            self.left = float("inf")
            self.over()
        self.left -= 1
        super().wrote(verb, kind)


class Hands:
    """One incarnation of the operator, that stops after `writes` writes.

    Unless it is `answering`, everybody who is asked hangs: registry, store, logs, Jobs' pods and warm-ups.
    """

    def __init__(
        self,
        bench: Bench,
        writes: float = float("inf"),
        traffic: Callable[[Key], Traffic] = lambda key: Traffic(),
        now: Callable[[], float] = time.time,
        decides: Decide = decide,
    ) -> None:
        self._bench, self._cache = bench, ObjectCache()
        cluster = Cluster(access(bench.kubeconfig))
        self.metrics = _Countdown(self._cache, lambda: 0, lambda: True)
        self.metrics.left = writes
        self.answering = True
        self._polling = polling = PollingByHand(time.monotonic)
        builds = BuildObserver(bench.store, cluster, polling)
        observer = SnapshotObserver(
            bench.settings,
            self._cache,
            EntryObserver(BucketRegistry(bench.store), polling),
            builds,
            CrashLogs(cluster, polling),
            CheckObserver(cluster, polling),
            Warmups(builds.warmup_request, Gateway(bench.settings.gateway.url), polling, self.metrics.warmed),
            traffic,
            now,
        )
        guarded = GuardedWrites(cluster, self._cache, _Alone(), self.metrics)
        self._reconciler = Reconciler(
            bench.settings,
            self._cache,
            observer,
            decides,
            guarded,
            Ownership(cluster, self._cache, observer.foreign),
            EventRecorder(guarded, "hands"),
            self.metrics,
        )

    def look(self, name: str) -> ReconcileResult:
        """Fills the cache from the API server and reconciles one Model until nobody has another answer for it.

        Raises Crash after the last allowed write.
        """
        for kind in (name for name, row in BY_NAME.items() if not row.optional):
            namespace = self._bench.players.platform if kind == "Job" else self._bench.namespace
            listed = self._bench.players.items(kind, namespace)
            self._cache.retain(self._cache.uids(kind), [item["metadata"]["uid"] for item in listed])
            for item in listed:
                self._cache.put(item)
        key = Key(self._bench.namespace, name)
        result = self._reconciler.reconcile(key)
        while self.answering and self._polling.answer():
            result = self._reconciler.reconcile(key)
        return result


def settle(
    bench: Bench, name: str, reached: Callable[[], Any], writes: float = float("inf"), word: str = "settled"
) -> int:
    """Reconciles and lets the players step until `reached` and nothing is left to do; how often the operator stopped.

    `word` is how the last pass ends: "gone" where the Model is. Every incarnation is stopped after `writes` writes and
    followed by a fresh one.
    """
    hands, stops = Hands(bench, writes), 0
    for _ in range(_LOOKS):
        try:
            result = hands.look(name)
        except Crash:
            stops += 1
            hands = Hands(bench, writes)
            continue
        bench.players.step()
        if result.word == word and reached():
            return stops
    raise AssertionError(f"never calm: {bench.status(name)}")
