"""Progress: told at every step and in between, and a store that fails stops nothing."""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from modelyard.api.optimization import ORIGINAL, Progress
from modelyard.builder.optimization.optimizer import Watch
from modelyard.builder.optimization.pass_api import Recipe
from modelyard.builder.optimization.progress_reporter import ProgressReporter
from modelyard.builder.optimization.trials.trial import Trial
from modelyard.errors import Unreachable

SPENT = 12.34


class Told:
    """Everything that was written."""

    def __init__(self) -> None:
        self.all: list[Progress] = []
        self._more = threading.Condition()

    def write(self, progress: Progress) -> None:
        with self._more:
            self.all.append(progress)
            self._more.notify_all()

    def until(self, good: Callable[[Progress], bool]) -> Progress:
        with self._more:
            assert self._more.wait_for(lambda: any(good(one) for one in self.all), 20)
            return next(one for one in self.all if good(one))


def trial(name: str) -> Trial:
    return Trial(Recipe(name, ()))


def test_what_was_tried_is_counted_without_the_original_and_with_what_a_search_adds() -> None:
    told = Told()

    with ProgressReporter(told.write, lambda: SPENT) as heartbeat:
        watch = heartbeat.watch()
        watch.planned([ORIGINAL, "one", "two"])
        for name in (ORIGINAL, "one", "two", "tuned-3-one"):
            watch.tried(trial(name))
        found = told.until(lambda one: one.done == 3)

    assert (found.planned, found.spent_seconds) == (3, 12.3)
    assert datetime.now(UTC) - datetime.fromisoformat(found.at) < timedelta(minutes=1)


def test_what_an_interrupted_run_had_tried_counts_from_the_start() -> None:
    told = Told()
    before = Progress(done=2, planned=3, best=1.5, best_name="one", spent_seconds=30, at="2026-01-01T00:00:00Z")

    with ProgressReporter(told.write, lambda: SPENT, before=before) as heartbeat:
        watch = heartbeat.watch()
        watch.planned([ORIGINAL, "one", "two"])
        for name in (ORIGINAL, "one", "two", "tuned-3-one", "tuned-4-two"):
            watch.tried(trial(name))
        found = told.until(lambda one: one.done == 4)

    assert [one.done for one in told.all] == sorted(one.done for one in told.all)
    assert (told.all[0].done >= 2, told.all[0].best_name) == (True, "one")
    assert found.planned == 4


def test_the_best_so_far_stays_while_others_are_tried() -> None:
    told = Told()

    with ProgressReporter(told.write, lambda: SPENT) as heartbeat:
        watch = heartbeat.watch()
        assert watch.leading is not None
        watch.leading("int8", 3.14159)
        watch.trying("fp16")
        found = told.until(lambda one: one.doing == "trying fp16")

    assert (found.best, found.best_name) == (3.142, "int8")


def test_a_sign_of_life_comes_without_any_step() -> None:
    told = Told()

    with ProgressReporter(told.write, time.monotonic, every=0.05):
        first = told.until(lambda _: True)
        later = told.until(lambda one: one.spent_seconds > first.spent_seconds)

    assert later.doing == first.doing == ""


def test_the_last_step_is_told_before_it_ends() -> None:
    told = Told()

    with ProgressReporter(told.write, lambda: SPENT) as heartbeat:
        heartbeat.say("publishing")

    assert told.all[-1].doing == "publishing"


def test_a_store_that_does_not_answer_stops_nothing() -> None:
    told, refused = Told(), threading.Event()

    def write(progress: Progress) -> None:
        if not refused.is_set():
            refused.set()
            raise Unreachable("the store does not answer.")
        told.write(progress)

    with ProgressReporter(write, lambda: SPENT, every=0.05) as heartbeat:
        heartbeat.say("one")
        assert refused.wait(20)
        heartbeat.say("two")
        told.until(lambda one: one.doing == "two")


def test_another_watch_is_told_the_same() -> None:
    heard: list[str] = []
    also = Watch(say=heard.append, trying=heard.append, tried=lambda one: heard.append(one.name))

    with ProgressReporter(Told().write, lambda: SPENT, also) as heartbeat:
        watch = heartbeat.watch()
        watch.say("reading")
        watch.trying("int8")
        watch.tried(trial("int8"))

    assert heard == ["reading", "int8", "int8"]
