"""Calls that hang hold their own threads; those behind them are made by others, up to a limit."""

import threading
from collections.abc import Iterator

import pytest

from modelyard.operator.cache.objects import Key
from modelyard.operator.polling.poller import Habits, Unanswered
from modelyard.operator.polling.polling import MOST_THREADS, Polling
from modelyard.operator.polling.threads import CallThreads
from tests.support.machine.fake_clock import Clock

LONG = 60
DIGITS = Key("demo", "digits")


class Scene:
    """Two threads at a time and four at most, a clock, and calls that hang until the test ends."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.threads = CallThreads("tested", 2, 4, 5.0, self.clock)
        self.released = threading.Event()

    def hang(self) -> None:
        began = threading.Event()

        def call() -> None:
            began.set()
            self.released.wait(LONG)

        self.threads.submit(call)
        assert began.wait(LONG)

    def done(self) -> threading.Event:
        """Set when this call has been made."""
        done = threading.Event()
        self.threads.submit(done.set)
        return done


@pytest.fixture
def scene() -> Iterator[Scene]:
    made = Scene()
    yield made
    made.released.set()
    made.threads.close()


def test_calls_are_made_by_threads_that_do_not_keep_the_process(scene: Scene) -> None:
    made = []
    called = threading.Event()
    scene.threads.submit(lambda: (made.append(threading.current_thread()), called.set()))

    assert called.wait(LONG)
    assert made[0] is not threading.current_thread()
    assert (made[0].daemon, made[0].name.startswith("tested-")) == (True, True)


def test_one_thread_makes_one_call_after_the_other(scene: Scene) -> None:
    for _ in range(20):
        assert scene.done().wait(LONG)

    assert scene.threads.threads <= 2


def test_calls_behind_hanging_ones_are_made_once_these_are_late(scene: Scene) -> None:
    scene.hang()
    scene.hang()
    behind = scene.done()
    assert (scene.threads.threads, behind.is_set()) == (2, False)
    scene.clock.pass_by(5)
    scene.threads.relieve()

    assert behind.wait(LONG)


def test_no_more_threads_than_the_limit_however_many_hang(scene: Scene) -> None:
    for _ in range(4):
        scene.hang()
        scene.clock.pass_by(5)
        scene.threads.relieve()
    behind = scene.done()
    scene.threads.relieve()
    assert (scene.threads.threads, behind.is_set()) == (4, False)
    scene.released.set()

    assert behind.wait(LONG)


def test_who_comes_back_late_makes_place_for_those_that_took_over(scene: Scene) -> None:
    scene.hang()
    scene.hang()
    scene.clock.pass_by(5)
    others = [scene.done(), scene.done()]
    for done in others:
        assert done.wait(LONG)
    scene.released.set()

    while scene.threads.threads > 2:
        threading.Event().wait(0.001)
    assert scene.done().wait(LONG)


def test_nothing_is_begun_once_it_is_closed(scene: Scene) -> None:
    assert scene.done().wait(LONG)
    scene.threads.close()
    late = scene.done()
    while scene.threads.threads:
        threading.Event().wait(0.001)

    assert not late.is_set()


def test_one_party_that_hangs_takes_nothing_from_another() -> None:
    released, woken = threading.Event(), threading.Event()
    polling = Polling(lambda key, after: woken.set())
    hangs = polling.poller("the store", lambda _: released.wait(LONG), Habits(lambda _: 1.0))
    answers = polling.poller("the registry", lambda question: question, Habits(lambda _: 1_000.0))
    polling.start()
    for number in range(3 * MOST_THREADS):
        assert isinstance(hangs.of(DIGITS, number), Unanswered)
    answers.of(DIGITS, "what?")

    assert woken.wait(LONG)
    assert answers.of(DIGITS, "what?") == "what?"
    assert polling.alive
    polling.stop()
    released.set()
