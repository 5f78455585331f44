"""A load test speaks against a revision only when its counts prove something, and never for faults of its own."""

from typing import Any

import pytest

from loadtests.arrivals import Curve, Piece, steady
from loadtests.judging import Judgement, Unusable, judge
from loadtests.options import Options
from loadtests.parts import parts
from loadtests.recording import Recording, Row
from loadtests.reports.report import report, sentence, short, text
from modelyard.core.analysis.statistics.sequential_test import RuleVerdict

BEGAN = 1_800_000_000
OPTIONS = Options(
    url="http://gateway", grpc_url="http://gateway", model="digits", namespace="demo", host="digits.demo.models.local",
    revision="digits-2", id="one", requests={}, arrivals=steady(50.0, 60.0), grpc_share=0.5, binary_share=0.0,
    error_rate=0.01, latency=0.1, percentile=99.0, timeout=10.0, most_requests=1_000_000, report="", publish=False,
)  # fmt: skip


def options(**changes: Any) -> Options:
    return Options(**{**OPTIONS.__dict__, **changes})


def a_recording(bad: int = 0, slow: int = 0, requests: int = 3000, seconds: int = 60, lag: float = 1.0) -> Recording:
    """So many requests evenly over the time, of which the last ones failed or were slow; planned were 50 a second."""
    recording = Recording(1_000_000)
    recording.starts.append(float(BEGAN))
    recording.lags += [lag] * 100
    for index in range(requests):
        failed, late = index % 100 < bad, index % 100 < slow
        row = Row(index * seconds / requests, 2 * (index % 2), 250.0 if late else 5.0, 0.0, 0.0, failed, "digits-2")
        recording.add(row, "HTTP 500" if failed else "")
    return recording


def judged(recording: Recording, given: Options = OPTIONS, seconds: float = 60.0) -> Judgement:
    return judge(recording, given, BEGAN + seconds)


def verdicts(found: Judgement) -> dict[str, RuleVerdict]:
    return {one.name: one.verdict for one in found.objectives}


def test_a_revision_that_keeps_its_promises_passes() -> None:
    found = judged(a_recording())

    assert found.passed
    assert verdicts(found) == {"errors": RuleVerdict.PASS, "latency": RuleVerdict.PASS}
    assert found.achieved == pytest.approx(50.0)


def test_what_a_process_that_died_owed_is_not_held_against_the_revision() -> None:
    recording = a_recording(requests=1500)
    recording.processes = 2

    with pytest.raises(Unusable, match=r"nothing is known of 1500 of 3000 requests: .* died"):
        judged(recording)
    recording.owed += [1.0] * 1490
    assert not judged(recording).passed, "requests that nobody answered in time are the revision's"


@pytest.mark.parametrize(("bad", "slow", "name"), [(5, 0, "errors"), (0, 5, "latency")])
def test_a_proven_miss_of_either_objective_does_not_pass(bad: int, slow: int, name: str) -> None:
    found = judged(a_recording(bad, slow))

    assert not found.passed
    assert verdicts(found)[name] is RuleVerdict.FAIL
    assert len([one for one in found.objectives if one.verdict is RuleVerdict.FAIL]) == 1


def test_latency_is_not_asked_without_an_objective() -> None:
    found = judged(a_recording(slow=50), options(latency=0.0))

    assert verdicts(found) == {"errors": RuleVerdict.PASS}


def test_one_failure_in_a_short_test_proves_nothing() -> None:
    """A bare threshold of 1 % would refuse it: 2 %."""
    recording = a_recording(requests=50, seconds=1)
    recording.failed[7] = 1

    found = judged(recording, options(arrivals=steady(50.0, 1.0)), seconds=1.0)

    assert found.passed
    assert verdicts(found)["errors"] is RuleVerdict.INCONCLUSIVE
    assert "too few to be sure" in sentence(recording, found, OPTIONS)


def test_answers_too_slow_for_the_rate_do_not_pass() -> None:
    recording = a_recording(requests=1500)

    found = judged(recording, options(latency=0.0))

    assert not found.passed
    assert "50 per second were wanted and could not be reached" in sentence(recording, found, OPTIONS)


