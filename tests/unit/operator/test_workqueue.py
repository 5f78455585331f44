"""The work queue: each key once, by one worker at a time, no sooner than asked."""

import threading
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelyard.operator.workqueue import Queue
from tests.support.machine.fake_clock import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def queue(clock: Clock) -> Queue[str]:
    return Queue(base=1, cap=300, clock=clock)


def test_a_key_added_twice_is_taken_once(queue: Queue[str]) -> None:
    queue.add("digits")
    queue.add("digits")

    assert queue.take(0) == "digits"
    assert queue.take(0) is None


def test_keys_are_taken_in_the_order_they_came(queue: Queue[str]) -> None:
    for key in ("a", "b", "c", "a"):
        queue.add(key)

    assert [queue.take(0) for _ in range(3)] == ["a", "b", "c"]


def test_a_key_added_while_taken_comes_again_but_only_when_it_is_given_back(queue: Queue[str]) -> None:
    queue.add("digits")
    assert queue.take(0) == "digits"
    queue.add("digits")
    queue.add("digits")

    assert queue.take(0) is None
    queue.done("digits")
    assert queue.take(0) == "digits"
    queue.done("digits")
    assert queue.take(0) is None


def test_a_delayed_key_comes_when_its_time_has_come(queue: Queue[str], clock: Clock) -> None:
    queue.add("digits", after=10)

    clock.pass_by(9.9)
    assert queue.take(0) is None
    clock.pass_by(0.1)
    assert queue.take(0) == "digits"


def test_of_two_delays_the_earlier_counts_and_only_once(queue: Queue[str], clock: Clock) -> None:
    queue.add("digits", after=10)
    queue.add("digits", after=3)
    queue.add("digits", after=20)

    clock.pass_by(3)
    assert queue.take(0) == "digits"
    queue.done("digits")
    clock.pass_by(100)
    assert queue.take(0) is None


def test_a_delay_that_ends_while_the_key_is_taken_brings_it_again(queue: Queue[str], clock: Clock) -> None:
    queue.add("digits")
    queue.take(0)
    queue.add("digits", after=1)

    clock.pass_by(5)
    assert queue.take(0) is None
    queue.done("digits")
    assert queue.take(0) == "digits"


def test_failures_are_spaced_wider_and_wider_up_to_five_minutes(queue: Queue[str]) -> None:
    pauses = [queue.retry("digits") for _ in range(12)]

    for number, pause in enumerate(pauses):
        longest = min(300, 2**number)
        assert longest / 2 <= pause <= longest


def test_many_that_fail_together_do_not_return_together(queue: Queue[str]) -> None:
    assert len({queue.retry(f"model-{number}") for number in range(100)}) > 90


def test_a_success_ends_the_series_of_failures(queue: Queue[str]) -> None:
    for _ in range(10):
        queue.retry("digits")
    queue.forget("digits")

    assert queue.retry("digits") <= 1


def test_a_dropped_key_leaves_nothing(queue: Queue[str], clock: Clock) -> None:
    queue.add("digits")
    queue.retry("digits")
    queue.drop("digits")

    clock.pass_by(1000)
    assert queue.take(0) is None
    assert not queue.knows("digits")


def test_a_key_dropped_while_taken_does_not_come_again(queue: Queue[str]) -> None:
    queue.add("digits")
    queue.take(0)
    queue.add("digits")
    queue.drop("digits")
    queue.done("digits")

    assert queue.take(0) is None
    assert not queue.knows("digits")


def test_depth_counts_what_waits_and_the_oldest_taken_key_has_an_age(queue: Queue[str], clock: Clock) -> None:
    queue.add("a")
    queue.add("b")
    queue.take(0)
    clock.pass_by(7)

    assert queue.depth() == 1
    assert queue.longest_taken() == 7


def test_a_closed_queue_gives_nothing_and_wakes_who_waits() -> None:
    queue: Queue[str] = Queue()
    found: list[str | None] = ["unset"]
    waiting = threading.Thread(target=lambda: found.__setitem__(0, queue.take(60)))
    waiting.start()
    queue.close()
    waiting.join(10)

    assert found == [None]
    queue.add("digits")
    assert queue.take(0) is None


