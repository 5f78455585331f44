"""What came of a retraining: a Job's last words, or a webhook's answer."""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any

import pytest

from modelyard.api.model import Model
from modelyard.core.names import retrain_job_name
from modelyard.core.snapshot import Check, Ref
from modelyard.errors import Unreachable
from modelyard.operator.observer.checks import CheckObserver
from modelyard.operator.observer.retraining.results import RetrainingObserver
from tests.support.operator.answers import DIGITS, PollingByHand

RUN = {"id": "run-1", "causes": ["decay"], "revision": "digits-1", "version": "1", "startTime": "2027-01-15T08:00:00Z"}
URL = "https://trainer.example.com/retrain"
WATCHED = {"sample": "auto", "log": {"columns": ["*"]}, "feedback": {}}


class World:
    """Pods, Secrets and an address, as the API server and the address tell of them."""

    def __init__(self, *codes: int, secret: Any = None, pods: list[dict[str, Any]] | None = None) -> None:
        self.codes, self.secret, self.pods = list(codes), secret, pods or []
        self.sent: list[tuple[str, bytes, dict[str, str]]] = []
        self.polling = PollingByHand()
        checks = CheckObserver(self, self.polling)
        self.observer = RetrainingObserver(checks, self, self.post, self.polling)

    def items(self, kind: str, namespace: str = "", selector: str = "") -> list[dict[str, Any]]:
        return self.pods

    def get(self, ref: Ref) -> dict[str, Any] | None:
        assert ref == Ref("Secret", "demo", "trainer")
        return self.secret

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> int:
        self.sent.append((url, body, dict(headers)))
        if not self.codes:
            raise Unreachable(f"{url} does not answer")
        return self.codes.pop(0)

    def seen(self, model: Model, *jobs: dict[str, Any]) -> Check | None:
        return self.polling.settled(lambda: self.observer.of(DIGITS, model, jobs))


def a_model(retrain: dict[str, Any] | None, run: dict[str, Any] | None = RUN, **more: Any) -> Model:
    spec: dict[str, Any] = {"source": {"name": "digits", "version": "1"}, "monitoring": WATCHED}
    if retrain is not None:
        spec["retrain"] = {"when": ["decay"], **retrain}
    status: dict[str, Any] = {"retraining": {"state": "Running", "reason": "Training", "message": "", "since": ""}}
    if run is not None:
        status["retraining"]["run"] = {**run, **more}
    return Model.model_validate({"metadata": {"name": "digits", "namespace": "demo"}, "spec": spec, "status": status})


def hook(secret: bool = False) -> Model:
    told: dict[str, Any] = {"url": URL}
    if secret:
        told["secretRef"] = {"name": "trainer", "key": "key"}
    return a_model({"webhook": told}, webhook=True)


OWN = {"recipe": "retrain.py:retrain"}


def job(how: str = "", run: str = "run-1") -> dict[str, Any]:
    conditions = [{"type": how, "status": "True", "message": "x"}] if how else []
    metadata = {"name": retrain_job_name("demo", "digits", run), "namespace": "modelyard-system", "uid": "uid-1"}
    return {"kind": "Job", "metadata": metadata, "status": {"conditions": conditions}}


def pod(words: Any) -> dict[str, Any]:
    ended = {"exitCode": 0, "message": json.dumps(words)}
    return {
        "metadata": {"name": "p", "creationTimestamp": "2027-01-15T08:00:00Z", "ownerReferences": [{"uid": "uid-1"}]},
        "status": {"containerStatuses": [{"name": "retrain", "state": {"terminated": ended}}]},
    }


def test_nobody_is_asked_where_nothing_is_under_way() -> None:
    world = World(200)
    assert [world.seen(model) for model in (a_model(OWN, None), a_model(None), a_model(OWN))] == [None, None, None]
    plain = Model.model_validate(
        {"metadata": {"name": "digits", "namespace": "demo"}, "spec": {"source": {"name": "digits", "version": "1"}}}
    )
    assert world.seen(plain) is None
    assert world.sent == []