@pytest.mark.parametrize(
    ("recording", "given", "seconds", "said"),
    [
        (Recording(10), OPTIONS, 60.0, "no request was sent"),
        (a_recording(requests=1000, seconds=20), OPTIONS, 20.0, "ended after 20 of 60 s"),
        (a_recording(slow=5, lag=400.0), OPTIONS, 60.0, "the load generator itself was 400 ms late"),
        (a_recording(requests=1500, lag=90.0), options(latency=0.0), 60.0, "the load generator itself"),
        (
            a_recording(requests=1500),
            options(latency=0.0, arrivals=steady(9000.0, 60.0)),
            60.0,
            "with the most users there may be",
        ),
    ],
)
def test_a_load_that_was_not_what_was_asked_for_gives_no_verdict(
    recording: Recording, given: Options, seconds: float, said: str
) -> None:
    with pytest.raises(Unusable, match=said):
        judged(recording, given, seconds)


def test_answers_by_another_revision_give_no_verdict() -> None:
    recording = a_recording()
    recording.strangers["digits-1"] += 3

    with pytest.raises(Unusable, match="3 requests for digits-2 were answered by digits-1"):
        judged(recording)


def test_a_late_generator_excuses_no_errors() -> None:
    assert not judged(a_recording(bad=5, lag=400.0)).passed


def test_a_full_recording_is_judged_by_what_it_holds() -> None:
    recording = a_recording(requests=1000, seconds=20)
    recording.most = 1000

    assert judged(recording, options(most_requests=1000), seconds=20.0).passed


@pytest.mark.parametrize("percentile", [50.0, 99.99])
def test_every_objective_a_model_may_have_can_be_judged(percentile: float) -> None:
    assert judged(a_recording(), options(percentile=percentile, error_rate=0.9)).passed


def test_a_load_that_rises_is_reported_by_its_parts_and_the_highest_that_was_kept() -> None:
    """5 % of the requests fail in the second of three parts alone."""
    rising = Curve([Piece(20, 50, 50), Piece(20, 50, 50), Piece(20, 0, 100)])
    recording = a_recording()
    for index in range(1000, 2000):
        recording.failed[index] = index % 20 == 0
    given = options(arrivals=rising, error_rate=0.2)

    found = report(recording, judged(recording, given), given, "2027-01-15T08:00:00+00:00")

    assert [(one["from"], one["to"], one["requests"], one["failed"]) for one in found["parts"]] == [
        (50, 50, 1000, 0), (50, 50, 1000, 50), (0, 100, 1000, 0),
    ]  # fmt: skip
    assert [one["kept"] for one in found["parts"]] == [True, True, True]
    strict = options(arrivals=rising, error_rate=0.01)
    assert [one.kept for one in parts(recording, strict)] == [True, False, True]
    assert "50 to 50 a second" in text(found)


def test_a_part_whose_requests_could_not_be_sent_was_not_kept() -> None:
    given = options(arrivals=Curve([Piece(30, 50, 50), Piece(30, 100, 100)]))

    assert [one.kept for one in parts(a_recording(), given)] == [True, False]


def test_the_report_says_the_same_to_programs_and_to_people() -> None:
    recording = a_recording(bad=5)
    found = report(recording, judged(recording), OPTIONS, "2027-01-15T08:00:00+00:00")

    assert found["passed"] is False
    assert (found["requests"], found["failed"], found["reasons"]) == (3000, 150, {"HTTP 500": 150})
    assert found["latency"]["http"]["requests"] == found["latency"]["grpc"]["requests"] == 1500
    assert sum(second[1] for second in found["bySecond"]) == 3000
    assert found["message"].startswith("3,000 requests at 50.0 per second for 60 s: 150 failed (5.00% where 1% may")
    assert "most often HTTP 500): the objective is missed" in found["message"]
    assert found["message"] in text(found)
    assert set(short(found)) == {"requests", "failed", "rate", "objectives", "latency"}
