"""The numbers a status shows."""

import math

import pytest

from modelyard.core.analysis.evidence import evidence, remaining
from modelyard.core.analysis.statistics.sequential_test import AnalysisState, Rule, RuleVerdict, Window, update, verdict

ALONE = Rule(0.01)
COMPARED = Rule(0.01, max_regression=0.25)


def counted(rule, *windows):
    state = AnalysisState()
    for end, counts in enumerate(windows, 1):
        state = update(rule, state, Window(end, *counts))
    return state


def test_a_threshold_is_reached_exactly_when_the_verdict_is():
    for bad in range(8):
        state = counted(ALONE, (20, bad))
        shown = evidence(ALONE, state)
        assert (shown.exceeds >= shown.fail_threshold) == (verdict(ALONE, state) is RuleVerdict.FAIL)
    for requests in range(300, 2000, 10):
        state = counted(COMPARED, (requests, 0, requests, 0))
        shown = evidence(COMPARED, state)
        proven = shown.keeps >= shown.keeps_threshold and shown.settled >= shown.settled_threshold
        assert proven == (verdict(COMPARED, state) is RuleVerdict.PASS)


def test_the_thresholds_are_the_promised_error_chances():
    alone, compared = evidence(ALONE, AnalysisState()), evidence(COMPARED, AnalysisState())
    assert (alone.fail_threshold, alone.keeps_threshold) == (pytest.approx(100), pytest.approx(20))
    assert (compared.fail_threshold, compared.settled_threshold) == (pytest.approx(200), pytest.approx(1000))
    assert (alone.regresses, alone.settled) == (None, None)
    assert (compared.regresses, compared.settled, compared.phi) == (1, 1, 1)


def test_an_overwhelming_e_value_is_shown_as_a_number():
    assert math.isfinite(evidence(ALONE, counted(ALONE, (10**7, 10**7))).exceeds)


def test_a_flawless_candidate_still_needs_the_minimum_sample():
    assert remaining(ALONE, AnalysisState()) == 300
    assert remaining(ALONE, counted(ALONE, (100, 0))) == 200
    assert remaining(ALONE, counted(ALONE, (300, 0))) == 0


@pytest.mark.parametrize(
    ("rule", "second"),
    [(ALONE, (100, 1)), (COMPARED, (100, 0, 100, 0)), (COMPARED, (250, 1, 250, 1)), (COMPARED, (100, 1, 900, 9))],
)
def test_as_many_requests_as_were_foretold_bring_the_pass(rule, second):
    windows = [second] * 4
    foretold = remaining(rule, counted(rule, *windows))
    assert foretold > 0

    def after(requests):
        return verdict(rule, counted(rule, *windows, *[second] * math.ceil(requests / second[0])))

    assert after(foretold * 1.3) is RuleVerdict.PASS
    assert after(foretold * 0.5) is RuleVerdict.INCONCLUSIVE


def test_no_pass_is_in_sight_for_a_bad_rate_that_cannot_pass():
    assert remaining(ALONE, counted(ALONE, (100, 3))) is None
    assert remaining(COMPARED, counted(COMPARED, (1000, 12, 9000, 20))) is None


def test_before_the_first_request_room_is_what_a_comparison_asks_for():
    assert 600 < remaining(COMPARED, AnalysisState()) < 1000
    assert remaining(COMPARED, counted(COMPARED, (0, 0, 100, 1))) == remaining(COMPARED, AnalysisState())
