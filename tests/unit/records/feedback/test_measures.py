from typing import Any

import numpy as np
import pytest
from scipy import stats

from modelyard.builder.evaluation import metrics
from modelyard.records.feedback.judged_rows import JudgedRows
from modelyard.records.feedback.measures import FEWEST, Measure, measures

CHANCE = np.random.default_rng(7)


def judged(answer: Any, truth: Any, scores: Any = None, classes: tuple[str, ...] = (), **changes: Any) -> JudgedRows:
    rows = len(answer)
    return JudgedRows(
        output="y", kind="class" if classes else "number", requests=changes.get("requests", np.arange(rows)),
        minutes=np.zeros(rows, int), weights=changes.get("weights", np.ones(rows)), answer=np.asarray(answer, float),
        truth=np.asarray(truth, float), classes=classes, scores=scores,
    )  # fmt: skip


def by_name(rows: JudgedRows) -> dict[str, Measure]:
    return {one.name: one for one in measures(rows)}


def classified(rows: int, classes: int) -> JudgedRows:
    scores = CHANCE.dirichlet(np.ones(classes), rows)
    truth = np.array([CHANCE.choice(classes, p=row) for row in scores])
    return judged(scores.argmax(axis=1), truth, scores, tuple(map(str, range(classes))))


@pytest.mark.parametrize("classes", [2, 3])
def test_values_are_those_of_the_builds_own_metrics(classes: int) -> None:
    rows = classified(300, classes)
    found, answer, truth = by_name(rows), rows.answer.astype(int), rows.truth.astype(int)
    assert list(found) == ["accuracy", "f1", "auc", "calibration"]
    for name, value in (
        ("accuracy", metrics.accuracy(answer, truth)),
        ("f1", metrics.f1(answer, truth)),
        ("auc", metrics.auc(rows.scores, truth)),
    ):
        told = found[name]
        assert told.value == pytest.approx(value)
        assert told.low is not None
        assert told.high is not None
        assert told.low < value < told.high


def test_numbers_have_mae_and_rmse_with_the_interval_of_the_t_distribution_about() -> None:
    errors = CHANCE.normal(0, 2, 2000)
    found = by_name(judged(errors, np.zeros(2000)))
    assert list(found) == ["mae", "rmse"]
    mae = found["mae"]
    assert mae.value == pytest.approx(np.abs(errors).mean())
    assert found["rmse"].value == pytest.approx(np.sqrt((errors**2).mean()))
    half = stats.sem(np.abs(errors)) * 1.96
    assert mae.low is not None
    assert mae.high is not None
    assert (mae.high - mae.low) / 2 == pytest.approx(half, rel=0.2)


def test_rows_of_one_request_widen_the_interval() -> None:
    right = CHANCE.random(200) < 0.8
    apart = judged(np.repeat(right, 1), np.ones(200), classes=("0", "1"))
    together = judged(np.repeat(right, 10), np.ones(2000), classes=("0", "1"), requests=np.repeat(np.arange(200), 10))
    for name in ("accuracy", "f1"):
        one, ten = by_name(apart)[name], by_name(together)[name]
        assert ten.value == pytest.approx(one.value)
        assert (ten.low, ten.high) == pytest.approx((one.low, one.high), abs=0.02)


def test_a_row_that_stands_for_many_weighs_as_many() -> None:
    rows = judged([1] * 50 + [0] * 50, [1] * 100, classes=("0", "1"), weights=np.array([3.0] * 50 + [1.0] * 50))
    assert by_name(rows)["accuracy"].value == pytest.approx(0.75)


def test_what_is_sure_and_wrong_is_badly_calibrated() -> None:
    scores = np.tile([0.05, 0.95], (100, 1))
    half_right = judged(np.ones(100), np.arange(100) % 2, scores, ("0", "1"))
    assert by_name(half_right)["calibration"].value == pytest.approx(0.45)
    right = judged(np.ones(100), np.ones(100), scores, ("0", "1"))
    assert by_name(right)["calibration"].value == pytest.approx(0.05)


def test_of_few_rows_there_is_no_interval_and_of_one_class_no_auc() -> None:
    few = by_name(judged([1] * (FEWEST - 1), [1] * (FEWEST - 1), classes=("0", "1")))
    assert few["accuracy"] == Measure("accuracy", 1.0, None, None, FEWEST - 1)
    assert few["f1"] == Measure("f1", 1.0, None, None, FEWEST - 1)
    one_class = judged(np.ones(40), np.ones(40), np.tile([0.2, 0.8], (40, 1)), ("0", "1"))
    assert by_name(one_class)["auc"] == Measure("auc", None, None, None, 40)


def test_the_same_labels_give_the_same_interval() -> None:
    rows = classified(100, 2)
    assert measures(rows) == measures(rows)
