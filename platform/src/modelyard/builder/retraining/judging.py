"""Whether a retrained model may challenge the one that serves: both answer the same held-out labelled rows.

| asked | passes when |
|---|---|
| all rows | the mean loss is lower, surely: the 5 % point of the paired bootstrap is above 0 |
| each declared slice of FEWEST rows or more | it is not surely higher: the 95 % point is not below 0 |

The loss of a row is 1 for a wrong class, and the absolute error of a number. What a model answers that is no number
counts as wrong, or as far off as the worst answer of both.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from modelyard.builder.evaluation.metrics import classes_of
from modelyard.errors import InvalidEntry
from modelyard.records.feedback.labelled_rows import LabelledRows

from .paired_bootstrap import PairedDifference, paired_difference

FEWEST = 30
"""Held-out rows of a slice below which nothing is told of it."""


class RetrainingJudgement(NamedTuple):
    """What both are worth on the same rows, and why the candidate does not pass; empty when it does."""

    metric: str
    rows: int
    champion: float
    candidate: float
    difference: PairedDifference
    worse: str = ""

    @property
    def passed(self) -> bool:
        """Whether it may challenge."""
        return not self.worse

    def sentence(self) -> str:
        """Both figures, and the difference with its interval."""
        how = f"{self.metric} {self.candidate:.4g} against {self.champion:.4g} of the champion"
        told = self.difference
        ends = f"better by {told.value:.3g}, at least {told.low:.3g} and at most {told.high:.3g}"
        return f"{how} on {self.rows} held-out labelled rows ({ends}, in 90 of 100 such sets)"


def judged(rows: LabelledRows, champion: Mapping[str, Any], candidate: Mapping[str, Any]) -> RetrainingJudgement:
    """The judgement of two models by their outputs for these rows, arrays by name.

    Raises InvalidEntry when an output is not what the labels are of.
    """
    losses = _losses(rows, champion, candidate)
    means = [float((loss * rows.weights).sum() / rows.weights.sum()) for loss in losses]
    difference = paired_difference(*losses, rows.weights, rows.requests)
    figures = [1 - mean for mean in means] if rows.are_classes else means
    metric = "accuracy" if rows.are_classes else "mae"
    found = RetrainingJudgement(metric, rows.rows, figures[0], figures[1], difference)
    return found._replace(worse=next(_complaints(rows, losses, difference), ""))


def _complaints(rows: LabelledRows, losses: tuple[Any, Any], difference: PairedDifference) -> Iterator[str]:
    if difference.low <= 0:
        yield "it is not surely better than what serves"
    for name, values in rows.slices.items():
        for value in sorted(set(values.tolist())):
            inside = values == value
            if inside.sum() < FEWEST:
                continue
            champion, candidate = (loss[inside] for loss in losses)
            told = paired_difference(champion, candidate, rows.weights[inside], rows.requests[inside])
            if told.high < 0:
                yield f"it is worse where {name} is {value}, by {-told.value:.3g} on {int(inside.sum())} rows"


def _losses(rows: LabelledRows, *answers: Mapping[str, Any]) -> tuple[Any, Any]:
    """The loss of each row, for two models."""
    found = [_loss(rows, outputs) for outputs in answers]
    known = np.concatenate([loss[np.isfinite(loss)] for loss in found])
    worst = known.max() if len(known) else 1.0
    first, second = (np.where(np.isfinite(loss), loss, worst) for loss in found)
    return first, second


def _loss(rows: LabelledRows, outputs: Mapping[str, Any]) -> Any:
    output = outputs.get(rows.output)
    if output is None or len(output) != rows.rows:
        has = ", ".join(f"{name} {list(array.shape)}" for name, array in outputs.items()) or "none"
        raise InvalidEntry(
            f"labels are of the output {rows.output}, a row each, and the model gives {has}: name another in "
            "spec.monitoring.feedback.output."
        )
    if not rows.are_classes:
        return np.abs(output.reshape(rows.rows, -1)[:, 0].astype(np.float64) - rows.truth)
    answered = classes_of(output, rows.truth)
    if rows.truth.dtype == object:
        answered = np.array([str(name) for name in answered.ravel()], object)
    return (answered.reshape(rows.rows) != rows.truth).astype(np.float64)
