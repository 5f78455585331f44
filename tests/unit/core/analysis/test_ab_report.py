"""The report of an A/B test, with scipy as the oracle of its intervals."""

import pytest
from scipy.stats import binomtest

from modelyard.api.rollout_status import GateStatus, GateVerdict, RolloutStatus
from modelyard.core.analysis.ab_report import difference, interval, sides


@pytest.mark.parametrize(("bad", "requests"), [(0, 10), (1, 10), (5, 1000), (700, 1000), (10, 10)])
def test_a_rate_has_wilsons_interval(bad: int, requests: int) -> None:
    oracle = binomtest(bad, requests).proportion_ci(method="wilson")

    assert interval(bad, requests)[1:] == pytest.approx((oracle.low, oracle.high), abs=1e-6)


def test_nothing_is_known_without_requests() -> None:
    assert interval(0, 0) == (0.0, 0.0, 1.0)


def test_the_difference_has_newcombes_interval() -> None:
    gap, low, high = difference(interval(48, 80), interval(56, 70))

    assert (gap, low, high) == pytest.approx((0.2, 0.0524, 0.3339), abs=2e-4)


def test_a_report_has_counts_rates_difference_and_share() -> None:
    gate = {
        "verdict": GateVerdict.CONTINUE,
        "stable_requests": 700,
        "stable_failed_requests": 7,
        "requests": 300,
        "failed_requests": 6,
    }
    rollout = RolloutStatus(weight=30, gates=[GateStatus(name="errors", **gate)])

    found = sides(rollout)

    assert found is not None
    assert found["errors"]["candidate"]["rate"] == 0.02
    assert found["errors"]["difference"][1] < 0.01 < found["errors"]["difference"][2]
    assert found["share"] == {"asked": 0.3, "observed": 0.3}


def test_there_is_no_report_before_anything_was_counted() -> None:
    assert sides(RolloutStatus()) is None
