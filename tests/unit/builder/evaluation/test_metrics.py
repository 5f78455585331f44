"""Metrics on plain arrays, with scikit-learn as the oracle, and which of them judges an evaluation set."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sklearn import metrics as oracle

from modelyard.builder.evaluation.metrics import (
    accuracy,
    auc,
    classes_of,
    cosine,
    f1,
    mae,
    metric_for,
    quality,
    require_measurable,
    scale,
)
from modelyard.builder.optimization.pass_api import EvaluationData
from modelyard.errors import InvalidEntry

SEEDS = range(20)


def scores(random: np.random.Generator, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Scores with ties, and labels that hold every class."""
    labels = np.concatenate([np.arange(classes), random.integers(0, classes, 60)])
    return np.round(random.random((len(labels), classes)), 1), labels


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(
    ("ours", "theirs"),
    [(accuracy, oracle.accuracy_score), (f1, lambda given, true: oracle.f1_score(true, given, average="macro"))],
    ids=["accuracy", "macro F1"],
)
def test_classes_are_judged_as_scikit_learn_does(ours: Callable[..., float], theirs: Any, seed: int) -> None:
    random = np.random.default_rng(seed)
    given, true = random.integers(0, 4, 50), random.integers(0, 5, 50)

    assert ours(given, true) == pytest.approx(theirs(given, true))


@pytest.mark.parametrize("seed", SEEDS)
def test_the_area_under_the_curve_counts_ties_half_as_scikit_learn_does(seed: int) -> None:
    two, labels = scores(np.random.default_rng(seed), 2)
    assert auc(two, labels) == pytest.approx(oracle.roc_auc_score(labels, two[:, 1]))
    assert auc(two[:, 1], labels) == pytest.approx(oracle.roc_auc_score(labels, two[:, 1]))

    many, classes = scores(np.random.default_rng(seed), 4)
    each = [oracle.roc_auc_score(classes == one, many[:, one]) for one in range(4)]
    assert auc(many, classes) == pytest.approx(np.mean(each))


@pytest.mark.parametrize("seed", SEEDS)
def test_distances_are_those_of_scikit_learn(seed: int) -> None:
    random = np.random.default_rng(seed)
    a, b = random.normal(size=(2, 30, 7))

    assert mae(a, b) == pytest.approx(oracle.mean_absolute_error(b, a))
    assert cosine(a, b) == pytest.approx(oracle.pairwise.cosine_similarity(a, b).diagonal().mean())


def test_rows_of_zeros_agree_with_each_other_and_with_nothing_else() -> None:
    assert cosine(np.array([[0.0, 0.0], [0.0, 0.0]]), np.array([[0.0, 0.0], [1.0, 0.0]])) == 0.5


@pytest.mark.parametrize(
    ("output", "classes"),
    [
        ([[0.1, 0.9], [0.8, 0.2]], [1, 0]),
        ([[0.7], [0.3]], [1, 0]),
        ([3.1, -0.2], [1, 0]),
        (np.array([1, 0]), [1, 0]),
    ],
    ids=["scores a class", "one probability", "one logit", "ids"],
)
def test_an_output_names_its_classes(output: Any, classes: list[int]) -> None:
    assert classes_of(np.asarray(output), np.array([0, 0])).tolist() == classes


LABELS = np.array([0, 1, 2, 1])
LOGITS = np.eye(3)[LABELS].astype(np.float32)
EMBEDDING = np.random.default_rng(0).normal(size=(4, 8)).astype(np.float32)


