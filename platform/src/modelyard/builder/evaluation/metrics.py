"""How good a variant's answers are: one number on the evaluation set, in plain numpy.

    accuracy    share of rows whose class is the label's
    f1          mean over the classes of  2 tp / (2 tp + fp + fn)  (macro)
    auc         probability that a row of a class is scored above a row of another (Mann-Whitney, ties count half);
                with more than two classes the mean of one class against the rest
    mae         mean |answer - truth|; 100 % of loss is the error of always answering the truth's mean
    cosine      mean over the rows of the angle's cosine between answer and expected answer; the worst output counts
    agreement   share of the elements that are exactly the expected ones, for answers that are no numbers to compare

The metric is the first that the entry's `metrics` name; without one it follows from what eval.npz holds. Labels
that the expected outputs do not predict (sentence pairs, say) are no classes and decide nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from modelyard.errors import InvalidEntry

if TYPE_CHECKING:
    import numpy as np

    from .evaluation_data import EvaluationData

Arrays = Mapping[str, "np.ndarray"]
_ALIASES = {
    "accuracy": "accuracy", "acc": "accuracy", "top1": "accuracy", "top1accuracy": "accuracy",
    "f1": "f1", "f1score": "f1", "f1macro": "f1", "macrof1": "f1",
    "auc": "auc", "rocauc": "auc", "aucroc": "auc", "auroc": "auc",
    "mae": "mae", "meanabsoluteerror": "mae",
    "cosine": "cosine", "cosinesimilarity": "cosine", "agreement": "agreement",
}  # fmt: skip
ACCURACY, _PAIR = "accuracy", 2
LOWER_IS_BETTER = frozenset({"mae"})
_OF_LABELS, _OF_NUMBERS, _TEXT = frozenset({"accuracy", "f1", "auc"}), frozenset({"mae", "cosine"}), "OUS"


@dataclass(frozen=True)
class MetricChoice:
    """A metric and the sentence why it was taken."""

    name: str
    reason: str


def metric_for(named: Iterable[str], outputs: Arrays, labels: np.ndarray | None) -> MetricChoice:
    """The metric for an evaluation set, and why.

    `named` are the keys of the entry's `metrics`, in order; `outputs` the expected outputs by name; `labels` those of
    eval.npz, or None. A name that is unknown, or does not fit the arrays, is passed over.
    """
    classes = labels is not None and _predicted(outputs, labels)
    for name in named:
        metric = _ALIASES.get(re.sub(r"[^a-z0-9]", "", name.lower()))
        if metric and (classes or metric in ("cosine", "agreement") or (metric == "mae" and _numbers(outputs))):
            return MetricChoice(metric, f"the entry names {name}.")
    if classes:
        return MetricChoice(ACCURACY, "the evaluation set holds labels, which the expected outputs predict.")
    if labels is not None and labels.dtype.kind == "f":
        return MetricChoice("mae", "the labels of the evaluation set are numbers, not classes.")
    unused = "" if labels is None else " Its labels are no classes the outputs predict, so they are not used."
    if not _numbers(outputs):
        return MetricChoice("agreement", f"the expected outputs are no real numbers.{unused}")
    if all(_width(value) == 1 for value in _numbers(outputs).values()):
        return MetricChoice("mae", f"every expected output is one number a row, which has no angle.{unused}")
    return MetricChoice("cosine", f"the evaluation set holds expected outputs.{unused}")


def quality(evaluation: EvaluationData, outputs: Arrays) -> float:
    """The evaluation's metric for a variant's `outputs`, arrays by output name; mae is in the outputs' unit.

    Raises InvalidEntry when the metric has no value on this evaluation set.
    """
    import numpy as np

    value = _METRICS[evaluation.metric](outputs, evaluation)
    if not np.isfinite(value):
        raise InvalidEntry(
            f"{evaluation.metric} has no value on this evaluation set; it needs rows of at least two classes."
        )
    return float(value)


def require_measurable(evaluation: EvaluationData) -> None:
    """Raises InvalidEntry when eval.npz lacks what the evaluation's metric is computed from."""
    metric, instead = evaluation.metric, "or name another metric in evaluation"
    if metric in _OF_LABELS and evaluation.labels is None:
        raise InvalidEntry(f"{metric} is computed from labels, and eval.npz has none; add an array labels, {instead}.")
    if metric in _OF_NUMBERS and not _numbers(evaluation.outputs):
        raise InvalidEntry(f"{metric} needs an output of real numbers, and eval.npz expects none; {instead[3:]}.")


