"""What the Jobs that examine a candidate found, as their conditions and their pods' last words say."""

import json
from typing import Any

import pytest

from modelyard.core.names import CHECK_LABEL
from modelyard.core.snapshot import Check
from modelyard.errors import Unreachable
from modelyard.operator.observer.checks import CheckObserver
from tests.support.operator.answers import DIGITS, PollingByHand, Settled

NOW = "2026-01-01T00:00:00Z"
LATER = "2026-01-01T00:05:00Z"
REPORT = {"requests": 3000, "failed": 0}


class Pods:
    """The pods of a Job, as the API server lists them."""

    def __init__(self, *pods: dict[str, Any]) -> None:
        self.pods, self.away, self.asked = pods, False, list[str]()

    def items(self, kind: str, namespace: str = "", selector: str = "") -> list[dict[str, Any]]:
        self.asked.append(f"{kind} {namespace} {selector}")
        if self.away:
            raise Unreachable("the API server did not answer")
        return list(self.pods)


def observed(pods: Pods) -> Settled:
    """Checks as they are once the API server has answered."""
    polling = PollingByHand()
    return Settled(CheckObserver(pods, polling), polling)


def pod(words: Any, exit_code: int = 0, created: str = NOW, owner: str = "uid-1") -> dict[str, Any]:
    ended = {"exitCode": exit_code, "message": words if isinstance(words, str) else json.dumps(words)}
    return {
        "metadata": {"name": "p", "creationTimestamp": created, "ownerReferences": [{"uid": owner}]},
        "status": {"containerStatuses": [{"name": "check", "state": {"terminated": ended}}]},
    }


def job(how: str = "", gate: str = "loadTest", uid: str = "uid-1", why: str = "Job was active too long") -> Any:
    conditions = [{"type": how, "status": "True", "message": why}] if how else []
    labels = {CHECK_LABEL: gate} if gate else {}
    metadata = {"name": f"check-{gate.lower()}", "namespace": "modelyard-system", "uid": uid, "labels": labels}
    return {"kind": "Job", "metadata": metadata, "status": {"conditions": conditions}}


PASSED = {"passed": True, "message": "All went well.", "report": REPORT}
FAILED = {"passed": False, "message": "Half of them failed.", "report": REPORT}
NO_ANSWER = {"reason": "Unreachable", "message": "The store does not answer."}


def test_a_check_that_runs_has_no_answer_yet() -> None:
    pods = Pods()

    assert observed(pods).of([job()]) == {"loadTest": Check(None)}
    assert pods.asked == []


def test_a_check_that_is_suspended_says_so() -> None:
    held = job() | {"spec": {"suspend": True}}

    waits = Check(
        None,
        "Job modelyard-system/check-loadtest is suspended, by a person or a queue of Jobs: it runs once its "
        "spec.suspend is false",
    )
    assert observed(Pods()).of([held]) == {"loadTest": waits}
    assert observed(Pods()).of([held | {"spec": {"suspend": False}}]) == {"loadTest": Check(None)}


@pytest.mark.parametrize(
    ("how", "code", "words", "passed"), [("Complete", 0, PASSED, True), ("Failed", 1, FAILED, False)]
)
def test_an_answer_is_the_pods_own(how: str, code: int, words: dict[str, Any], passed: bool) -> None:
    pods = Pods(pod(words, code), pod(PASSED if not passed else FAILED, owner="somebody else's"))

    found = observed(pods).of([job(how)])["loadTest"]

    assert found == Check(passed, words["message"], REPORT)
    assert pods.asked == ["Pod modelyard-system batch.kubernetes.io/job-name=check-loadtest"]


def test_the_latest_pod_with_an_answer_counts() -> None:
    pods = Pods(pod(NO_ANSWER, 2, created=NOW), pod(PASSED, created=LATER))

    assert observed(pods).of([job("Complete")])["loadTest"].passed is True


def test_an_end_without_an_answer_says_nothing_of_the_candidate() -> None:
    found = observed(Pods(pod(NO_ANSWER, 2))).of([job("Failed")])["loadTest"]

    assert found == Check(None, "The store does not answer.", retry=True)


@pytest.mark.parametrize("pods", [Pods(), Pods(pod("Killed", 137)), Pods(pod("[]", 1)), Pods(pod({"passed": "yes"}))])
def test_a_job_that_left_no_words_says_where_to_look(pods: Pods) -> None:
    found = observed(pods).of([job("Failed")])["loadTest"]

    assert (found.passed, found.retry) == (None, True)
    assert "Job was active too long" in found.message
    assert "kubectl -n modelyard-system logs job/check-loadtest" in found.message


def test_a_job_that_ended_well_has_passed_even_when_its_pod_is_gone() -> None:
    found = observed(Pods()).of([job("Complete")])["loadTest"]

    assert found.passed is True
    assert "its report is in the store" in found.message


def test_pods_that_cannot_be_read_are_asked_again() -> None:
    pods = Pods(pod(PASSED))
    checks, pods.away = observed(pods), True
    first = checks.of([job("Complete")])["loadTest"]
    pods.away = False
    checks.polling.clock.pass_by(1)

    assert (first.passed, first.retry) == (None, True)
    assert checks.of([job("Complete")])["loadTest"].passed is True


def test_what_was_said_is_read_once_by_job() -> None:
    pods = Pods(pod(PASSED))
    checks = observed(pods)
    for _ in range(3):
        checks.of([job("Complete")])
    assert len(pods.asked) == 1

    checks.of([job("Complete", uid="uid-2")])
    assert len(pods.asked) == 2


def test_while_what_it_said_is_being_read_it_counts_as_running() -> None:
    known = CheckObserver(Pods(pod(FAILED, 1)), PollingByHand()).of(DIGITS, [job("Failed")])["loadTest"]

    assert (known.passed, known.retry) == (None, False)


def test_every_check_has_its_gate_and_builds_are_none() -> None:
    found = observed(Pods()).of([job(), job(gate="shadow", uid="uid-2"), job(gate="", uid="uid-3")])

    assert set(found) == {"loadTest", "shadow"}
