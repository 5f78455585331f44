"""Labels in the store: Parquet files by the day they came, a row a label. Which of several counts: `settled`.

| of one row and output | what counts |
|---|---|
| the same label again | the first; the others are repeats |
| another label | that which was known last (`time`), of several of one time the one that came last: a contradiction |

So files may come twice, late and in any order.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np

from modelyard.api.monitoring.labels import AnswerLabel
from modelyard.core.storage.monitoring_keys import day_of, feedback_prefix
from modelyard.core.storage.object_store import Store
from modelyard.records.parquet import from_parquet, to_parquet

SUFFIX = ".parquet"
_THREADS = 16
_NUMBERS: Mapping[str, Any] = {"row": np.int32, "time": np.float64, "told": np.float64}
LabelKey = tuple[str, int, str]
"""Request id, row and output."""


class Settled(NamedTuple):
    """The labels that count, and how many of all were repeats or contradicted."""

    labels: dict[LabelKey, AnswerLabel]
    repeated: int
    contradicting: int


def to_file(labels: Sequence[AnswerLabel]) -> bytes:
    """A Parquet file of labels."""
    return to_parquet(
        {name: _column(name, [label[at] for label in labels]) for at, name in enumerate(AnswerLabel._fields)}
    )


def label_files(store: Store, namespace: str, model: str, first_day: str = "") -> Iterator[str]:
    """Keys of a Model's labels that came from a day such as 2026-11-29 on."""
    for stored in store.list(feedback_prefix(namespace, model)):
        if stored.key.endswith(SUFFIX) and day_of(stored.key) >= first_day:
            yield stored.key


def read_labels(store: Store, keys: Sequence[str]) -> list[AnswerLabel]:
    """The labels of these files, as they came; a file that is gone meanwhile is left out.

    Raises what the store raises, and InvalidInput for a file that is none of labels.
    """
    with ThreadPoolExecutor(_THREADS) as pool:
        contents = [content for content in pool.map(store.get, keys) if content is not None]
    return labels_of(from_parquet(contents))


def labels_of(table: Mapping[str, Any]) -> list[AnswerLabel]:
    """The rows of a table that `to_file` wrote."""
    if not table:
        return []
    columns = [table[name].tolist() for name in AnswerLabel._fields]
    return [AnswerLabel(*values) for values in zip(*columns, strict=True)]


def settled(labels: Iterable[AnswerLabel]) -> Settled:
    """Which labels count, whatever order they come in."""
    found: dict[LabelKey, AnswerLabel] = {}
    repeated = contradicting = 0
    for label in sorted(labels, key=lambda one: (one.time, one.told)):
        key = (label.request_id, label.row, label.output)
        before = found.get(key)
        if before is not None and before.label == label.label:
            repeated += 1
            continue
        contradicting += before is not None
        found[key] = label
    return Settled(found, repeated, contradicting)


def _column(name: str, values: list[Any]) -> Any:
    if name in _NUMBERS:
        return np.array(values, _NUMBERS[name])
    texts = np.empty(len(values), object)
    texts[:] = values
    return texts
