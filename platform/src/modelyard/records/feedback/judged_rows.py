"""Answers and what was right, row by row: recorded rows joined with the labels that count.

| recorded columns of the output | answer | a label is |
|---|---|---|
| `y[0]`, `y[1]`, ... numbers | the class of the largest; scores are their softmax, unless they are chances | a class |
| `y` of whole numbers, truth values or text | that class | a class |
| `y` of other numbers, within [0, 1], and all labels 0 or 1 | class 1 above 0.5; a score | a class |
| `y` of other numbers | that number | a number |
| `y` of the recorder's hashes | that hash | a hash, or it fits nothing: who hides answers has to hide labels |

A class is named by its number or, where the build knows names, by its name. Which output a label without a name is
of: `spec.monitoring.feedback.output`, else one of several columns, else one of classes, else any, by the alphabet.

A column of a slice is taken as it is when it has up to ten values; numbers of more are cut at their quarters.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np

from modelyard.api.monitoring.labels import AnswerLabel
from modelyard.api.quantity import shown
from modelyard.records.values import HASH, column

from .labels import LabelKey

MOST_VALUES = 10
_SUMS_TO_ONE = 0.01
_OUTPUT = "output."


@dataclass(frozen=True)
class JudgedRows:
    """Rows of one output in the order of their answers: all arrays have one item a row.

    `answer` and `truth` are places in `classes`, or numbers. `scores` is [rows, classes], each row summing to 1, or
    None. `requests` numbers the requests, `minutes` are since the epoch, `weights` one of how many, `told` when the
    label came, in seconds since the epoch.
    """

    output: str
    kind: Literal["class", "number"]
    requests: Any
    minutes: Any
    weights: Any
    answer: Any
    truth: Any
    classes: tuple[str, ...] = ()
    scores: Any = None
    slices: Mapping[str, Any] = field(default_factory=dict)
    told: Any = None
    places: Any = None
    """Where the rows are in the table that they are from."""

    @property
    def rows(self) -> int:
        """How many."""
        return len(self.answer)

    @property
    def wrong(self) -> Any:
        """Whether the answer is not the truth."""
        return self.answer != self.truth

    @property
    def errors(self) -> Any:
        """Absolute errors of numbers."""
        return np.abs(self.answer - self.truth)

    def only(self, kept: Any) -> "JudgedRows":
        """The rows for which `kept`, an array of booleans or places, says so."""
        return replace(
            self,
            requests=self.requests[kept], minutes=self.minutes[kept], weights=self.weights[kept],
            answer=self.answer[kept], truth=self.truth[kept],
            scores=None if self.scores is None else self.scores[kept],
            slices={name: values[kept] for name, values in self.slices.items()},
            told=None if self.told is None else self.told[kept],
            places=None if self.places is None else self.places[kept],
        )  # fmt: skip


def joined(
    table: Mapping[str, Any],
    labels: Mapping[LabelKey, AnswerLabel],
    output: str,
    asked: str,
    names: Sequence[str],
    slices: Sequence[str],
) -> tuple[JudgedRows | None, int]:
    """The rows of `table` that have a label of `output`, and how many labels fit neither its columns nor its classes.

    `asked` is how the labels name it: `output` or nothing. None when no label fits.
    """
    keys = [(str(request), int(row), asked) for request, row in zip(table["request_id"], table["row"], strict=True)]
    places = np.array([at for at, key in enumerate(keys) if key in labels], int)
    texts = [labels[keys[at]].label for at in places]
    if not texts:
        return None, 0
    part = {name: values[places] for name, values in table.items()}
    made = _read(part, output, texts, names)
    if made is None:
        return None, len(texts)
    answer, truth, scores, classes = made
    fits = np.isfinite(answer) & np.isfinite(truth)
    if scores is not None:
        fits &= np.isfinite(scores).all(axis=1)
    _, requests = np.unique(np.array([key[0] for key in (keys[at] for at in places)]), return_inverse=True)
    whole = JudgedRows(
        output=output,
        kind="class" if classes is not None else "number",
        requests=requests,
        minutes=(np.ma.getdata(part["time"]) // 60).astype(np.int64),
        weights=np.ma.getdata(part["share"]).astype(np.float64),
        answer=answer,
        truth=truth,
        classes=classes or (),
        scores=scores,
        slices={name: values for name in slices if (values := _slice(part, name)) is not None},
        told=np.array([labels[keys[at]].told for at in places]),
        places=places,
    )
    order = np.flatnonzero(fits)
    order = order[np.argsort(whole.minutes[order], kind="stable")]
    return (whole.only(order) if len(order) else None), int((~fits).sum())


def outputs_in(columns: Sequence[str]) -> dict[str, list[str]]:
    """Columns of each recorded output that can be judged, in order; summaries of wide ones cannot."""
    found: dict[str, list[str]] = {}
    for name in columns:
        base, bracket, place = name.removeprefix(_OUTPUT).partition("[")
        if name.startswith(_OUTPUT) and (not bracket or place.removesuffix("]").isdigit()):
            found.setdefault(base, []).append(name)
    for names in found.values():
        names.sort(key=lambda name: int(name.partition("[")[2].removesuffix("]") or 0))
    return found


def default_output(table: Mapping[str, Any]) -> str:
    """The output that labels without a name are of; empty when no answer is recorded."""
    found = outputs_in(list(table))

    def rank(name: str) -> tuple[int, str]:
        kind = np.ma.getdata(table[found[name][0]]).dtype.kind
        return (0 if len(found[name]) > 1 and kind in "fiu" else 2 if kind == "f" else 1), name

    return min(found, key=rank, default="")


def _read(
    table: Mapping[str, Any], output: str, texts: Sequence[str], names: Sequence[str]
) -> tuple[Any, Any, Any, tuple[str, ...] | None] | None:
    """(answers, truths, scores, classes), NaN where something does not fit; None when the output is not recorded."""
    found = outputs_in(list(table)).get(output)
    if not found:
        return None
    arrays = [table[name] for name in found]
    if len(arrays) > 1:
        if any(np.ma.getdata(array).dtype.kind not in "fiu" for array in arrays):
            return None
        scores = chances(np.stack([_floats(array) for array in arrays], axis=1))
        classes = tuple(names) if len(names) == len(arrays) else tuple(map(str, range(len(arrays))))
        answer = np.where(np.isfinite(scores).all(axis=1), np.nan_to_num(scores).argmax(axis=1), np.nan)
        return answer, _places(texts, classes), scores, classes
    only = arrays[0]
    if np.ma.getdata(only).dtype.kind != "f":
        return _of_classes(only, texts, names)
    answer, truth = _floats(only), np.array([_number(text) for text in texts])
    there = answer[np.isfinite(answer)]
    if len(there) and there.min() >= 0 and there.max() <= 1 and set(texts) <= {"0", "1"}:
        return np.where(np.isfinite(answer), answer > 0.5, np.nan), truth, np.stack([1 - answer, answer], 1), ("0", "1")
    return answer, truth, None, None


def _of_classes(values: Any, texts: Sequence[str], names: Sequence[str]) -> tuple[Any, Any, None, tuple[str, ...]]:
    """The same of an output that names the class itself."""
    given = column("answer", values)
    answers = ["" if gone else written(value) for value, gone in zip(given.values, given.missing(), strict=True)]
    if not given.is_text and names:
        numbered = {str(at): name for at, name in enumerate(names)}
        answers = [numbered.get(text, text) for text in answers]
        texts = [text if text in names else numbered.get(text, text) for text in texts]
    if given.is_text and all(HASH.fullmatch(text) for text in answers if text):
        texts = [text if HASH.fullmatch(text) else "" for text in texts]
    classes = tuple(sorted({*answers, *texts} - {""}))
    if not given.is_text and not names:
        numbers = {text for text in texts if _number(text) == _number(text)}
        classes = tuple(sorted({*answers, *numbers} - {""}))
    return _places(answers, classes), _places(texts, classes), None, classes


def chances(scores: Any) -> Any:
    """Scores as chances [rows, classes]: as they are where they are at least 0 and sum to 1, else their softmax."""
    sure = scores[np.isfinite(scores).all(axis=1)]
    if len(sure) and (sure >= 0).all() and (np.abs(sure.sum(axis=1) - 1.0) < _SUMS_TO_ONE).all():
        return scores
    with np.errstate(invalid="ignore", over="ignore"):
        powers = np.exp(scores - scores.max(axis=1, keepdims=True))
        return powers / powers.sum(axis=1, keepdims=True)


def _places(texts: Sequence[str], classes: Sequence[str]) -> Any:
    """Which class each text is, by name or else by number; NaN for none."""
    numbered = any(name.isdigit() for name in classes)
    places = {} if numbered else {str(at): float(at) for at in range(len(classes))}
    places |= {name: float(at) for at, name in enumerate(classes)}
    return np.array([places.get(text, np.nan) for text in texts])


def _slice(table: Mapping[str, Any], name: str) -> Any:
    """The values of a slice's column as text; None when it is not recorded."""
    found = next((table[one] for one in (f"input.{name}", f"{_OUTPUT}{name}", name) if one in table), None)
    if found is None:
        return None
    given = column(name, found)
    texts = np.array(
        ["none" if gone else written(value) for value, gone in zip(given.values, given.missing(), strict=True)],
        object,
    )
    if given.is_text or len(set(texts.tolist())) <= MOST_VALUES:
        return texts
    edges = np.unique(np.quantile(given.present(), (0.25, 0.5, 0.75)))
    words = [f"to {shown(edges[0])}", *(f"above {shown(edge)}" for edge in edges)]
    for at, (value, gone) in enumerate(zip(given.values, given.missing(), strict=True)):
        if not gone:
            texts[at] = words[int(np.searchsorted(edges, value, side="left"))]
    return texts


def written(value: Any) -> str:
    """A recorded value as text: 3, not 3.0."""
    number = isinstance(value, float | np.floating) and float(value).is_integer()
    return str(int(value)) if number else str(value)


def _floats(array: Any) -> Any:
    return np.ma.filled(np.ma.asarray(array).astype(np.float64), np.nan)


def _number(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        return float("nan")
    return number if np.isfinite(number) else float("nan")
