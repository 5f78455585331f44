"""From one to six times what a replica takes on, and back: replicas follow, answers come in time, none is lost.

A replica that may use a tenth of a core multiplies matrices, so that it takes on a few requests a second, really; how
many is measured here. The load rises by one replica's worth at a time. What comes within GRACE seconds of a step
may be late, nothing may be lost.
"""

import math
from collections import Counter
from itertools import pairwise
from typing import Any

import pytest

from modelyard.core.names import predictor
from tests.support.cluster.kubectl import eventually, run
from tests.support.cluster.models import a_model, applied, until
from tests.support.cluster.scaling.autoscaled import capacity, numbers, scaling
from tests.support.cluster.scaling.open_loop import LoadPhase, OpenLoop, lost, saturated
from tests.support.cluster.watch import Watch
from tests.support.traffic.simulated_autoscaler import direction_changes

pytestmark = pytest.mark.proof
MILLISECONDS = "8"
"""Of a core, for one request."""
TENTH = {"requests": {"cpu": "50m", "memory": "128Mi"}, "limits": {"cpu": "100m", "memory": "1Gi"}}
THRESHOLD = 2.0
SLO = {"latency": {"percentile": 99, "threshold": "2s"}, "errorRate": "1%"}
RANGE = {"minReplicas": 1, "maxReplicas": 10, "scaleDownDelay": "30s"}
RISING, CALM, GRACE = 60, 330, 30
LEVELS = (1, 2, 3, 4, 5, 6, 1)


def the_model(namespace: str, version: str, **scaling_range: Any) -> dict[str, Any]:
    serving = {"resources": TENTH}
    return a_model("digits", namespace, "digits-slow", version, serving=serving, slo=SLO, scaling=scaling_range)


@pytest.fixture
def takes_on(namespace: str) -> tuple[str, float]:
    """The revision, and the requests a second that one replica of it takes on."""
    version = run("python", "-m", "tests.support.artifacts.bad_models", "slow", MILLISECONDS).stdout.strip()
    applied(the_model(namespace, version, minReplicas=1, maxReplicas=1))
    revision = until("digits", namespace, "Reconciling", "False", "Done")["status"]["revision"]
    saturated("digits", namespace, 4, 5)
    rate = round(0.9 * saturated("digits", namespace, 4, 20), 1)
    applied(the_model(namespace, version, **RANGE))
    capacity("digits", namespace, rate, cpu=0.1)
    eventually(lambda: not scaling("digits", namespace).get("guess", True), "the capacity is taken up")
    return revision, rate


def test_replicas_follow_a_ramp_and_answers_come_in_time(takes_on: tuple[str, float], namespace: str) -> None:
    revision, rate = takes_on
    phases = [LoadPhase(CALM if at == len(LEVELS) - 1 else RISING, level * rate) for at, level in enumerate(LEVELS)]
    with (
        Watch("deployment", predictor(revision), namespace) as watch,
        OpenLoop("digits", namespace, [LoadPhase(90, rate), *phases]) as load,
    ):
        answers = load.ended()
        steps = list(pairwise(load.changes[1:]))
        courses = [numbers(watch, begin, end) for begin, end in steps]
    calm = [[one for one in answers if begin + GRACE <= one.due < end] for begin, end in steps]
    late = [sum(answer.seconds > THRESHOLD for answer in step) for step in calm]
    statuses = Counter(answer.status for answer in lost(answers))
    print(f"one replica takes on {rate}/s; {len(answers)} requests, lost by status {statuses}")
    print(f"replicas by step {courses}")
    print(f"later than {THRESHOLD:g} s, {GRACE} s after each step: {late} of {[len(step) for step in calm]}")

    assert lost(answers) == []
    assert sum(late) <= 0.01 * sum(map(len, calm))
    assert [direction_changes(course) <= 1 for course in courses] == [True] * len(LEVELS), courses
    assert all(course[-1] >= level for course, level in zip(courses, LEVELS, strict=True)), courses
    assert courses[5][-1] >= math.floor(6 / 0.75)
    assert courses[6][-1] <= math.ceil(1 / 0.75) + 1
