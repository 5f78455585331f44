"""How sure a difference between two models on the same rows is."""

import numpy as np
import pytest

from modelyard.builder.retraining.paired_bootstrap import paired_difference


def losses(rows: int, champion: float, candidate: float, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    chance = np.random.default_rng(seed)
    hard = chance.random(rows)
    return (hard < champion).astype(float), (hard < candidate).astype(float)


ONES = np.ones(500)
EACH = np.arange(500)


def test_a_candidate_that_is_clearly_better_is_surely_so() -> None:
    told = paired_difference(*losses(500, 0.3, 0.2), ONES, EACH)
    assert told.value == pytest.approx(0.1, abs=0.04)
    assert 0 < told.low < told.value < told.high


def test_one_that_is_no_better_passes_once_in_twenty() -> None:
    passed = 0
    for seed in range(200):
        chance = np.random.default_rng(seed)
        same = (chance.random(500) < 0.2).astype(float), (chance.random(500) < 0.2).astype(float)
        passed += paired_difference(*same, ONES, EACH).low > 0
    assert 2 <= passed <= 20


def test_rows_that_are_hard_for_both_cancel_out() -> None:
    chance = np.random.default_rng(4)
    hard = (chance.random(500) < 0.4).astype(float)
    better = np.where(chance.random(500) < 0.04, 0.0, hard)
    paired = paired_difference(hard, better, ONES, EACH)
    assert paired.low > 0
    apart = paired_difference(hard, chance.permutation(better), ONES, EACH)
    assert apart.high - apart.low > 2 * (paired.high - paired.low)


def test_the_same_rows_give_the_same_interval() -> None:
    assert paired_difference(*losses(500, 0.3, 0.25), ONES, EACH) == paired_difference(
        *losses(500, 0.3, 0.25), ONES, EACH
    )


def test_rows_of_one_request_stand_or_fall_together() -> None:
    champion, candidate = losses(500, 0.3, 0.27)
    alone = paired_difference(champion, candidate, ONES, EACH)
    repeated = paired_difference(np.repeat(champion, 8), np.repeat(candidate, 8), np.ones(4000), np.repeat(EACH, 8))
    assert repeated == pytest.approx(alone)


def test_a_row_weighs_as_many_as_it_stands_for() -> None:
    champion, candidate = np.array([1.0, 0.0]), np.array([0.0, 1.0])
    assert paired_difference(champion, candidate, np.array([3.0, 1.0]), np.arange(2)).value == pytest.approx(0.5)


def test_without_rows_nothing_is_told() -> None:
    with pytest.raises(ValueError, match="nothing was asked"):
        paired_difference(np.array([]), np.array([]), np.array([]), np.array([]))


def test_many_requests_are_drawn_in_parts() -> None:
    many = 50_000
    told = paired_difference(*losses(many, 0.30, 0.29), np.ones(many), np.arange(many))
    assert 0 < told.low < 0.01 < told.high < 0.02
