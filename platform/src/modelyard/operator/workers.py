"""The threads that take Models from the queue, while this replica leads and the cache is complete.

Two of them take rollouts under way and nothing else, so that no number of other Models delays a rollback.

| a reconcile pass ended with | then |
|---|---|
| nothing left to do | when something happens, or when the plan says so |
| a change | again, at once during a comparison; a Model that changes without end is slowed down |
| OutsideError | again after a growing pause |
| NotLeading | left to the leader |
| anything else, a defect of ours | logged with its trace, again after a growing pause |
"""

import logging
import threading
import time
from collections.abc import Callable

from modelyard.core.plan import Event
from modelyard.errors import OutsideError, Refused

from .cache.guarded_writes import NotLeading
from .cache.objects import Key
from .reconciler.reconcile import Reconciler, ReconcileResult
from .workqueue import Queue

ROLLOUT_WORKERS = 2
_RESTLESS = 20
_SLOW_SECONDS = 1.0
_IDLE_SECONDS = 0.5
_log = logging.getLogger(__name__)


class Workers:
    """`count` threads for all Models and ROLLOUT_WORKERS for rollouts; `may_work` is asked before every key."""

    def __init__(self, count: int, queue: Queue[Key], reconciler: Reconciler, may_work: Callable[[], bool]) -> None:
        self._queue, self._reconciler, self._may_work = queue, reconciler, may_work
        self._stop = threading.Event()
        self._changes: dict[Key, int] = {}
        lanes = [("worker", False)] * count + [("rollout-worker", True)] * ROLLOUT_WORKERS
        self._threads = [
            threading.Thread(target=self._run, args=(urgent,), name=f"{name}-{number}", daemon=True)
            for number, (name, urgent) in enumerate(lanes)
        ]

    def start(self) -> None:
        """Starts all threads."""
        for thread in self._threads:
            thread.start()

    def stop(self, patience: float) -> None:
        """Lets each finish what it has, for `patience` seconds in all."""
        self._stop.set()
        self._queue.close()
        end = time.monotonic() + patience
        for thread in filter(threading.Thread.is_alive, self._threads):
            thread.join(max(0.0, end - time.monotonic()))

    @property
    def alive(self) -> bool:
        """False when a thread has died."""
        return all(thread.is_alive() for thread in self._threads)

    def _run(self, urgent: bool) -> None:
        while not self._stop.is_set():
            if not self._may_work():
                self._stop.wait(0.1)
                continue
            key = self._queue.take(_IDLE_SECONDS, urgent=urgent)
            if key is not None:
                try:
                    self.work(key)
                finally:
                    self._queue.done(key)

    def work(self, key: Key) -> None:
        """One timed reconcile pass; puts the Model back into the queue as the table above says. Raises nothing."""
        began = time.monotonic()
        try:
            result = self._reconciler.reconcile(key)
            self._settle(key, result)
        except NotLeading:
            result = ReconcileResult("not_leading")
            self._queue.add(key, _SLOW_SECONDS)
        except OutsideError as error:
            result = ReconcileResult("outside")
            self._retry(key, error)
        except Exception:  # noqa: BLE001 - one Model's defect must not stop the others
            result = ReconcileResult("defect")
            _log.exception("a look failed", extra={"fields": {"model": "/".join(key)}})
            self._queue.retry(key)
        self._reconciler.metrics.reconcile_seconds.labels(result.word).observe(time.monotonic() - began)

    def _settle(self, key: Key, result: ReconcileResult) -> None:
        self._queue.forget(key)
        in_a_row = self._changes.pop(key, 0) + 1
        if result.word == "changed":
            self._changes[key] = in_a_row
        if result.again is not None:
            self._queue.add(key, result.again if in_a_row < _RESTLESS else max(result.again, _SLOW_SECONDS))

    def _retry(self, key: Key, error: OutsideError) -> None:
        after = self._queue.retry(key)
        fields = {"model": "/".join(key), "reason": error.reason, "error": str(error), "again_in": round(after, 1)}
        _log.warning("a write did not go through", extra={"fields": fields})
        model = self._reconciler.cache.model(key)
        if isinstance(error, Refused) and model is not None:
            try:
                self._reconciler.recorder.post(model, Event.of("Refused", str(error)))
            except NotLeading:
                return