def scale(evaluation: EvaluationData, original: float) -> float:
    """What a loss of 100 % means: the original's quality, or for MAE the error of a constant answer."""
    import numpy as np

    if evaluation.metric != "mae":
        return abs(original)
    return max(float(np.abs(truth - truth.mean(axis=0)).mean()) for _, truth in _pairs(evaluation.outputs, evaluation))


def classes_of(scores: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Class ids (or names) that an output stands for, in the shape of `labels`.

    One dimension more than the labels: the largest score wins. The same shape: ids as they are; one real score a
    row is class 1 above 0.5, or above 0 where scores leave [0, 1].
    """
    if scores.ndim == labels.ndim + 1 and scores.shape[-1] > 1:
        return scores.argmax(axis=-1)
    flat = scores.reshape(labels.shape)
    if flat.dtype.kind != "f":
        return flat
    bounded = flat.size == 0 or (flat.min() >= 0 and flat.max() <= 1)
    return (flat > (0.5 if bounded else 0.0)).astype("int64")


def accuracy(classes: np.ndarray, labels: np.ndarray) -> float:
    """Share (0 to 1) of the elements of `classes` that equal those of `labels`; both of one shape."""
    return float((classes == labels).mean())


def f1(classes: np.ndarray, labels: np.ndarray) -> float:
    """Macro F1 (0 to 1) over the classes that occur in either array: the mean of  2 tp / (2 tp + fp + fn)  of each.

    A class that is nowhere right counts 0.
    """
    import numpy as np

    scores = []
    for label in np.union1d(classes, labels):
        predicted, actual = classes == label, labels == label
        scores.append(2 * (predicted & actual).sum() / (predicted.sum() + actual.sum()))
    return float(np.mean(scores))


def auc(scores: np.ndarray, labels: np.ndarray) -> float:
    """Area under the ROC curve (Mann and Whitney 1947), 0 to 1; NaN when only one class occurs.

    `scores` [n], [n, 1] or [n, classes], `labels` [n]; with more than two classes the mean of one against the rest.
    """
    import numpy as np

    if scores.ndim == 1 or scores.shape[1] == 1:
        return _auc(scores.reshape(-1), labels == labels.max())
    if scores.shape[1] == 2:
        return _auc(scores[:, 1], labels == 1)
    return float(np.mean([_auc(scores[:, label], labels == label) for label in np.unique(labels)]))


def mae(answers: np.ndarray, truth: np.ndarray) -> float:
    """Mean absolute error, in the unit of `truth`; shapes may differ by dimensions of size 1."""
    import numpy as np

    return float(np.abs(answers.astype(np.float64).reshape(truth.shape) - truth).mean())


def cosine(answers: np.ndarray, expected: np.ndarray) -> float:
    """Mean over the rows of  a . b / (|a| |b|),  -1 to 1; two rows of zeros count 1, one row of zeros 0.

    Both arrays are [rows, ...]; all other dimensions are one vector.
    """
    import numpy as np

    a, b = (np.asarray(x, np.float64).reshape(len(x), -1) for x in (answers, expected))
    lengths = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    both_zero = ~a.any(axis=1) & ~b.any(axis=1)
    cosines = np.where(lengths > 0, (a * b).sum(axis=1) / np.where(lengths > 0, lengths, 1), both_zero)
    return float(cosines.mean())


def _auc(scores: np.ndarray, positive: np.ndarray) -> float:
    import numpy as np

    many, few = int(positive.sum()), int((~positive).sum())
    if not many or not few:
        return float("nan")
    _, place, count = np.unique(scores, return_inverse=True, return_counts=True)
    rank = (np.cumsum(count) - (count - 1) / 2)[place]  # ties share the mean of their ranks
    return float((rank[positive].sum() - many * (many + 1) / 2) / (many * few))


def _of_classes(measure: Callable[[Any, Any], float]) -> Callable[[Arrays, EvaluationData], float]:
    def measured(outputs: Arrays, evaluation: EvaluationData) -> float:
        labels = evaluation.labels
        assert labels is not None
        name = _judged(evaluation.outputs, labels)
        classes = classes_of(outputs[name], labels)
        if (classes.dtype.kind in _TEXT) != (labels.dtype.kind in _TEXT):
            kinds = ("texts", "numbers") if labels.dtype.kind in _TEXT else ("numbers", "texts")
            raise InvalidEntry(
                f"labels in eval.npz are {kinds[0]}, and {name!r} tells classes by {kinds[1]}; mend labels."
            )
        return measure(classes, labels)

    return measured


def _auc_of(outputs: Arrays, evaluation: EvaluationData) -> float:
    labels = evaluation.labels
    assert labels is not None
    scores = {name: v for name, v in evaluation.outputs.items() if v.dtype.kind == "f" and _fits(v, labels)}
    if not scores:
        raise InvalidEntry("auc needs an output with scores, and eval.npz expects none; name accuracy instead.")
    given = outputs[next(iter(scores))]
    known = range(given.shape[1] if given.ndim > 1 else 1)
    words = labels.dtype.kind in _TEXT and len(known) >= _PAIR
    if words or labels.ndim != 1 or (len(known) > _PAIR and any(label not in known for label in labels.tolist())):
        raise InvalidEntry(
            "auc needs one label a row, and with more than two classes the column of its score as a number, from 0; "
            "mend labels in eval.npz, or name accuracy instead."
        )
    return auc(given, labels.astype("int64") if len(known) > _PAIR else labels)


def _mae_of(outputs: Arrays, evaluation: EvaluationData) -> float:
    return max(mae(outputs[name], truth) for name, truth in _pairs(evaluation.outputs, evaluation))


def _cosine_of(outputs: Arrays, evaluation: EvaluationData) -> float:
    return min(cosine(outputs[name], expected) for name, expected in _numbers(evaluation.outputs).items())


def _agreement_of(outputs: Arrays, evaluation: EvaluationData) -> float:
    return min(accuracy(outputs[name], expected) for name, expected in evaluation.outputs.items())


_METRICS: Mapping[str, Callable[[Arrays, Any], float]] = {
    "accuracy": _of_classes(accuracy),
    "f1": _of_classes(f1),
    "auc": _auc_of,
    "mae": _mae_of,
    "cosine": _cosine_of,
    "agreement": _agreement_of,
}


def _pairs(outputs: Arrays, evaluation: EvaluationData) -> list[tuple[str, np.ndarray]]:
    """What MAE compares: the labels with the one output of their size, else every expected output."""
    labels, numbers = evaluation.labels, _numbers(outputs)
    if labels is not None and labels.dtype.kind in "fiu":
        fitting = [name for name, value in numbers.items() if value.size == labels.size]
        if fitting:
            return [(fitting[0], labels.astype("float64"))]
    return [(name, value.astype("float64")) for name, value in numbers.items()]


def _numbers(outputs: Arrays) -> dict[str, np.ndarray]:
    return {name: value for name, value in outputs.items() if value.dtype.kind == "f"}


def _width(value: np.ndarray) -> int:
    return int(value[0].size) if len(value) else 0


def _fits(value: np.ndarray, labels: np.ndarray) -> bool:
    return value.shape[: labels.ndim] == labels.shape and value.ndim <= labels.ndim + 1


def _judged(outputs: Arrays, labels: np.ndarray) -> str:
    """The output that names the classes best, by the expected values: scores and ids may lie side by side."""
    fitting = {name: accuracy(classes_of(v, labels), labels) for name, v in outputs.items() if _fits(v, labels)}
    if not fitting:
        raise InvalidEntry("no output in eval.npz has a row for each label; correct eval.npz.")
    return max(fitting, key=lambda name: fitting[name])


def _predicted(outputs: Arrays, labels: np.ndarray) -> bool:
    """Whether labels are classes the expected outputs predict better than always naming the commonest."""
    import numpy as np

    if labels.dtype.kind == "f" or labels.size == 0 or not any(_fits(value, labels) for value in outputs.values()):
        return False
    name = _judged(outputs, labels)
    _, counts = np.unique(labels, return_counts=True)
    right = accuracy(classes_of(outputs[name], labels), labels)
    return right > counts.max() / labels.size or right == 1.0
