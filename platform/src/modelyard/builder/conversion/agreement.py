"""How many rows an ONNX model answers as the estimator it was made of, over all of its outputs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .rows import EstimatorRows

_RELATIVE, _OF_SPREAD = 1e-3, 1e-3
_TIE = 1e-6


@dataclass(frozen=True)
class Agreement:
    """How an ONNX model compares with its estimator.

    `share` of the rows (0 to 1) on which every output agrees; `outputs` that mean something, by name; `shape` of
    predict()'s answer when the first output holds the same numbers in another one.
    """

    share: float
    outputs: tuple[str, ...]
    shape: tuple[int, ...] | None = None


def agreement(session: Any, estimator: Any, rows: EstimatorRows, double: bool) -> Agreement:
    """Compares all outputs on `rows`, given in float64 when `double`.

    The first output is predict()'s; a second one is held to predict_proba() where there is one, and then a label may be
    either of two that are equally likely. Scores of another
    scale than the estimator's own (decision_function(), transform()) mean nothing to a client and are left out, and so
    are the probabilities of several questions with different numbers of classes, which fit into no tensor.
    """
    import numpy as np

    given, names = rows.for_estimator(), [output.name for output in session.get_outputs()]
    answers, predicted = session.run(names, rows.feed(double)), asked(estimator.predict, rows.for_estimator())
    reshaped = len(answers[0]) != len(predicted) and answers[0].size == np.size(predicted)
    first = answers[0].reshape(np.shape(predicted)) if reshaped else answers[0]
    alike = _alike(first, predicted)
    kept = [names[0]]
    for name, answer in zip(names[1:], answers[1:], strict=True):
        if hasattr(estimator, "predict_proba"):
            probabilities = asked(estimator.predict_proba, given)
            if isinstance(probabilities, list):
                continue
            alike = (alike | _tied(probabilities)) & _alike(answer, probabilities)
            kept.append(name)
        elif any(_alike(answer, scores).mean() >= 0.999 for scores in _scores(estimator, given)):
            kept.append(name)
    return Agreement(float(np.mean(alike)), tuple(kept), np.shape(predicted) if reshaped else None)


def agreeing_rows(answers: Mapping[str, Any], expected: Mapping[str, Any]) -> Any:
    """By row, whether every output is as expected by its name; one that is missing agrees nowhere."""
    import numpy as np

    every = [_alike(answers.get(name, np.zeros(0)), np.asarray(theirs)) for name, theirs in expected.items()]
    return np.logical_and.reduce(every)


def asked(method: Any, rows: Any) -> Any:
    """A method's answer to rows, in float32 where it was fitted on that and its compiled code takes nothing else.

    A list of arrays where it gives several that fit into no single one.
    """
    import numpy as np

    try:
        answer = method(rows)
    except ValueError:
        if not isinstance(rows, np.ndarray) or rows.dtype != np.float64:
            raise
        answer = method(rows.astype(np.float32))
    if isinstance(answer, list):
        return np.stack(answer, axis=1) if len({part.shape for part in answer}) == 1 else answer
    return np.asarray(answer)


def _scores(estimator: Any, rows: Any) -> Sequence[Any]:
    return [
        asked(getattr(estimator, name), rows) for name in ("decision_function", "transform") if hasattr(estimator, name)
    ]


def _tied(probabilities: Any) -> Any:
    """By row, whether two classes are equally likely, so that rounding decides which of them predict() says."""
    import numpy as np

    if probabilities.ndim != 2 or probabilities.shape[1] < 2:
        return np.zeros(len(probabilities), bool)
    second, first = np.sort(probabilities, axis=1)[:, -2:].T
    return first - second <= _TIE


def _alike(ours: Any, theirs: Any) -> Any:
    """By row, whether an output and the estimator's answer are the same; shapes may differ by dimensions of size 1."""
    import numpy as np

    count = len(theirs)
    if ours.ndim == 3 and theirs.ndim == 3 and ours.shape[0] != count:
        ours = np.moveaxis(ours, 0, 1)  # multi-output classifiers give [outputs, rows, classes]
    if len(ours) != count or ours.size != theirs.size:
        return np.zeros(count, bool)
    ours, theirs = ours.reshape(count, -1), theirs.reshape(count, -1)
    if theirs.dtype.kind == "b":
        theirs = theirs.astype(np.int64)  # ONNX labels are integers or texts
    if theirs.dtype.kind != "f":
        return (ours.astype(str) == theirs.astype(str)).all(axis=1)
    spread = float(np.nanstd(theirs)) if theirs.size else 0.0
    return np.isclose(ours, theirs, rtol=_RELATIVE, atol=_OF_SPREAD * spread + 1e-9, equal_nan=True).all(axis=1)
