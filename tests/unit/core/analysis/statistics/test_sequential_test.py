"""Verdicts: what fails, what passes, what waits."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from modelyard.core.analysis.statistics.sequential_test import (
    AnalysisState,
    FailedTest,
    Rule,
    RuleVerdict,
    Window,
    reset_for_step,
    update,
    verdict,
)

ALONE = Rule(0.01)
COMPARED = Rule(0.01, max_regression=0.25)
START = 1_700_000_040


def seen(rule, *spans, state=None):
    """Spans of (seconds, candidate's requests, bad, stable's requests, bad), every second the same."""
    state = state or AnalysisState(end=START)
    for seconds, *counts in spans:
        for _ in range(seconds):
            state = update(rule, state, Window(state.end + 1, *counts))
    return state


def said(rule, *spans):
    return verdict(rule, seen(rule, *spans))


def test_two_failed_requests_in_a_row_are_enough_where_one_in_a_hundred_is_allowed():
    assert said(ALONE, (1, 1, 1)) is RuleVerdict.INCONCLUSIVE
    assert said(ALONE, (2, 1, 1)) is RuleVerdict.FAIL


def test_no_traffic_is_no_verdict():
    assert said(COMPARED) is said(COMPARED, (600, 0, 0, 50, 0)) is RuleVerdict.INCONCLUSIVE


def test_a_flawless_candidate_passes_after_three_hundred_requests():
    assert said(ALONE, (299, 1, 0)) is RuleVerdict.INCONCLUSIVE
    assert said(ALONE, (300, 1, 0)) is RuleVerdict.PASS


def test_with_a_stable_to_compare_to_a_flawless_candidate_has_to_show_room():
    assert said(COMPARED, (800, 1, 0, 9, 0)) is RuleVerdict.INCONCLUSIVE
    assert said(COMPARED, (1000, 1, 0, 9, 0)) is RuleVerdict.PASS


def test_a_candidate_at_the_limit_passes_when_the_stable_is_no_better():
    as_bad = seen(COMPARED, *[(10, 100, 1, 100, 1)] * 300)
    assert verdict(COMPARED, as_bad) is RuleVerdict.PASS


def test_a_candidate_at_the_limit_does_not_pass_when_the_stable_is_much_better():
    assert said(COMPARED, (20, 100, 1, 100, 0)) is not RuleVerdict.PASS
    assert said(ALONE, (20, 100, 1, 100, 0)) is RuleVerdict.PASS


def test_a_bad_rate_of_twice_the_limit_neither_passes_nor_is_it_waited_for_long():
    assert said(ALONE, *[(49, 1, 0), (1, 1, 1)] * 40) is RuleVerdict.FAIL


def test_a_regression_fails_a_candidate_that_keeps_the_objective():
    lax = Rule(0.1, max_regression=0.25)
    worse = seen(lax, *[(9, 2, 0, 20, 0), (1, 2, 2, 20, 1)] * 30)
    assert worse.bad <= 0.1 * worse.requests
    assert worse.failed is FailedTest.REGRESSION


def test_a_regression_is_excused_by_proven_room():
    strict = seen(COMPARED, (10, 1000, 1, 1000, 0))
    assert strict.failed is FailedTest.NONE
    assert verdict(COMPARED, strict) is RuleVerdict.PASS


def test_a_failure_is_final():
    failed = seen(ALONE, (3, 1, 1), (5000, 10, 0))
    assert verdict(ALONE, failed) is RuleVerdict.FAIL
    assert failed.failed is FailedTest.OBJECTIVE


def test_a_candidate_that_breaks_after_long_good_service_fails_by_its_burn_rate():
    served = update(ALONE, AnalysisState(end=START), Window(START + 30_000, 1_500_000, 900))
    broken = seen(ALONE, (300, 50, 0), (60, 50, 50), state=served)
    assert broken.failed is FailedTest.BURN


def test_trouble_of_both_arms_holds_and_is_forgotten_when_it_is_over():
    trouble = seen(COMPARED, (300, 5, 0, 45, 0), (30, 5, 5, 45, 45))
    assert verdict(COMPARED, trouble) is RuleVerdict.HOLD

    over = seen(COMPARED, (200, 5, 0, 45, 0), state=trouble)

    assert verdict(COMPARED, over) is RuleVerdict.INCONCLUSIVE
    assert (over.requests, over.bad, over.stable_bad) == (705, 0, 0)
    assert verdict(COMPARED, seen(COMPARED, (200, 5, 0, 45, 0), state=over)) is RuleVerdict.PASS


@pytest.mark.parametrize("begins", range(0, 60, 7))
@pytest.mark.parametrize("lasts", [60, 200])
def test_a_hold_ends_a_minute_after_the_stables_trouble_wherever_the_clock_stands(begins, lasts):
    trouble = seen(COMPARED, (120 + begins, 5, 0, 45, 0), (lasts, 5, 1, 45, 9))
    assert verdict(COMPARED, trouble) is RuleVerdict.HOLD

    assert verdict(COMPARED, seen(COMPARED, (40, 5, 0, 45, 0), state=trouble)) is RuleVerdict.HOLD
    assert verdict(COMPARED, seen(COMPARED, (61, 5, 0, 45, 0), state=trouble)) is not RuleVerdict.HOLD


def test_a_usual_error_now_and_then_does_not_prolong_a_hold():
    trouble = seen(COMPARED, (120, 5, 0, 45, 0), (60, 5, 1, 45, 9))
    well = seen(COMPARED, *[(9, 5, 0, 45, 0), (1, 5, 0, 45, 2)] * 12, state=trouble)
    assert verdict(COMPARED, well) is not RuleVerdict.HOLD


def test_little_traffic_takes_longer_to_show_that_the_trouble_is_over():
    trouble = seen(COMPARED, (160, 1, 0, 1, 0), *[(1, 0, 0, 1, 0), (1, 0, 0, 1, 0), (1, 0, 0, 1, 1)] * 40)
    assert verdict(COMPARED, trouble) is RuleVerdict.HOLD

    def later(seconds):
        return verdict(COMPARED, seen(COMPARED, *[(9, 0, 0, 0, 0), (1, 0, 0, 1, 0)] * (seconds // 10), state=trouble))

    assert later(70) is RuleVerdict.HOLD
    assert later(180) is not RuleVerdict.HOLD


@pytest.mark.parametrize(("mine", "others"), [(5, 45), (25, 25)])
def test_trouble_of_both_arms_that_comes_back_soon_is_not_blamed_on_the_candidate(mine, others):
    good, both = (mine, 0, others, 0), (mine, mine // 5, others, others // 5)
    state = seen(COMPARED, (120, *good))
    for _ in range(4):
        state = seen(COMPARED, (20, *both), (70, *good), state=state)
        assert verdict(COMPARED, state) is not RuleVerdict.HOLD
        assert state.failed is FailedTest.NONE


def test_a_candidate_that_alone_is_bad_after_a_trouble_of_both_still_fails():
    over = seen(COMPARED, (120, 25, 0, 25, 0), (30, 25, 9, 25, 9), (70, 25, 0, 25, 0))
    assert verdict(COMPARED, over) is not RuleVerdict.HOLD
    assert seen(COMPARED, (90, 25, 9, 25, 0), state=over).failed is FailedTest.REGRESSION
    assert seen(COMPARED, (3, 25, 25, 25, 0), state=over).failed is FailedTest.REGRESSION


def test_five_minutes_after_a_trouble_everything_is_asked_again():
    over = seen(COMPARED, (120, 25, 0, 25, 0), (30, 25, 9, 25, 9), (70, 25, 0, 25, 0))
    later = seen(COMPARED, (300, 25, 0, 25, 0), state=over)

    assert seen(COMPARED, (1, 5, 5, 5, 0), state=reset_for_step(over)).failed is FailedTest.NONE
    assert seen(COMPARED, (1, 5, 5, 5, 0), state=reset_for_step(later)).failed is FailedTest.OBJECTIVE


def test_where_there_is_no_comparison_a_trouble_before_excuses_nothing():
    over = seen(ALONE, (120, 25, 0, 25, 0), (30, 25, 0, 25, 9), (70, 25, 0, 25, 0))
    assert seen(ALONE, (3, 25, 25, 25, 0), state=over).failed is FailedTest.OBJECTIVE


def test_trouble_of_both_arms_in_the_first_second_of_a_step_fails_nobody():
    step = reset_for_step(seen(COMPARED, (300, 0, 0, 50, 0)))
    assert verdict(COMPARED, seen(COMPARED, (30, 5, 5, 45, 45), state=step)) is RuleVerdict.HOLD


def test_in_trouble_of_both_arms_a_candidate_that_is_far_worse_still_fails():
    trouble = seen(COMPARED, (300, 5, 0, 45, 0), (20, 0, 0, 45, 3), (60, 5, 5, 45, 3))
    assert trouble.stable_out
    assert trouble.failed is FailedTest.REGRESSION


def test_a_candidate_that_alone_fails_is_not_excused_by_a_stable_with_a_few_errors():
    assert seen(COMPARED, (300, 5, 0, 45, 0), (20, 5, 5, 45, 0)).failed
    assert seen(COMPARED, (100, 5, 0, 45, 0), (1, 5, 4, 45, 2), (5, 5, 5, 45, 0)).failed


def test_bursts_of_the_stable_make_the_tests_slower():
    calm = seen(ALONE, *[(9, 0, 0, 100, 0), (1, 0, 0, 100, 1)] * 60)
    bursty = seen(ALONE, *[(59, 0, 0, 100, 0), (1, 0, 0, 100, 6)] * 10)

    assert (calm.dispersion.phi, bursty.dispersion.phi > 5) == (1, True)
    assert seen(ALONE, (5, 1, 1), state=reset_for_step(calm)).failed is FailedTest.OBJECTIVE
    assert seen(ALONE, (5, 1, 1), state=reset_for_step(bursty)).failed is FailedTest.NONE
    assert seen(ALONE, (9, 1, 0), (9, 1, 1), state=reset_for_step(bursty)).failed is FailedTest.NONE


@given(some.integers(0, 40), some.integers(0, 40), some.integers(0, 400))
def test_more_bad_requests_never_turn_a_verdict_to_the_better(bad, more, good):
    order = [RuleVerdict.PASS, RuleVerdict.INCONCLUSIVE, RuleVerdict.FAIL]

    def at(count):
        return order.index(said(ALONE, (1, good + 80, count)))

    assert at(bad) <= at(min(80, bad + more))


@pytest.mark.parametrize(
    "numbers",
    [
        {"allowed": 0.0},
        {"allowed": 0.5},
        {"allowed": 1e-7},
        {"allowed": float("nan")},
        {"allowed": 0.1, "alpha": 0.0},
        {"allowed": 0.1, "beta": 1.0},
        {"allowed": 0.1, "max_regression": -0.1},
        {"allowed": 0.1, "max_regression": float("nan")},
    ],
)
def test_rules_the_tests_are_not_made_for_are_refused(numbers):
    with pytest.raises(ValueError, match="must"):
        Rule(**numbers)