@pytest.mark.parametrize(
    ("named", "output", "labels", "metric"),
    [
        ([], LOGITS, LABELS, "accuracy"),
        (["parameters", "rocAuc", "accuracy"], LOGITS, LABELS, "auc"),
        (["macro-F1"], LOGITS, LABELS, "f1"),
        (["accuracy"], LOGITS, None, "cosine"),
        ([], EMBEDDING, None, "cosine"),
        ([], EMBEDDING, np.arange(4) // 2, "cosine"),
        ([], EMBEDDING[:, :1], None, "mae"),
        ([], EMBEDDING[:, 0], EMBEDDING[:, 0].astype(np.float64), "mae"),
        ([], LABELS, None, "agreement"),
    ],
    ids=[
        "labels that the outputs predict",
        "the first metric the entry names",
        "however it is spelt",
        "a named metric that needs labels, without labels",
        "vectors",
        "labels that are no classes",
        "one number a row has no angle",
        "labels that are numbers",
        "whole numbers",
    ],
)
def test_the_metric_follows_from_the_entry_and_its_data(named: Any, output: Any, labels: Any, metric: str) -> None:
    assert metric_for(named, {"out": output}, labels).name == metric


def test_ids_and_scores_side_by_side_are_judged_by_the_output_that_predicts_the_labels() -> None:
    outputs = {"junk": np.zeros((4, 3), np.float32), "label": LABELS}
    evaluation = EvaluationData({}, outputs, LABELS, "accuracy")

    assert quality(evaluation, outputs) == 1.0
    assert quality(evaluation, {**outputs, "label": np.array([0, 1, 2, 0])}) == 0.75


def test_the_worst_output_counts() -> None:
    expected = {"a": EMBEDDING, "b": EMBEDDING}

    assert quality(EvaluationData({}, expected, None, "cosine"), {"a": EMBEDDING, "b": -EMBEDDING}) == pytest.approx(-1)


def test_a_metric_without_a_value_is_refused_in_a_sentence() -> None:
    one_class = EvaluationData({}, {"out": LOGITS}, np.zeros(4, int), "auc")

    with pytest.raises(InvalidEntry, match="at least two classes"):
        quality(one_class, {"out": LOGITS})


WORDS = np.array(["a", "b", "c", "b"], object)
UNMEASURABLE = {
    "accuracy of texts by numbers": (
        "accuracy",
        LOGITS,
        WORDS,
        "labels in eval.npz are texts, and 'out' tells classes by n",
    ),
    "f1 of texts by numbers": ("f1", LABELS, WORDS, "labels in eval.npz are texts"),
    "accuracy of numbers by texts": (
        "accuracy",
        WORDS,
        LABELS,
        "labels in eval.npz are numbers, and 'out' tells classes by",
    ),
    "auc of texts": ("auc", LOGITS, WORDS, "the column of its score as a number, from 0; mend labels"),
    "auc of two texts": ("auc", LOGITS[:, :2], WORDS, "the column of its score as a number"),
    "auc of a class without a column": ("auc", LOGITS, LABELS + 1, "the column of its score as a number"),
    "auc of a label that is none": (
        "auc",
        LOGITS,
        np.array([0.0, 1.0, 2.0, np.nan]),
        "the column of its score as a number",
    ),
    "auc of columns of labels": ("auc", LOGITS[:, :1], LABELS[:, None], "auc needs one label a row"),
    "rows without labels": ("accuracy", LOGITS, LABELS[:3], "no output in eval.npz has a row for each label"),
}


@pytest.mark.parametrize("case", UNMEASURABLE)
def test_labels_that_do_not_fit_are_refused_in_a_sentence(case: str) -> None:
    metric, output, labels, sentence = UNMEASURABLE[case]

    with pytest.raises(InvalidEntry) as refused:
        quality(EvaluationData({}, {"out": output}, labels, metric), {"out": output})

    assert sentence in str(refused.value)


def test_labels_written_with_a_point_are_classes_too() -> None:
    evaluation = EvaluationData({}, {"out": LOGITS}, LABELS.astype(np.float64), "auc")

    assert quality(evaluation, {"out": LOGITS}) == 1.0


@pytest.mark.parametrize("metric", ["accuracy", "f1", "auc", "mae", "cosine"])
def test_a_metric_without_what_it_is_computed_from_is_refused(metric: str) -> None:
    with pytest.raises(InvalidEntry, match=f"{metric} (is computed from labels|needs an output of real numbers)"):
        require_measurable(EvaluationData({}, {"out": LABELS}, None, metric))


def test_all_of_an_error_is_the_error_of_a_constant_answer() -> None:
    truth = np.array([0.0, 2.0], np.float32)

    assert scale(EvaluationData({}, {"out": truth}, None, "mae"), 0.0) == 1.0
    assert scale(EvaluationData({}, {"out": LOGITS}, LABELS, "accuracy"), 0.8) == 0.8
