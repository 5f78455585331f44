"""The fast questions about the last minutes."""

from modelyard.core.analysis.statistics.burn_rate import RecoveryWindow, SlidingWindow

START = 1_700_000_040
SURE = 4.6


def after(*spans):
    """Spans of (seconds, counts of every second)."""
    recent, now = SlidingWindow(), START
    for seconds, counts in spans:
        for _ in range(seconds):
            now += 1
            recent = recent.plus(now, counts)
    return recent


def test_a_candidate_that_breaks_after_a_long_good_time_burns_within_the_minute():
    good, broken = (50, 0, 0, 0), (50, 50, 0, 0)
    assert not after((1800, good), (20, broken)).burning(0.01)
    assert after((1800, good), (50, broken)).burning(0.01)


def test_less_than_ten_bad_requests_never_burn():
    assert not after((9, (1, 1, 0, 0))).burning(0.01)
    assert after((10, (1, 1, 0, 0))).burning(0.01)


def test_what_is_over_does_not_burn():
    trouble = after((60, (10, 5, 0, 0)))
    assert trouble.burning(0.01)
    for second in range(121):
        trouble = trouble.plus(START + 61 + second, (10, 0, 0, 0))
    assert not trouble.burning(0.01)


def test_an_allowed_rate_that_cannot_burn_fourteen_times_as_fast_never_does():
    assert not after((60, (10, 10, 0, 0))).burning(0.1)


def test_after_five_silent_minutes_nothing_is_recent():
    recent = after((60, (10, 9, 100, 90))).plus(START + 60 + 600, (1, 0, 1, 0))
    assert recent.buckets == ((1, 0, 1, 0), *[(0, 0, 0, 0)] * 4)


def test_a_stable_above_its_objective_is_out_until_it_has_been_good_for_two_minutes():
    out = after((60, (0, 0, 50, 5)))
    assert out.stable_out(0.01, SURE, 1.0)
    for second in range(60):
        out = out.plus(START + 61 + second, (0, 0, 50, 0))
    assert out.stable_out(0.01, SURE, 1.0)
    for second in range(60):
        out = out.plus(START + 121 + second, (0, 0, 50, 0))
    assert not out.stable_out(0.01, SURE, 1.0)


def test_good_requests_count_since_the_stable_was_last_above_the_allowed_rate():
    run = RecoveryWindow(START).plus(START + 1, 50, 0, 0.01).plus(START + 2, 50, 1, 0.01)
    assert run == RecoveryWindow(START, 100, 1)
    assert run.plus(START + 3, 50, 1, 0.01) == RecoveryWindow(START + 3)


def test_trouble_is_over_after_a_minute_in_which_more_bad_ones_were_due():
    trouble = after((60, (0, 0, 50, 5)))
    assert trouble.recovered(RecoveryWindow(START, 3000), START + 60, 1.0)
    assert not trouble.recovered(RecoveryWindow(START, 3000), START + 59, 1.0)
    assert not trouble.recovered(RecoveryWindow(START, 49), START + 60, 1.0)
    assert not trouble.recovered(RecoveryWindow(START, 99), START + 60, 2.0)


def test_a_stable_that_had_an_unlucky_moment_is_not_out():
    assert not after((60, (0, 0, 50, 0)), (1, (0, 0, 50, 1))).stable_out(0.01, SURE, 1.0)
    assert not after((10, (0, 0, 5, 0)), (1, (0, 0, 5, 1))).stable_out(0.01, SURE, 1.0)


def test_an_outage_of_the_stable_is_seen_in_its_first_second():
    outage = after((300, (0, 0, 50, 0)), (1, (0, 0, 50, 40)))
    assert not outage.stable_out(0.01, SURE, 1.0)
    assert outage.stable_out(0.01, SURE, 1.0, now=(50, 40))


def test_bursts_that_are_usual_do_not_put_the_stable_out():
    burst = after((2, (0, 0, 50, 4)))
    assert burst.stable_out(0.01, SURE, 1.0)
    assert not burst.stable_out(0.01, SURE, 5.0)


def test_a_new_step_forgets_the_candidates_minutes_only():
    assert after((2, (7, 3, 50, 4))).stable_only().buckets == ((0, 0, 100, 8),)