def test_no_key_is_ever_in_two_hands_and_none_is_lost() -> None:
    queue: Queue[int] = Queue()
    taken: Counter[int] = Counter()
    held: set[int] = set()
    lock = threading.Lock()
    clashes: list[int] = []

    def work() -> None:
        while (key := queue.take(0.5)) is not None:
            with lock:
                clashes.extend([key] if key in held else [])
                held.add(key)
                taken[key] += 1
            with lock:
                held.discard(key)
            queue.done(key)

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for number in range(3000):
        queue.add(number % 50, after=0.001 if number % 3 == 0 else 0)
    for worker in workers:
        worker.join(60)

    assert not clashes
    assert set(taken) == set(range(50))
    assert queue.depth() == 0


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.sampled_from("abc"), st.floats(0, 5)),
        st.tuples(st.just("take"), st.just(""), st.just(0.0)),
        st.tuples(st.just("done"), st.sampled_from("abc"), st.just(0.0)),
        st.tuples(st.just("wait"), st.just(""), st.floats(0, 5)),
    )
)


@given(STEPS)
def test_whatever_happens_an_added_key_comes_after_its_last_add(steps: list[tuple[str, str, float]]) -> None:
    clock = Clock()
    queue: Queue[str] = Queue(clock=clock)
    owed: set[str] = set()
    held: set[str] = set()
    for what, key, number in steps:
        if what == "add":
            queue.add(key, number)
            owed.add(key)
        elif what == "wait":
            clock.pass_by(number)
        elif what == "done" and key in held:
            held.discard(key)
            queue.done(key)
        elif what == "take" and (found := queue.take(0)) is not None:
            assert found not in held
            held.add(found)
            owed.discard(found)
    for key in held:
        queue.done(key)
    clock.pass_by(10)

    came = set()
    while (found := queue.take(0)) is not None:
        came.add(found)
    assert owed <= came


@pytest.fixture
def urgent_keys() -> set[str]:
    return {"canary"}


@pytest.fixture
def lanes(clock: Clock, urgent_keys: set[str]) -> Queue[str]:
    return Queue(clock=clock, urgent=lambda key: key in urgent_keys)


def test_the_urgent_lane_is_not_held_up_by_the_other(lanes: Queue[str]) -> None:
    for key in ("a", "b", "canary"):
        lanes.add(key)

    assert lanes.take(0, urgent=True) == "canary"
    assert lanes.take(0, urgent=True) is None
    assert [lanes.take(0), lanes.take(0)] == ["a", "b"]


def test_who_takes_everything_takes_urgent_keys_too(lanes: Queue[str]) -> None:
    lanes.add("canary")
    lanes.add("a")

    assert [lanes.take(0), lanes.take(0), lanes.take(0)] == ["a", "canary", None]


def test_a_key_waits_in_one_lane_only(lanes: Queue[str], urgent_keys: set[str]) -> None:
    lanes.add("a")
    urgent_keys.add("a")
    lanes.add("a")
    assert lanes.depth() == 1
    assert lanes.take(0, urgent=True) == "a"
    lanes.done("a")

    lanes.add("a")
    urgent_keys.clear()
    lanes.add("a")
    assert (lanes.depth(), lanes.knows("a")) == (1, True)
    assert lanes.take(0, urgent=True) == "a"
    assert lanes.take(0) is None


def test_a_delayed_key_comes_in_the_lane_it_then_belongs_to(
    lanes: Queue[str], urgent_keys: set[str], clock: Clock
) -> None:
    lanes.add("a", after=5)
    urgent_keys.add("a")
    clock.pass_by(5)
    assert lanes.take(0, urgent=True) == "a"
    lanes.add("a")
    lanes.done("a")

    assert lanes.take(0, urgent=True) == "a"


def test_an_urgent_key_is_dropped_like_any_other(lanes: Queue[str]) -> None:
    lanes.add("canary")
    lanes.drop("canary")

    assert (lanes.knows("canary"), lanes.take(0, urgent=True)) == (False, None)
