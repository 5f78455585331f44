"""A question is asked in the background; whoever asked is told what is known, and woken when that changes."""

import logging
from math import inf

import pytest

from modelyard.clients.deadline import left
from modelyard.core.snapshot import Failure
from modelyard.errors import Unreachable
from modelyard.operator.cache.objects import Key
from modelyard.operator.polling.poller import DEADLINE, Habits, Poller, Unanswered
from tests.support.operator.answers import DIGITS, PollingByHand

FACES = Key("demo", "faces")


class Party:
    """Answers with what is set, and counts how often it is asked."""

    def __init__(self) -> None:
        self.answer: str | Exception = "one"
        self.asked = 0

    def ask(self, _: str) -> str:
        self.asked += 1
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


class Scene:
    """One poller whose answers come when the test says so."""

    def __init__(self, habits: Habits[str]) -> None:
        self.party, self.polling = Party(), PollingByHand()
        self.poller: Poller[str, str] = self.polling.poller("the party", self.party.ask, habits)

    def of(self, key: Key = DIGITS) -> str | Unanswered:
        return self.poller.of(key, "what?")

    def woken(self) -> list[tuple[Key, float]]:
        woken = self.polling.woken[:]
        self.polling.woken.clear()
        return woken

    def pass_by(self, seconds: float) -> None:
        self.polling.clock.pass_by(seconds)
        self.polling.tick()


@pytest.fixture
def scene() -> Scene:
    return Scene(Habits(lambda _: 10.0))


def failure(answer: str | Unanswered) -> Failure:
    assert isinstance(answer, Unanswered)
    return answer.failure


def test_nobody_waits_and_everybody_who_asked_is_woken(scene: Scene) -> None:
    assert failure(scene.of()).pending
    assert failure(scene.of(FACES)).pending
    assert (scene.party.asked, scene.woken()) == (0, [])

    assert scene.polling.answer() == 1
    assert sorted(scene.woken()) == [(DIGITS, 0.0), (FACES, 0.0)]
    assert scene.of() == scene.of(FACES) == "one"


def test_what_is_known_from_before_stands_and_its_confirmation_wakes_nobody(scene: Scene) -> None:
    assert scene.poller.of(DIGITS, "what?", "one") == "one"
    assert (scene.polling.answer(), scene.woken()) == (1, [])
    assert scene.of() == "one"


def test_another_answer_than_was_known_wakes_and_is_believed_from_then_on() -> None:
    scene = Scene(Habits(lambda _: 10.0, keeps=False))
    assert scene.poller.of(DIGITS, "what?", "two") == "two"
    scene.polling.answer()
    assert scene.woken() == [(DIGITS, 0.0)]
    assert scene.poller.of(DIGITS, "what?", "two") == "one"

    scene.pass_by(10)
    assert failure(scene.poller.of(DIGITS, "what?", "two")).pending, "what was known before is long refuted"


def test_what_is_known_from_before_does_not_hide_that_nobody_answers(scene: Scene) -> None:
    scene.poller.of(DIGITS, "what?", "one")
    scene.pass_by(DEADLINE)

    assert scene.woken() == [(DIGITS, 0.0)]
    assert not failure(scene.poller.of(DIGITS, "what?", "one")).pending


def test_an_answer_is_asked_for_again_once_it_is_old_and_stands_meanwhile(scene: Scene) -> None:
    scene.polling.settled(scene.of)
    scene.pass_by(9.9)
    assert (scene.of(), scene.polling.answer()) == ("one", 0)
    scene.pass_by(0.1)
    scene.party.answer = "two"
    scene.woken()

    assert (scene.of(), scene.polling.answer()) == ("one", 1)
    assert scene.woken() == [(DIGITS, 0.0)]
    assert scene.of() == "two"


def test_the_same_answer_again_wakes_nobody(scene: Scene) -> None:
    scene.polling.settled(scene.of)
    scene.pass_by(10)
    scene.of()
    scene.woken()
    scene.polling.answer()

    assert scene.woken() == []


def test_an_old_answer_may_be_worse_than_none() -> None:
    scene = Scene(Habits(lambda _: 10.0, keeps=False))
    scene.polling.settled(scene.of)
    scene.pass_by(10)
    scene.woken()
    assert failure(scene.of()).pending
    scene.polling.answer()

    assert scene.woken() == [(DIGITS, 0.0)], "although it is the same answer"
    assert scene.of() == "one"


def test_whoever_was_woken_for_an_answer_gets_it_however_late_he_comes() -> None:
    scene = Scene(Habits(lambda _: 10.0, keeps=False))
    scene.of()
    scene.of(FACES)
    scene.polling.answer()
    scene.pass_by(1000)

    assert (scene.of(), scene.of(FACES)) == ("one", "one")
    assert scene.polling.answer() == 0, "nobody had to ask for it again"
    assert failure(scene.of()).pending, "it is old for whoever has read it"