def test_a_job_is_under_way_until_it_has_ended() -> None:
    world = World(pods=[pod({"passed": True, "message": "Pushed digits:2.", "report": {"version": "2"}})])
    assert world.seen(a_model(OWN), job()) is None
    assert world.seen(a_model(OWN), job("Complete", run="another")) is None
    assert world.seen(a_model(OWN), job("Complete")) == Check(True, "Pushed digits:2.", {"version": "2"})


def test_a_job_that_left_no_answer_says_why() -> None:
    world = World(pods=[pod({"reason": "InvalidInput", "message": "no recorded row has a label."})])
    assert world.seen(a_model(OWN), job("Failed")) == Check(None, "no recorded row has a label.", retry=True)


def test_an_end_that_cannot_be_read_yet_is_no_end() -> None:
    world = World()

    def away(kind: str, namespace: str = "", selector: str = "") -> list[dict[str, Any]]:
        raise Unreachable("the API server did not answer")

    world.items = away
    assert world.seen(a_model(OWN), job("Complete")) is None


def test_a_spec_that_asks_somebody_else_by_now_has_no_answer() -> None:
    world = World(200)
    assert world.seen(a_model(OWN, webhook=True)) is None
    assert world.sent == []


@pytest.mark.parametrize("code", [200, 202, 204])
def test_an_address_that_takes_the_event_is_told_once(code: int) -> None:
    world = World(code)
    answer = world.seen(hook())
    assert answer is not None
    assert (answer.passed, f"HTTP {code}" in answer.message) == (True, True)
    world.polling.clock.pass_by(3000)
    assert world.seen(hook()) == answer
    [(url, body, headers)] = world.sent
    assert (url, json.loads(body)["id"], headers["x-modelyard-event"]) == (URL, "run-1", "run-1")
    assert "x-modelyard-signature" not in headers


@pytest.mark.parametrize("code", [302, 400, 403, 404])
def test_a_refusal_is_for_good(code: int) -> None:
    world = World(code, 200)
    answer = world.seen(hook())
    assert answer is not None
    assert (answer.passed, "correct spec.retrain.webhook" in answer.message) == (False, True)
    assert len(world.sent) == 1


@pytest.mark.parametrize("code", [408, 429, 500, 503])
def test_one_that_cannot_now_is_told_again(code: int) -> None:
    world = World(code, 200)
    answer = world.seen(hook())
    assert answer is not None
    assert (answer.passed, f"HTTP {code}" in answer.message) == (None, True)
    world.polling.clock.pass_by(60)
    answer = world.seen(hook())
    assert answer is not None
    assert answer.passed is True
    assert world.sent[0] == world.sent[1]


def test_an_address_that_nobody_is_at_is_told_again() -> None:
    world = World()
    answer = world.seen(hook())
    assert answer is not None
    assert (answer.passed, answer.message) == (None, f"{URL} does not answer")


def test_the_body_is_signed_with_the_models_own_secret() -> None:
    world = World(200, secret={"data": {"key": base64.b64encode(b"shared").decode()}})
    assert world.seen(hook(secret=True)) is not None
    [(_, body, headers)] = world.sent
    assert headers["x-modelyard-signature"] == f"sha256={hmac.new(b'shared', body, hashlib.sha256).hexdigest()}"


@pytest.mark.parametrize(
    ("secret", "says"),
    [
        (None, "is not there: make it."),
        ({"data": {"other": "eA=="}}, "has nothing in the field key"),
        ({"data": {"key": "?"}}, "has nothing in the field key"),
        ({}, "has nothing in the field key"),
    ],
    ids=["gone", "another-field", "not-base64", "empty"],
)
def test_without_the_key_nothing_is_sent(secret: Any, says: str) -> None:
    world = World(200, secret=secret)
    answer = world.seen(hook(secret=True))
    assert answer is not None
    assert (answer.passed, says in answer.message) == (False, True)
    assert world.sent == []
