"""Warm-ups are asked in the background, repeated after a pause while they fail, and forgotten with their revision."""

import pytest

from modelyard.core.plan import Warmup
from modelyard.core.snapshot import Probe
from modelyard.errors import CorruptEntry
from modelyard.operator.observer.warmups import PAUSE_SECONDS, Warmups
from tests.support.operator.answers import DIGITS, PollingByHand

FIRST = Warmup("digits-1", "sha256:1", "digits", "digits.demo.models.local")
SECOND = Warmup("digits-2", "sha256:2", "digits", "digits.demo.models.local")
REFUSED = Probe(False, "503")


class Gateway:
    """Answers what it is told to, and remembers who was asked."""

    def __init__(self) -> None:
        self.answer = Probe(True)
        self.asked: list[str] = []

    def ask(self, model: str, host: str, revision: str, request: bytes) -> Probe:
        self.asked.append(f"{revision} {request.decode()}")
        return self.answer


class Scene:
    """Warm-ups whose answers come when the test says so."""

    def __init__(self) -> None:
        self.gateway, self.polling, self.done = Gateway(), PollingByHand(), list[bool]()
        self.warmups = Warmups(self.request, self.gateway, self.polling, self.done.append)

    def request(self, digest: str) -> bytes:
        if not digest:
            raise CorruptEntry("it is gone")
        return digest.encode()


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_nobody_waits_for_an_answer_and_it_wakes_the_model(scene: Scene) -> None:
    scene.warmups.ask(DIGITS, FIRST)
    scene.warmups.ask(DIGITS, FIRST)
    assert (scene.gateway.asked, scene.warmups.of(DIGITS)) == ([], {})

    assert scene.polling.answer() == 1
    assert scene.polling.woken == [(DIGITS, 0.0)]
    assert scene.gateway.asked == ["digits-1 sha256:1"]
    assert scene.warmups.of(DIGITS) == {"digits-1": Probe(True)}
    assert scene.done == [True]


def test_an_answer_is_kept_until_its_revision_is_gone(scene: Scene) -> None:
    scene.warmups.ask(DIGITS, FIRST)
    scene.gateway.answer = REFUSED
    scene.warmups.ask(DIGITS, SECOND)
    scene.polling.answer()

    scene.warmups.retain(DIGITS, {"digits-2"})
    assert scene.warmups.of(DIGITS) == {"digits-2": REFUSED}
    scene.warmups.retain(DIGITS, ())
    assert scene.warmups.of(DIGITS) == {}


def test_the_answer_of_a_revision_that_is_gone_is_not_that_of_the_next_of_its_name(scene: Scene) -> None:
    scene.warmups.ask(DIGITS, FIRST)
    scene.warmups.retain(DIGITS, ())
    scene.warmups.ask(DIGITS, FIRST)
    old, new = scene.polling.calls.waiting

    old()
    assert scene.warmups.of(DIGITS) == {}
    new()
    assert scene.warmups.of(DIGITS) == {"digits-1": Probe(True)}


def test_a_failed_warm_up_is_repeated_after_a_pause_and_a_good_one_never(scene: Scene) -> None:
    scene.gateway.answer = REFUSED
    scene.warmups.ask(DIGITS, FIRST)
    scene.polling.answer()
    scene.polling.woken.clear()
    scene.polling.clock.pass_by(1)

    scene.warmups.ask(DIGITS, FIRST)
    assert scene.polling.answer() == 0
    assert scene.polling.woken == [(DIGITS, PAUSE_SECONDS - 1)]
    scene.polling.clock.pass_by(PAUSE_SECONDS - 1)
    scene.gateway.answer = Probe(True)
    scene.warmups.ask(DIGITS, FIRST)
    assert scene.polling.answer() == 1
    scene.polling.clock.pass_by(1_000)
    scene.warmups.ask(DIGITS, FIRST)
    assert scene.polling.answer() == 0


def test_the_same_refusal_again_wakes_the_model_when_it_is_time_to_ask_once_more(scene: Scene) -> None:
    scene.gateway.answer = REFUSED
    for _ in range(2):
        scene.polling.clock.pass_by(PAUSE_SECONDS)
        scene.warmups.ask(DIGITS, FIRST)
        scene.polling.woken.clear()
        scene.polling.answer()

    assert scene.polling.woken == [(DIGITS, PAUSE_SECONDS)]


def test_a_request_that_is_not_in_the_store_is_a_failed_warm_up(scene: Scene) -> None:
    scene.warmups.ask(DIGITS, Warmup("digits-1", "", "digits", ""))
    scene.polling.answer()

    probe = scene.warmups.of(DIGITS)["digits-1"]
    assert (probe.answered, scene.gateway.asked, scene.done) == (False, [], [False])
    assert "could not be read from the store: it is gone" in probe.message


def test_a_large_model_may_take_its_time(scene: Scene) -> None:
    scene.warmups.ask(DIGITS, FIRST)
    scene.polling.clock.pass_by(29)
    scene.polling.tick()

    assert (scene.polling.woken, scene.warmups.of(DIGITS)) == ([], {})
