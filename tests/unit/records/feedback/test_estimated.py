import numpy as np
import pytest

from modelyard.records.feedback.estimated import FEWEST_LEARNT, estimated, isotonic
from modelyard.records.feedback.judged_rows import JudgedRows
from modelyard.records.feedback.measures import weighted_auc


def population(rows: int, seed: int, harder: float = 1.0) -> JudgedRows:
    """Answers that are too sure by a power of two; `harder` people have scores nearer to a half."""
    chance = np.random.default_rng(seed)
    real = 1 / (1 + np.exp(-chance.normal(0, 2, rows) * harder))
    truth = (chance.random(rows) < real).astype(float)
    odds = (real / (1 - real)) ** 2
    told = odds / (1 + odds)
    scores = np.stack([1 - told, told], axis=1)
    return JudgedRows(
        output="y", kind="class", requests=np.arange(rows), minutes=np.zeros(rows, int), weights=np.ones(rows),
        answer=(told > 0.5).astype(float), truth=truth, classes=("0", "1"), scores=scores,
    )  # fmt: skip


def test_the_rising_function_that_is_nearest() -> None:
    found = isotonic(np.array([1, 2, 3, 4, 4]), np.array([0.1, 0.5, 0.3, 0.9, 0.7]), np.array([1.0, 1, 3, 1, 1]))
    assert found.of(np.array([0, 1, 2, 3, 9])) == pytest.approx([0.1, 0.1, 0.35, 0.35, 0.8])


@pytest.mark.parametrize("harder", [1.0, 0.5])
def test_what_other_people_cost_is_seen_without_a_label(harder: float) -> None:
    learnt, now = population(4000, 1), population(4000, 2, harder)
    found = estimated(learnt, now.scores, now.weights)
    real = weighted_auc(now.scores[:, 1], now.truth, 1 - now.truth)
    assert found["accuracy"] == pytest.approx(float((~now.wrong).mean()), abs=0.03)
    assert found["auc"] == pytest.approx(real, abs=0.03)


def test_labels_that_are_turned_round_are_not_seen_which_is_why_it_never_pages() -> None:
    learnt, now = population(4000, 1), population(4000, 2)
    turned = 1 - now.truth
    assert estimated(learnt, now.scores, now.weights)["auc"] > weighted_auc(now.scores[:, 1], turned, 1 - turned) + 0.5


def test_without_enough_to_learn_from_nothing_is_estimated() -> None:
    few, now = population(FEWEST_LEARNT - 1, 1), population(100, 2)
    assert estimated(few, now.scores, now.weights) == {}
    assert estimated(population(400, 1), now.scores[:0], now.weights[:0]) == {}
