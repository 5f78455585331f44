"""How good answers are, with intervals of 95 %.

| measure | of | interval |
|---|---|---|
| accuracy | classes | Wilson's, by independent rows (`core.monitoring.performance.intervals`) |
| f1 | classes: the mean over the classes that occur of 2 tp / (2 tp + fp + fn) | bootstrap |
| auc | scores: Mann and Whitney's; of several classes the mean of one against the rest | bootstrap |
| calibration | scores: mean gap, over ten bins, between how sure an answer is and how often it is right | bootstrap |
| mae, rmse | numbers | bootstrap |

Every row weighs one of how many it is. The bootstrap draws *requests*, whose rows stand or fall together, each so often
as a Poisson number of mean 1 says (Chamandy et al., Estimating uncertainty for massive data streams, 2012), with a
fixed seed: the same labels give the same interval. Its ends are the 2.5 % and 97.5 % points.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from modelyard.core.monitoring.performance.intervals import independent_rows, wilson

from .judged_rows import JudgedRows

FEWEST = 30
"""Labelled rows below which a measure has no interval, and nobody should look at its value."""
_DRAWS, _FEWEST_DRAWS, _WORK = 200, 50, 4_000_000
_BINS = 10
Measuring = Callable[[JudgedRows, Any], float]
"""A measure of rows that weigh so much; NaN where it has no value."""


class Measure(NamedTuple):
    """A measure's value and interval, None where it has none; `rows` are the labelled ones."""

    name: str
    value: float | None
    low: float | None
    high: float | None
    rows: int


def measures(judged: JudgedRows) -> list[Measure]:
    """All measures that these rows have."""
    found = [_accuracy(judged)] if judged.kind == "class" else []
    asked = {name: measuring for name, (kind, measuring) in _MEASURES.items() if kind == judged.kind}
    if judged.scores is not None:
        asked |= {name: measuring for name, (kind, measuring) in _MEASURES.items() if kind == "scores"}
    draws = _draws(judged)
    return [*found, *(_bootstrapped(name, judged, measuring, draws) for name, measuring in asked.items())]


def _accuracy(judged: JudgedRows) -> Measure:
    right, weights = ~judged.wrong, judged.weights
    total = weights.sum()
    share = float((right * weights).sum() / total)
    sums = np.bincount(judged.requests, weights * (right - share))
    variance = float((sums * sums).sum() / (total * total))
    requests = len(np.unique(judged.requests))
    told = wilson(share, independent_rows(share, variance, judged.rows, requests))
    return _measure("accuracy", told.value, (told.low, told.high), judged.rows)


def _bootstrapped(name: str, judged: JudgedRows, measuring: Measuring, draws: Any) -> Measure:
    value = measuring(judged, judged.weights)
    drawn = np.array([measuring(judged, judged.weights * draw[judged.requests]) for draw in draws])
    drawn = drawn[np.isfinite(drawn)]
    ends = tuple(float(end) for end in np.quantile(drawn, (0.025, 0.975))) if len(drawn) > len(draws) / 2 else None
    return _measure(name, value, ends, judged.rows)


def _measure(name: str, value: float, ends: tuple[float, ...] | None, rows: int) -> Measure:
    if not np.isfinite(value):
        return Measure(name, None, None, None, rows)
    low, high = ends if ends is not None and rows >= FEWEST else (None, None)
    return Measure(name, value, low, high, rows)


def _draws(judged: JudgedRows) -> Any:
    """How often each request is drawn, [draws, requests]; fewer draws of many rows."""
    if judged.rows < FEWEST:
        return np.zeros((0, 0))
    draws = max(_FEWEST_DRAWS, min(_DRAWS, _WORK // judged.rows))
    return np.random.default_rng(0).poisson(1.0, (draws, int(judged.requests.max()) + 1))


def f1(judged: JudgedRows, weights: Any) -> float:
    """Macro F1."""
    size = len(judged.classes)
    answer, truth = judged.answer.astype(int), judged.truth.astype(int)
    told, real = np.bincount(answer, weights, size), np.bincount(truth, weights, size)
    right = np.bincount(answer[answer == truth], weights[answer == truth], size)
    there = told + real > 0
    return float((2 * right[there] / (told + real)[there]).mean()) if there.any() else float("nan")


def auc(judged: JudgedRows, weights: Any) -> float:
    """Area under the ROC curve."""
    if len(judged.classes) == 2:
        return weighted_auc(judged.scores[:, 1], weights * (judged.truth == 1), weights * (judged.truth == 0))
    found = [
        weighted_auc(judged.scores[:, at], weights * (judged.truth == at), weights * (judged.truth != at))
        for at in np.unique(judged.truth).astype(int)
    ]
    return float(np.mean(found)) if found else float("nan")


def weighted_auc(scores: Any, positive: Any, negative: Any) -> float:
    """The chance that a positive has the higher score, ties half, of rows that are positive and negative so much."""
    _, place = np.unique(scores, return_inverse=True)
    ups, downs = np.bincount(place, positive), np.bincount(place, negative)
    pairs = ups.sum() * downs.sum()
    below = np.cumsum(downs) - downs / 2
    return float((ups * below).sum() / pairs) if pairs > 0 else float("nan")


def calibration(judged: JudgedRows, weights: Any) -> float:
    """Expected calibration error."""
    sure = judged.scores.max(axis=1)
    places = np.minimum((sure * _BINS).astype(int), _BINS - 1)
    gaps = np.bincount(places, weights * (sure - ~judged.wrong), _BINS)
    total = weights.sum()
    return float(np.abs(gaps).sum() / total) if total > 0 else float("nan")


def mae(judged: JudgedRows, weights: Any) -> float:
    """Mean absolute error, in the labels' unit."""
    total = weights.sum()
    return float((weights * judged.errors).sum() / total) if total > 0 else float("nan")


def rmse(judged: JudgedRows, weights: Any) -> float:
    """Root of the mean squared error, in the labels' unit."""
    total = weights.sum()
    return float(np.sqrt((weights * judged.errors**2).sum() / total)) if total > 0 else float("nan")


_MEASURES: dict[str, tuple[str, Measuring]] = {
    "f1": ("class", f1),
    "auc": ("scores", auc),
    "calibration": ("scores", calibration),
    "mae": ("number", mae),
    "rmse": ("number", rmse),
}
