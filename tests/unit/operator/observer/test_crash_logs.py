"""Logs are read of containers that ended badly, once per restart, and of no others."""

from typing import Any

import pytest

from modelyard.core.snapshot import Ref
from modelyard.errors import Unreachable
from modelyard.operator.observer.crash_logs import EMPTY_SECONDS, CrashLogs
from tests.support.operator.answers import DIGITS, PollingByHand, Settled

POD = Ref("Pod", "demo", "digits-1")


class Logs:
    """What a node would answer."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, bool]] = []
        self.text = "cannot load model"
        self.away = False

    def logs(self, pod: Ref, container: str, *, previous: bool, limit: int) -> str:
        self.asked.append((container, previous))
        if self.away:
            raise Unreachable("no answer")
        return self.text


def pod(uid: str = "u1", init: Any = None, **status: Any) -> dict[Ref, Any]:
    own = {"name": "kserve-container", "ready": False, "restartCount": 0, "state": {"running": {}}, **status}
    statuses = {"containerStatuses": [own], **({"initContainerStatuses": [init]} if init else {})}
    return {POD: {"kind": "Pod", "metadata": {"name": POD.name, "uid": uid}, "status": statuses}}


BACK_OFF = {"restartCount": 3, "state": {"waiting": {"reason": "CrashLoopBackOff"}}}
ENDED = {"state": {"terminated": {"exitCode": 1}}}


@pytest.fixture
def logs() -> Logs:
    return Logs()


@pytest.fixture
def crashes(logs: Logs) -> Settled:
    polling = PollingByHand()
    return Settled(CrashLogs(logs, polling), polling)


@pytest.mark.parametrize(
    "status",
    [{}, {"ready": True, "restartCount": 4}, {"state": {"terminated": {"exitCode": 0}}}],
    ids=["starting", "recovered", "ended well"],
)
def test_nothing_is_read_of_a_container_that_is_fine(crashes: Settled, logs: Logs, status: Any) -> None:
    assert crashes.last_lines(pod(**status)) == {}
    assert logs.asked == []


def test_a_crash_loop_is_explained_by_the_run_before(crashes: Settled, logs: Logs) -> None:
    assert crashes.last_lines(pod(**BACK_OFF)) == {"digits-1": "cannot load model"}
    assert logs.asked == [("kserve-container", True)]


def test_a_container_that_just_ended_is_explained_by_this_run(crashes: Settled, logs: Logs) -> None:
    crashes.last_lines(pod(**ENDED))

    assert logs.asked == [("kserve-container", False)]


def test_a_failed_download_comes_before_the_server_that_waits_for_it(crashes: Settled, logs: Logs) -> None:
    crashes.last_lines(pod(init={"name": "storage-initializer", "restartCount": 2, "ready": False}))

    assert logs.asked == [("storage-initializer", True)]


def test_a_log_is_read_once_per_restart(crashes: Settled, logs: Logs) -> None:
    for restarts in (1, 1, 1, 2):
        crashes.last_lines(pod(restartCount=restarts))

    assert len(logs.asked) == 2


def test_an_empty_log_is_remembered_and_asked_for_again_later(crashes: Settled, logs: Logs) -> None:
    logs.text = ""
    assert [crashes.last_lines(pod(**BACK_OFF)) for _ in range(3)] == [{"digits-1": ""}] * 3
    assert len(logs.asked) == 1

    logs.text = "found"
    crashes.polling.clock.pass_by(EMPTY_SECONDS)
    assert [crashes.last_lines(pod(**BACK_OFF)) for _ in range(3)] == [{"digits-1": "found"}] * 3
    assert len(logs.asked) == 2


def test_an_empty_log_of_one_run_says_nothing_of_the_next(crashes: Settled, logs: Logs) -> None:
    logs.text = ""
    crashes.last_lines(pod(restartCount=1))
    logs.text = "found"

    assert crashes.last_lines(pod(restartCount=2)) == {"digits-1": "found"}


def test_while_the_node_is_away_the_last_known_lines_stand(crashes: Settled, logs: Logs) -> None:
    crashes.last_lines(pod(restartCount=1))
    logs.away = True

    assert crashes.last_lines(pod(restartCount=2)) == {"digits-1": "cannot load model"}
    crashes.observer.forget("u1")
    assert crashes.last_lines(pod(restartCount=2)) == {"digits-1": ""}


def test_a_log_that_is_being_read_is_not_taken_for_an_empty_one(logs: Logs) -> None:
    polling = PollingByHand()
    crashes = CrashLogs(logs, polling)
    assert crashes.last_lines(DIGITS, pod(**BACK_OFF)) == {"digits-1": None}
    polling.answer()

    assert polling.woken == [(DIGITS, 0.0)]
    assert crashes.last_lines(DIGITS, pod(**BACK_OFF)) == {"digits-1": "cannot load model"}
