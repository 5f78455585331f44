"""Recorded rows whose truth is known, with what the model was asked: what a new version can learn from.

| of a row | from |
|---|---|
| inputs | the recorded columns, put back into the tensors that they were (`records.replayed`) |
| truth | the label that counts, as the output would say it: the place of a class, its whole number or text, a number |

Rows of all revisions of a Model are rows: what was right does not depend on who answered. One whose input lacks a value
is left out, unless that is a number with a point, where NaN is what was sent.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import numpy as np

from modelyard.api.entry import Tensor
from modelyard.api.monitoring.spec import Feedback
from modelyard.core.storage.object_store import Store
from modelyard.errors import InvalidInput
from modelyard.records.replayed import input_columns, input_side

from .judged_rows import JudgedRows, default_output, joined
from .labels import Settled, label_files, read_labels, settled
from .recorded_answers import answers

_HELD_OUT = 51
"""Of 256: a fifth."""
_NONE = (
    "no recorded row of {namespace}/{model} since {first_day} has a label that fits its answer and all of its inputs: "
    "send labels (modelyard feedback), and keep all inputs and the answer in spec.monitoring.log.columns."
)


@dataclass(frozen=True)
class LabelledRows:
    """Rows in the order of their answers; all arrays have one item a row in dimension 0.

    `inputs` are tensors by name. `truth` are classes (whole numbers or texts) when `are_classes`, else numbers.
    `requests` are ids, `times` of the answers in seconds since 1970, `weights` one of how many was recorded, `slices`
    values by column.
    """

    output: str
    inputs: Mapping[str, Any]
    truth: Any
    are_classes: bool
    requests: Any
    times: Any
    weights: Any
    slices: Mapping[str, Any]

    @property
    def rows(self) -> int:
        """How many."""
        return len(self.truth)

    def only(self, kept: Any) -> "LabelledRows":
        """The rows for which `kept`, an array of booleans or places, says so."""
        return replace(
            self,
            inputs={name: array[kept] for name, array in self.inputs.items()},
            truth=self.truth[kept], requests=self.requests[kept], times=self.times[kept], weights=self.weights[kept],
            slices={name: values[kept] for name, values in self.slices.items()},
        )  # fmt: skip

    def held_out(self) -> Any:
        """Which rows judge and never teach, as booleans: a fifth of the requests, the same ones for ever.

        What a version has learnt from is thus never what a later one is judged by.
        """
        marks = {request: hashlib.sha256(request.encode()).digest()[0] < _HELD_OUT for request in set(self.requests)}
        return np.array([marks[request] for request in self.requests], bool)

    def period(self) -> tuple[str, str]:
        """The days of the first and the last answer, such as 2026-11-29."""
        first, last = (datetime.fromtimestamp(float(end), UTC) for end in (self.times.min(), self.times.max()))
        return f"{first:%Y-%m-%d}", f"{last:%Y-%m-%d}"

    def digest(self) -> str:
        """`sha256:<hex>` over inputs and truth."""
        total = hashlib.sha256()
        for name in sorted(self.inputs):
            array = self.inputs[name]
            total.update(name.encode() + b"\0" + _content(array))
        total.update(_content(self.truth))
        return f"sha256:{total.hexdigest()}"


def labelled_rows(
    store: Store,
    namespace: str,
    model: str,
    inputs: Sequence[Tensor],
    dtypes: Mapping[str, Any],
    labels: Sequence[str],
    asked: Feedback,
    first_day: str,
) -> LabelledRows:
    """The labelled rows of a Model since a day; `dtypes` are numpy's by input, `labels` the names of its classes.

    Raises InvalidInput when there is none, or inputs were not recorded as they were, and what the store raises.
    """
    known = settled(read_labels(store, list(label_files(store, namespace, model, first_day))))
    columns = {tensor.name: input_columns(tensor) for tensor in inputs}
    wanted = {f"{side}{name}" for name in asked.slices or () for side in ("", "input.", "output.")}
    wanted |= {f"input.{name}" for choices in columns.values() for names in choices for name in names}
    ids = {request for request, _, _ in known.labels}
    found: list[LabelledRows] = []
    refused: InvalidInput | None = None
    for _, table in answers(
        store, namespace, model, first_day, lambda name: name.startswith("output.") or name in wanted, ids
    ):
        judged = _judged(table, known, asked, labels)
        if judged is None:
            continue
        try:
            sides = {tensor.name: input_side(table, columns[tensor.name], dtypes[tensor.name]) for tensor in inputs}
        except InvalidInput as bad:  # another spec may have kept more
            refused = refused or bad
            continue
        found += _whole(table, judged, sides, inputs, labels)
    kind = {(rows.output, rows.are_classes, rows.truth.dtype.kind) for rows in found}
    if not found:
        raise refused or InvalidInput(_NONE.format(namespace=namespace, model=model, first_day=first_day))
    if len(kind) > 1:
        raise InvalidInput(
            "revisions of these days answered in different outputs or kinds of classes: name one output in "
            "spec.monitoring.feedback.output, or wait until only one kind is recorded."
        )
    return _together(found)


def _judged(table: Mapping[str, Any], known: Settled, asked: Feedback, names: Sequence[str]) -> JudgedRows | None:
    """The rows of the output that is judged, whether their labels name it or not; None when no label is of it."""
    output = asked.output or default_output(table)
    named = {key[:2]: label for key, label in known.labels.items() if key[2] in ("", output)}
    labels = {(*row, output): label for row, label in named.items()}
    return joined(table, labels, output, output, names, asked.slices or ())[0]


def _whole(
    table: Mapping[str, Any],
    judged: JudgedRows,
    sides: Mapping[str, Any],
    inputs: Sequence[Tensor],
    names: Sequence[str],
) -> list[LabelledRows]:
    """The rows of one table with all of their inputs, as a list of none or one."""
    places = judged.places
    kept = np.ones(len(places), bool)
    for side in sides.values():
        kept &= ~np.ma.getmaskarray(side[places]).any(axis=1)
    if not kept.any():
        return []
    judged, places = judged.only(kept), places[kept]
    tensors = {
        tensor.name: np.ma.getdata(sides[tensor.name])[places].reshape(len(places), *_shape_of_row(tensor))
        for tensor in inputs
    }
    ids = np.array([str(request) for request in table["request_id"][places]], object)
    return [
        LabelledRows(
            output=judged.output,
            inputs=tensors,
            truth=_truth(judged, names),
            are_classes=judged.kind == "class",
            requests=ids,
            times=np.ma.getdata(table["time"])[places].astype(np.float64),
            weights=judged.weights,
            slices=judged.slices,
        )
    ]


def _truth(judged: JudgedRows, names: Sequence[str]) -> Any:
    """What the output would have said: of scores the place, of an output that names the class that name."""
    if judged.kind != "class":
        return judged.truth
    places = judged.truth.astype(np.int64)
    if judged.scores is not None:
        return places
    texts = [judged.classes[place] for place in places]
    written = [str(names.index(text)) if text in names else text for text in texts]
    if all(text.lstrip("-").isdigit() for text in written):
        return np.array([int(text) for text in written], np.int64)
    return np.array(texts, object)


def _content(array: Any) -> bytes:
    return "\0".join(map(str, array.ravel())).encode() if array.dtype == object else array.tobytes()


def _shape_of_row(tensor: Tensor) -> tuple[int, ...]:
    """Of one row: dimension 0 is that of rows where it is open, else the tensor is a row as a whole."""
    return tensor.shape[1:] if tensor.shape[:1] == (-1,) else tensor.shape


def _together(found: Sequence[LabelledRows]) -> LabelledRows:
    """All of them, in the order of their answers; of slices those that all have."""
    shared = set.intersection(*(set(rows.slices) for rows in found))
    whole = replace(
        found[0],
        inputs={name: np.concatenate([rows.inputs[name] for rows in found]) for name in found[0].inputs},
        truth=np.concatenate([rows.truth for rows in found]),
        requests=np.concatenate([rows.requests for rows in found]),
        times=np.concatenate([rows.times for rows in found]),
        weights=np.concatenate([rows.weights for rows in found]),
        slices={name: np.concatenate([rows.slices[name] for rows in found]) for name in sorted(shared)},
    )
    return whole.only(np.argsort(whole.times, kind="stable"))
