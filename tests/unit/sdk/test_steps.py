"""What is asked again and what is not, within the time of the call; no server and no clock of this machine."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from modelyard.clients.inference.predictions import Description, TensorSpec
from modelyard.errors import DeadlineExceeded, InvalidInput, InvalidSettings, ModelyardError, Refused, Unreachable
from modelyard.sdk import steps
from modelyard.sdk.address import ServerAddress
from modelyard.sdk.wire.calls import Call, CallKind, ClientOptions, InferenceAnswer
from modelyard.sdk.wire.failures import Unbegun

ADDRESS = ServerAddress("http://gateway")
ENDPOINT = ADDRESS.endpoint("digits")
AWAY, LATER = Unbegun("away"), Unbegun("later", 3.0)


def described(width: int) -> Description:
    return Description("digits", (TensorSpec("x", "FP32", (-1, width)),), (TensorSpec("y", "FP32", (-1, 1)),))


ANSWER = InferenceAnswer({"y": np.ones((1, 1), "f4")}, "digits-1", "id")


class Server:
    """Gives one answer after the other, each after so many seconds of a clock of its own."""

    def __init__(self, *answers: Any, seconds: float = 0.0) -> None:
        self.now, self.pauses, self.asked, self.allowed, self.calls = 0.0, [], [], [], []
        self._answers: Iterator[Any] = iter(answers)
        self._seconds = seconds

    def ask(self, call: Call, seconds: float) -> Any:
        self.asked.append(call.kind)
        self.calls.append(call)
        self.allowed.append(seconds)
        self.now += self._seconds
        answer = next(self._answers)
        if isinstance(answer, ModelyardError):
            raise answer
        return answer

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds

    def done(self, todo: Any) -> Any:
        return steps.carried_out(todo, self, self.sleep)

    def session(self, **options: Any) -> steps.Session:
        return steps.Session(ADDRESS, ClientOptions(**options), lambda: self.now)

    def answer(self, timeout: float | None = None, **options: Any) -> Any:
        return self.done(steps.answered(self.session(**options), Call(CallKind.INFER, ENDPOINT), timeout))


def test_what_nobody_has_begun_is_asked_again_after_growing_pauses() -> None:
    server = Server(AWAY, AWAY, ANSWER)

    assert server.answer() is ANSWER
    assert [0.05 <= server.pauses[0] <= 0.15, 0.1 <= server.pauses[1] <= 0.3] == [True, True]


def test_the_gateway_may_say_when_to_come_back() -> None:
    server = Server(LATER, ANSWER)

    assert server.answer() is ANSWER
    assert server.pauses == [3.0]


def test_tries_end_with_the_number_that_is_allowed() -> None:
    with pytest.raises(Unreachable, match="away") as away:
        Server(AWAY, AWAY, AWAY, ANSWER).answer()
    assert away.value.reason == "Unreachable"
    with pytest.raises(Unreachable):
        Server(AWAY, ANSWER).answer(retries=0)


@pytest.mark.parametrize("bad", [Unreachable("broken"), DeadlineExceeded("late"), Refused("no"), InvalidInput("bad")])
def test_what_may_have_been_computed_or_would_fail_again_is_asked_once(bad: ModelyardError) -> None:
    server = Server(bad, ANSWER)

    with pytest.raises(type(bad)):
        server.answer()
    assert len(server.asked) == 1


def test_all_tries_share_the_time_of_the_call() -> None:
    server = Server(LATER, LATER, ANSWER, seconds=1.0)

    with pytest.raises(Unreachable, match="later"):
        server.answer(timeout=6.0)
    assert server.allowed == [6.0, 2.0]


@pytest.mark.parametrize("timeout", [0, -1.0])
def test_a_call_without_time_is_a_mistake(timeout: float) -> None:
    with pytest.raises(InvalidInput, match="leaves no time to answer"):
        Server().answer(timeout=timeout)


def test_a_model_is_described_once() -> None:
    server, values = Server(described(2), ANSWER, ANSWER), [[1, 2]]
    session = server.session()

    for _ in range(2):
        assert server.done(steps.predicted(session, ENDPOINT, values, None, "")) == [[1.0]]
    assert server.asked == ["metadata", "infer", "infer"]


def test_values_that_a_changed_model_takes_are_held_against_its_new_description() -> None:
    server = Server(described(2), ANSWER, described(3), ANSWER)
    session = server.session()
    server.done(steps.predicted(session, ENDPOINT, [[1, 2]], None, ""))

    assert server.done(steps.predicted(session, ENDPOINT, [[1, 2, 3]], None, "")) == [[1.0]]
    assert server.asked == ["metadata", "infer", "metadata", "infer"]


def test_values_that_do_not_fit_either_are_refused_with_one_question_more() -> None:
    server = Server(described(2), described(2))
    session = server.session()

    for expected in (1, 2):
        with pytest.raises(InvalidInput):
            server.done(steps.predicted(session, ENDPOINT, [[1, 2, 3]], None, ""))
        assert len(server.asked) == expected


def test_a_model_is_waited_for_with_growing_pauses() -> None:
    server = Server("it loads", Unreachable("away"), "it loads", "")

    server.done(steps.until_ready(server.session(), ENDPOINT, 10.0))
    assert server.pauses == [0.1, 0.2, 0.4]


def test_a_model_that_does_not_become_ready_says_why_at_last() -> None:
    server = Server(*["it loads"] * 9)

    with pytest.raises(DeadlineExceeded, match=r"digits is not ready after 2.5 s: it loads"):
        server.done(steps.until_ready(server.session(), ENDPOINT, 2.5))
    assert server.now == pytest.approx(2.5)


def test_a_mistake_is_not_waited_for() -> None:
    with pytest.raises(InvalidInput):
        Server(InvalidInput("no")).done(steps.until_ready(Server().session(), ENDPOINT, 2.5))


def test_a_server_that_tells_no_largest_batch_has_none() -> None:
    server = Server(Refused("no such page"), 64)

    assert server.done(steps.largest_batch(server.session(), ENDPOINT, None)) == 0
    assert server.done(steps.largest_batch(server.session(), ENDPOINT, None)) == 64


@pytest.mark.parametrize("request_id", ["two words", "line\nend", "ü", "x" * 257])
def test_an_id_is_one_that_a_header_can_carry(request_id: str) -> None:
    with pytest.raises(InvalidInput, match="printable ASCII"):
        Server().done(steps.predicted(Server().session(), ENDPOINT, [1], None, request_id))


def test_labels_are_written_as_the_platform_reads_them() -> None:
    server = Server(2)
    session = steps.Session(ServerAddress("http://gateway", "demo"), ClientOptions(), lambda: server.now)
    items = [{"request_id": "a", "label": np.int64(1), "row": 0}, {"request_id": "b", "labels": {"price": 3.5}}]

    assert server.done(steps.labelled(session, "loans", items, None)) == 2
    assert server.calls[-1].endpoint.url == "http://gateway/demo/loans"
    assert json.loads(server.calls[-1].body) == [
        {"requestId": "a", "label": 1, "row": 0},
        {"requestId": "b", "labels": {"price": 3.5}},
    ]


@pytest.mark.parametrize(
    ("items", "sentence"),
    [
        ([], "there are no labels"),
        ([{"label": float("nan")}], "a label is a number"),
        ([{"label": {1}}], "set is none"),
    ],
)
def test_what_is_no_label_is_refused_before_it_is_sent(items: list[Any], sentence: str) -> None:
    session = steps.Session(ServerAddress("http://gateway", "demo"), ClientOptions())

    with pytest.raises(InvalidInput, match=sentence):
        Server().done(steps.labelled(session, "loans", items, None))


def test_labels_need_a_namespace() -> None:
    with pytest.raises(InvalidSettings, match="make the client with namespace="):
        Server().done(steps.labelled(Server().session(), "loans", [{"request_id": "a", "label": 1}], None))


def test_a_time_is_written_as_text() -> None:
    server = Server(1)
    session = steps.Session(ServerAddress("http://gateway", "demo"), ClientOptions(), lambda: server.now)
    server.done(
        steps.labelled(session, "loans", [{"request_id": "a", "time": datetime(2026, 11, 29, tzinfo=UTC)}], None)
    )

    assert json.loads(server.calls[-1].body)[0]["time"] == "2026-11-29T00:00:00+00:00"


def test_all_questions_of_a_call_share_its_time() -> None:
    server = Server(described(2), ANSWER, seconds=1.0)
    server.done(steps.predicted(server.session(), ENDPOINT, [[1, 2]], 2.5, ""))
    late = Server(described(2), ANSWER, seconds=3.0)

    assert server.allowed == [2.5, 1.5]
    with pytest.raises(DeadlineExceeded, match=r"did not answer within 2\.5 s"):
        late.done(steps.predicted(late.session(), ENDPOINT, [[1, 2]], 2.5, ""))
    assert len(late.asked) == 1
