"""A Model nobody asks has no pods; whoever asks next waits for the first, over HTTP and gRPC, and gets an answer."""

from collections import Counter

import pytest

from modelyard.core.names import predictor
from tests.support.cluster.kubectl import get, items
from tests.support.cluster.models import condition
from tests.support.cluster.scaling.open_loop import LoadPhase, OpenLoop, lost
from tests.support.cluster.scaling.resting import OURS, ask_all, asleep, awake, rests


def test_a_model_nobody_asks_goes_to_zero_and_the_next_requests_wait_for_its_first_pod(namespace: str) -> None:
    revision = rests(namespace)

    asleep(namespace)
    model = get("model", "digits", namespace)
    assert condition(model, "Ready")["status"] == "True"
    assert condition(model, "Serving")["reason"] == "ScaledToZero"
    assert len(items("endpointslices", namespace, OURS)) == 1

    assert ask_all(namespace, 8) == {revision: 16}

    awake(namespace)
    model = get("model", "digits", namespace) or {}
    assert condition(model, "Serving")["reason"] == "Answering"
    assert model["status"]["coldStart"]["count"] == 1
    deployment = get("deployment", predictor(revision), namespace)
    assert deployment is not None
    assert deployment["spec"]["replicas"] == 1
    assert ask_all(namespace, 4) == {revision: 8}


@pytest.mark.proof
def test_ten_times_to_zero_and_back_lose_no_request(namespace: str) -> None:
    revision = rests(namespace)
    answered: Counter[str] = Counter()

    for _ in range(10):
        asleep(namespace)
        answered += ask_all(namespace, 20)
        awake(namespace)
    known = (get("model", "digits", namespace) or {})["status"]["coldStart"]
    print(f"{answered.total()} answered; cold starts {known}")

    assert answered == {revision: 400}
    assert known["count"] == 10
    assert 0 < known["p50"] <= known["p99"]


@pytest.mark.proof
def test_requests_that_come_all_the_while_are_lost_neither_on_the_way_up_nor_when_the_holders_leave(
    namespace: str,
) -> None:
    rests(namespace)
    asleep(namespace)

    with OpenLoop("digits", namespace, [LoadPhase(40, 20)]) as load:
        awake(namespace)
        answers = load.ended()
    print(f"{len(answers)} requests, the slowest took {max(answer.seconds for answer in answers):.1f} s")

    assert lost(answers) == []


@pytest.mark.proof
def test_two_models_wake_at_once(namespace: str) -> None:
    names = ("digits", "figures")
    revisions = [rests(namespace, name) for name in names]
    for name in names:
        asleep(namespace, name)

    answered = ask_all(namespace, 10, names)

    assert answered == dict.fromkeys(revisions, 20)
    for name in names:
        awake(namespace, name)
