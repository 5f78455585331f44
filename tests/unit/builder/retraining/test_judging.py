"""Whether a retrained model may challenge the one that serves."""

from typing import Any

import numpy as np
import pytest

from modelyard.builder.retraining.judging import judged
from modelyard.errors import InvalidEntry
from modelyard.records.feedback.labelled_rows import LabelledRows


def some_rows(truth: Any, are_classes: bool = True, output: str = "p", **slices: Any) -> LabelledRows:
    count = len(truth)
    return LabelledRows(
        output=output, inputs={"x": np.zeros((count, 1), np.float32)}, truth=truth, are_classes=are_classes,
        requests=np.array([f"r{at}" for at in range(count)], object), times=np.arange(float(count)),
        weights=np.ones(count), slices=slices,
    )  # fmt: skip


def scores(classes: Any) -> Any:
    return np.eye(2, dtype=np.float32)[classes]


CHANCE = np.random.default_rng(1)
TRUTH = CHANCE.integers(0, 2, 400)
GOOD = np.where(CHANCE.random(400) < 0.1, 1 - TRUTH, TRUTH)
BAD = np.where(CHANCE.random(400) < 0.3, 1 - TRUTH, TRUTH)


def test_a_better_model_passes_with_its_figures() -> None:
    found = judged(some_rows(TRUTH), {"p": scores(BAD)}, {"p": scores(GOOD)})
    assert (found.passed, found.metric, found.rows) == (True, "accuracy", 400)
    assert (found.champion, found.candidate) == pytest.approx(((BAD == TRUTH).mean(), (GOOD == TRUTH).mean()))
    assert found.sentence().startswith(f"accuracy {found.candidate:.4g} against {found.champion:.4g}")
    assert "on 400 held-out labelled rows" in found.sentence()


@pytest.mark.parametrize("candidate", [GOOD, BAD], ids=["the-same", "worse"])
def test_one_that_is_no_better_does_not(candidate: Any) -> None:
    found = judged(some_rows(TRUTH), {"p": scores(GOOD)}, {"p": scores(candidate)})
    assert (found.passed, found.worse) == (False, "it is not surely better than what serves")


def test_one_that_is_worse_for_a_slice_does_not() -> None:
    sex = np.array(["f"] * 60 + ["m"] * 340, object)
    harmed = np.where(np.arange(400) < 60, 1 - TRUTH, TRUTH)
    found = judged(some_rows(TRUTH, sex=sex), {"p": scores(BAD)}, {"p": scores(harmed)})
    assert found.difference.low > 0
    assert found.worse.startswith("it is worse where sex is f, by 0.")
    assert judged(some_rows(TRUTH, sex=sex), {"p": scores(BAD)}, {"p": scores(TRUTH)}).passed


def test_of_a_small_slice_nothing_is_told() -> None:
    sex = np.array(["f"] * 29 + ["m"] * 371, object)
    harmed = np.where(np.arange(400) < 29, 1 - TRUTH, TRUTH)
    assert judged(some_rows(TRUTH, sex=sex), {"p": scores(BAD)}, {"p": scores(harmed)}).passed


def test_numbers_are_judged_by_how_far_off_they_are() -> None:
    truth = CHANCE.normal(0, 1, 300)
    near, far = truth + CHANCE.normal(0, 0.1, 300), truth + CHANCE.normal(0, 1, 300)
    found = judged(some_rows(truth, False, "price"), {"price": far[:, None]}, {"price": near[:, None]})
    assert (found.passed, found.metric) == (True, "mae")
    assert found.candidate < 0.2 < found.champion


def test_an_output_may_name_the_class_itself() -> None:
    names = np.array(["no", "yes"], object)
    found = judged(some_rows(names[TRUTH], output="said"), {"said": names[BAD]}, {"said": names[GOOD]})
    assert found.candidate == pytest.approx((GOOD == TRUTH).mean())
    numbered = judged(some_rows(TRUTH, output="said"), {"said": BAD[:, None]}, {"said": GOOD[:, None]})
    assert numbered.candidate == found.candidate


def test_an_answer_that_is_no_number_is_as_bad_as_the_worst() -> None:
    truth = np.zeros(100)
    broken = np.where(np.arange(100) < 50, np.nan, 0.0)
    found = judged(some_rows(truth, False, "y"), {"y": np.full(100, 2.0)}, {"y": broken})
    assert found.candidate == pytest.approx(1.0)


@pytest.mark.parametrize("outputs", [{}, {"p": scores(TRUTH[:10])}], ids=["another-output", "other-rows"])
def test_a_model_without_the_labelled_output_is_refused_with_what_it_gives(outputs: Any) -> None:
    with pytest.raises(InvalidEntry, match="labels are of the output p, a row each, and the model gives"):
        judged(some_rows(TRUTH), {"p": scores(BAD)}, outputs)
