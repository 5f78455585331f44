"""Bets on the difference of two shares."""

import math

import pytest

from modelyard.core.analysis.statistics.betting import (
    NOTHING_STAKED,
    STAKES,
    GroupedDispersion,
    after,
    after_opposite,
    log_e,
)


def test_a_fair_bet_neither_wins_nor_loses_in_the_mean() -> None:
    for margin, high, low in ((0.05, 1.0, -1.0), (0.2, 0.6, -0.4)):
        likely = (margin - low) / (high - low)
        for at in range(len(STAKES)):
            won, lost = after(NOTHING_STAKED, high, margin)[at], after(NOTHING_STAKED, low, margin)[at]
            assert likely * math.exp(won) + (1 - likely) * math.exp(lost) == pytest.approx(1.0)
        up, down = after_opposite(NOTHING_STAKED, high, margin)[0], after_opposite(NOTHING_STAKED, low, margin)[0]
        assert likely * math.exp(up) + (1 - likely) * math.exp(down) == pytest.approx(1.0)


def test_no_single_unit_doubles_the_evidence_and_none_loses_all_of_it() -> None:
    assert 0.0 < log_e(after(NOTHING_STAKED, 1.0, 0.05)) < math.log(2.0)
    assert log_e(after(NOTHING_STAKED, -1.0, 0.05)) > -math.inf
    assert log_e(NOTHING_STAKED) == pytest.approx(0.0)


def test_the_opposite_bet_wins_by_what_the_other_loses() -> None:
    assert log_e(after(NOTHING_STAKED, 0.5, 0.05)) > 0.0 > log_e(after_opposite(NOTHING_STAKED, 0.5, 0.05))
    assert log_e(after(NOTHING_STAKED, 0.0, 0.05)) < 0.0 < log_e(after_opposite(NOTHING_STAKED, 0.0, 0.05))


def test_parts_that_go_together_show_as_overdispersion() -> None:
    alike, mixed = GroupedDispersion(), GroupedDispersion()
    for sign in (1.0, -1.0) * 5:
        alike, mixed = alike.plus([sign] * 4), mixed.plus([sign, -sign] * 2)
    assert alike.phi == pytest.approx(4.0)
    assert mixed.phi == 1.0


def test_where_nothing_varies_or_nothing_is_known_it_is_one() -> None:
    assert GroupedDispersion().phi == GroupedDispersion().plus([0.1, 0.1]).plus([0.1]).phi == 1.0
