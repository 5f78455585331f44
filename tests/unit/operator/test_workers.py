"""Workers take turns by lane, and stopping them waits for nobody who hangs."""

import threading
from collections.abc import Iterator

import pytest

from modelyard.operator.cache.objects import Key, ObjectCache
from modelyard.operator.metrics.controller import ControllerMetrics
from modelyard.operator.reconciler.reconcile import ReconcileResult
from modelyard.operator.workers import ROLLOUT_WORKERS, Workers
from modelyard.operator.workqueue import Queue

LONG = 60
CANARY = Key("demo", "canary")


class Passes:
    """Reconcile passes: those of a rollout end at once, all others hang until they are released."""

    def __init__(self) -> None:
        self.metrics = ControllerMetrics(ObjectCache(), lambda: 0, lambda: True)
        self.released, self.begun = threading.Event(), threading.Semaphore(0)
        self.rollouts: list[str] = []
        self.seen = threading.Semaphore(0)

    def reconcile(self, key: Key) -> ReconcileResult:
        if key == CANARY:
            self.rollouts.append(threading.current_thread().name)
            self.seen.release()
        else:
            self.begun.release()
            self.released.wait(LONG)
        return ReconcileResult("settled")


class Scene:
    """Three workers, and one Model with a rollout under way."""

    def __init__(self) -> None:
        self.passes = Passes()
        self.queue: Queue[Key] = Queue(urgent=lambda key: key == CANARY)
        self.workers = Workers(3, self.queue, self.passes, lambda: True)  # type: ignore[arg-type]

    def hold_all(self) -> None:
        """All workers for ordinary Models hang in one, and more Models wait."""
        for number in range(10):
            self.queue.add(Key("demo", f"other-{number}"))
        self.workers.start()
        for _ in range(3):
            assert self.passes.begun.acquire(timeout=LONG)


@pytest.fixture
def scene() -> Iterator[Scene]:
    made = Scene()
    yield made
    made.passes.released.set()
    made.workers.stop(LONG)


def test_rollouts_are_reconciled_while_all_other_workers_hang(scene: Scene) -> None:
    scene.hold_all()
    for _ in range(5):
        scene.queue.add(CANARY)
        assert scene.passes.seen.acquire(timeout=LONG)

    assert {name.rpartition("-")[0] for name in scene.passes.rollouts} == {"rollout-worker"}
    assert scene.queue.depth() == 7
    assert ROLLOUT_WORKERS > 0


def test_stopping_waits_no_longer_than_it_is_told(scene: Scene) -> None:
    scene.hold_all()
    scene.workers.stop(0.01)

    assert not scene.passes.released.is_set()
    assert scene.queue.take(0) is None, "no further Model is taken"