def test_an_answer_for_good_is_asked_for_once() -> None:
    scene = Scene(Habits(lambda _: inf))
    scene.polling.settled(scene.of)
    for _ in range(3):
        scene.pass_by(1_000_000)
        scene.polling.settled(scene.of)

    assert scene.party.asked == 1


def test_a_party_that_fails_is_asked_again_later_and_later_for_as_long_as_somebody_asks(scene: Scene) -> None:
    scene.party.answer = Unreachable("it is away")
    assert failure(scene.polling.settled(scene.of)) == Failure("Unreachable", "it is away", retry=True)
    pauses = []
    for _ in range(8):
        [(key, pause)] = set(scene.woken()) - {(DIGITS, 0.0)}
        assert key == DIGITS
        pauses.append(pause)
        scene.pass_by(pause)
        scene.of()
        scene.polling.answer()

    assert pauses == [1, 2, 4, 8, 16, 30, 30, 30]
    scene.party.answer = "back"
    scene.pass_by(30)
    scene.of()
    scene.polling.answer()
    assert scene.woken()[-1] == (DIGITS, 0.0)
    assert scene.of() == "back"


def test_a_defect_of_ours_is_logged_and_asked_again(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    scene.party.answer = ZeroDivisionError("by nothing")
    with caplog.at_level(logging.ERROR):
        told = failure(scene.polling.settled(scene.of))

    assert (told.reason, told.retry, told.pending) == ("AskingFailed", True, False)
    assert "asking the party failed: ZeroDivisionError by nothing" in told.message
    assert "ZeroDivisionError" in caplog.text


def test_a_party_that_never_answers_is_called_that_after_the_deadline_and_wakes_once(scene: Scene) -> None:
    scene.of()
    scene.pass_by(DEADLINE - 0.1)
    assert scene.woken() == []
    assert failure(scene.of()).pending
    scene.pass_by(0.1)
    assert scene.woken() == [(DIGITS, 0.0)]
    scene.pass_by(100)

    assert scene.woken() == []
    told = failure(scene.of())
    assert (told.reason, told.retry, told.pending) == ("Unreachable", True, False)
    assert told.message == "the party has not answered for 6 s; it is asked again."
    scene.polling.answer()
    assert scene.woken() == [(DIGITS, 0.0)]
    assert (scene.of(), scene.party.asked) == ("one", 1)


def test_while_a_party_hangs_what_it_said_before_stands(scene: Scene) -> None:
    scene.polling.settled(scene.of)
    scene.pass_by(10)
    scene.of()
    scene.pass_by(1000)

    assert scene.of() == "one"


def test_who_asks_while_the_next_try_waits_is_woken_for_it(scene: Scene) -> None:
    scene.party.answer = Unreachable("it is away")
    scene.polling.settled(scene.of)
    scene.pass_by(0.25)
    scene.woken()

    scene.of(FACES)
    assert scene.woken() == [(FACES, 0.75)]


def test_what_nobody_asks_any_more_is_forgotten_after_an_hour(scene: Scene) -> None:
    scene.polling.settled(scene.of)
    scene.pass_by(3600)
    scene.poller.forget_unused()
    assert scene.poller.latest("what?") == "one"
    scene.pass_by(3600.1)
    scene.poller.forget_unused()

    assert scene.poller.latest("what?") is None


def test_what_may_be_asked_again_any_time_is_never_forgotten() -> None:
    scene = Scene(Habits(lambda _: inf, remembered=inf))
    scene.polling.settled(scene.of)
    scene.pass_by(1_000_000)
    scene.poller.forget_unused()

    assert scene.poller.latest("what?") == "one"


def test_what_is_under_way_is_not_forgotten(scene: Scene) -> None:
    scene.of()
    scene.pass_by(10_000)
    scene.poller.forget_unused()
    scene.polling.answer()

    assert scene.poller.latest("what?") == "one"


def test_a_failure_is_no_latest_answer(scene: Scene) -> None:
    scene.party.answer = Unreachable("it is away")
    scene.polling.settled(scene.of)

    assert scene.poller.latest("what?") is None


def test_a_question_has_one_budget_for_all_its_calls() -> None:
    rest = []
    polling = PollingByHand()
    poller = polling.poller("the party", lambda _: rest.append(left(10)) or "one", Habits(lambda _: inf, chain=2.5))
    polling.settled(lambda: poller.of(DIGITS, "what?"))

    assert 0 < rest[0] <= 2.5
