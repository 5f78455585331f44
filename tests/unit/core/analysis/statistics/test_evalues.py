"""E-values: right against scipy and exact enumeration, safe in their guarantee, sane at the ends of their range."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some
from scipy import special, stats

from modelyard.core.analysis.statistics import evalues

rates = some.floats(2e-6, 0.499)
counts = some.integers(0, 10_000_000)
phis = some.floats(1.0, 50.0)


@some.composite
def requests_and_bad(draw):
    requests = draw(counts)
    return requests, draw(some.integers(0, requests))


def mixture(log_likelihoods, null):
    return special.logsumexp(np.asarray(log_likelihoods) - null) - math.log(len(log_likelihoods))


def chance_of_ever(log_e, level, rate, requests):
    """P(log e of the counts reaches the level at one of the first looks), exactly: one look after each request."""
    alive, crossed = {0: 1.0}, 0.0
    for n in range(1, requests + 1):
        after = {}
        for bad, weight in alive.items():
            after[bad] = after.get(bad, 0.0) + weight * (1.0 - rate)
            after[bad + 1] = after.get(bad + 1, 0.0) + weight * rate
        alive = {}
        for bad, weight in after.items():
            if log_e(n, bad) >= level:
                crossed += weight
            else:
                alive[bad] = weight
    return crossed


@pytest.mark.parametrize(("requests", "bad"), [(1, 0), (1, 1), (50, 3), (4000, 71), (10**7, 99_000)])
@pytest.mark.parametrize("limit", [1e-5, 0.01, 0.3])
def test_the_e_value_of_a_rate_is_the_mixture_of_binomial_likelihood_ratios(requests, bad, limit):
    def log_likelihood(rate):
        return stats.binom.logpmf(bad, requests, rate)

    worse = [log_likelihood(rate) for rate in np.geomspace(1.3 * limit, 0.9, 16)]
    better = [log_likelihood(rate) for rate in np.geomspace(limit / 20, limit / 1.3, 16)]

    assert evalues.above(requests, bad, limit) == pytest.approx(mixture(worse, log_likelihood(limit)), rel=1e-6)
    assert evalues.below(requests, bad, limit) == pytest.approx(
        mixture(better, log_likelihood(limit)), rel=1e-6, abs=1e-6
    )


@pytest.mark.parametrize(("bad", "stable_bad", "share"), [(1, 0, 0.1), (12, 30, 0.1), (0, 40, 0.5), (900, 100, 0.9)])
def test_the_e_value_of_a_ratio_is_the_mixture_over_the_candidates_part_of_all_bad_requests(bad, stable_bad, share):
    def log_likelihood(ratio):
        part = share * ratio / (share * ratio + 1 - share)
        return stats.binom.logpmf(bad, bad + stable_bad, part)

    worse = [log_likelihood(ratio) for ratio in np.geomspace(1.25, 16, 17)[1:]]
    better = [log_likelihood(ratio) for ratio in np.geomspace(0.1, 2 / 1.3, 16)]

    assert evalues.ratio_above(bad, stable_bad, share, 1.25) == pytest.approx(
        mixture(worse, log_likelihood(1.25)), rel=1e-9
    )
    assert evalues.ratio_below(bad, stable_bad, share, 2.0) == pytest.approx(
        mixture(better, log_likelihood(2.0)), rel=1e-9
    )


def chance_within(boundary, rate, requests):
    """P(the bad requests ever reach `boundary(n)`), exactly, with a look after every request."""
    alive, reached = np.zeros(requests // 10), 0.0
    alive[0] = 1.0
    bound = 0
    for n in range(1, requests + 1):
        alive[1:] = alive[1:] * (1.0 - rate) + alive[:-1] * rate
        alive[0] *= 1.0 - rate
        bound = boundary(n, bound)
        reached += alive[bound:].sum()
        alive[bound:] = 0.0
    return reached


def test_of_good_candidates_at_most_one_in_a_hundred_ever_fails_in_thirty_thousand_requests():
    def fewest_bad(n, bound):
        while evalues.above(n, bound, 0.01) < math.log(100):
            bound += 1
        return bound

    assert 0.001 < chance_within(fewest_bad, 0.01, 30_000) <= 0.01


@pytest.mark.parametrize("phi", [1.0, 1.7, 6.0])
@pytest.mark.parametrize(("limit", "rate"), [(0.01, 0.01), (0.01, 0.004), (0.2, 0.2), (0.4, 0.3)])
def test_a_rate_within_its_limit_is_ever_disproved_with_at_most_the_promised_chance(limit, rate, phi):
    for alpha in (0.01, 0.3):
        ever = chance_of_ever(lambda n, bad: evalues.above(n, bad, limit, phi), -math.log(alpha), rate, 60)
        assert ever <= alpha


@pytest.mark.parametrize(("limit", "rate"), [(0.02, 0.02), (0.02, 0.05), (0.4, 0.4)])
def test_a_rate_beyond_its_limit_is_ever_accepted_with_at_most_the_promised_chance(limit, rate):
    ever = chance_of_ever(lambda n, bad: evalues.below(n, bad, limit), math.log(20), rate, 250)
    assert 0 < ever <= 0.05


@pytest.mark.parametrize("limit", [0.01, 0.3])
def test_the_mean_of_an_e_value_is_one_at_the_limit_and_less_inside(limit):
    bad = np.arange(41)

    def mean(log_e, rate):
        return sum(math.exp(log_e(40, int(b), limit)) * stats.binom.pmf(b, 40, rate) for b in bad)

    assert mean(evalues.above, limit) == pytest.approx(1.0)
    assert mean(evalues.below, limit) == pytest.approx(1.0)
    assert mean(evalues.above, limit / 2) < 1 < mean(evalues.above, limit * 2)
    assert mean(evalues.below, limit * 2) < 1 < mean(evalues.below, limit / 2)


def test_the_mean_of_a_ratios_e_value_is_one_at_the_limit_and_less_inside():
    bad = np.arange(31)

    def mean(log_e, limit, ratio):
        part = evalues.odds_share(0.2, ratio)
        return sum(math.exp(log_e(int(b), 30 - int(b), 0.2, limit)) * stats.binom.pmf(b, 30, part) for b in bad)

    assert mean(evalues.ratio_above, 1.25, 1.25) == pytest.approx(1.0)
    assert mean(evalues.ratio_above, 1.25, 1.0) < 1 < mean(evalues.ratio_above, 1.25, 3.0)
    assert mean(evalues.ratio_below, 2.0, 2.0) == pytest.approx(1.0)
    assert mean(evalues.ratio_below, 2.0, 3.0) < 1 < mean(evalues.ratio_below, 2.0, 1.0)


@given(requests_and_bad(), rates, phis)
def test_evidence_is_a_number_for_any_counts(seen, limit, phi):
    for log_e in (evalues.above, evalues.below):
        assert math.isfinite(log_e(*seen, limit, phi))


@given(some.integers(0, 10_000_000), some.integers(0, 10_000_000), some.floats(0, 1), some.floats(1, 20), phis)
def test_evidence_of_a_ratio_is_a_number_for_any_counts(bad, stable_bad, share, ratio, phi):
    for log_e in (evalues.ratio_above, evalues.ratio_below):
        assert math.isfinite(log_e(bad, stable_bad, share, ratio, phi))


@given(requests_and_bad(), rates, phis)
def test_a_good_request_turned_bad_speaks_more_against_the_candidate(seen, limit, phi):
    requests, bad = seen
    if bad < requests:
        assert evalues.above(requests, bad + 1, limit, phi) > evalues.above(requests, bad, limit, phi)
        assert evalues.below(requests, bad + 1, limit, phi) < evalues.below(requests, bad, limit, phi)


@given(requests_and_bad(), rates, phis, some.floats(1.0, 12.0))
def test_whatever_phi_proves_is_proven_without_it(seen, limit, phi, level):
    for log_e in (evalues.above, evalues.below):
        if log_e(*seen, limit, phi) >= level:
            assert log_e(*seen, limit) >= level


@given(requests_and_bad(), rates, phis)
def test_no_grid_goes_over_the_ceiling(seen, limit, phi):
    requests, bad = seen
    ceiling = evalues.ceiling(bad, requests - bad, limit) / phi
    if bad > requests * limit:
        assert evalues.above(requests, bad, limit, phi) <= ceiling + 1e-6 * (1 + ceiling)
    else:
        assert evalues.above(requests, bad, limit, phi) <= 1e-6
    if bad < requests * limit:
        assert evalues.below(requests, bad, limit, phi) <= ceiling + 1e-6 * (1 + ceiling)
    else:
        assert evalues.below(requests, bad, limit, phi) <= 1e-6


@pytest.mark.parametrize(("bad", "good"), [(3, 97), (0, 50), (7, 0), (120, 880)])
def test_the_ceiling_is_half_the_g_statistic(bad, good):
    total = bad + good
    g, _ = stats.power_divergence([bad, good], [0.05 * total, 0.95 * total], lambda_="log-likelihood")
    assert evalues.ceiling(bad, good, 0.05) == pytest.approx(g / 2)


def test_nothing_seen_is_no_evidence():
    assert evalues.above(0, 0, 0.01) == evalues.below(0, 0, 0.01) == evalues.ceiling(0, 0, 0.01) == 0
    assert evalues.ratio_above(0, 0, 0.1, 1.25) == evalues.ratio_below(0, 0, 0.1, 2.0) == 0


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_one_arm_alone_says_nothing_of_a_ratio(share):
    assert evalues.ratio_above(50, 0, share, 1.25) == evalues.ratio_below(0, 50, share, 2.0) == 0
