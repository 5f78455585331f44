"""What came in the minute that runs and in those not yet written, bounded; written once a minute is over.

Rows wait in memory as the columns that may be written: by revision and minute, until the store has them. When the
store is away they wait on, up to a limit in bytes; then the oldest minutes go, and are counted.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from modelyard.core.storage.monitoring_keys import COUNTS, ROWS, MinuteKey
from modelyard.core.storage.object_store import Store
from modelyard.errors import ModelyardError
from modelyard.records.parquet import to_parquet

from .recorder_metrics import RecorderMetrics

_SECONDS = 60
_TEXT_BYTES = 64
"""What a text is taken to need, before it is written."""
_log = logging.getLogger(__name__)


@dataclass
class _Minute:
    """Tables of single requests, one after the other, and what was counted over them."""

    tables: list[Mapping[str, Any]] = field(default_factory=list)
    rows: int = 0
    bytes: int = 0
    counts: Any = None


class Minutes:
    """All minutes in memory. Not safe for threads: `add` and `take` belong to one loop, `write` may run elsewhere."""

    def __init__(self, writer: str, most_bytes: int, metrics: RecorderMetrics) -> None:
        self._writer, self._most_bytes, self._metrics = writer, most_bytes, metrics
        self._minutes: dict[MinuteKey, _Minute] = {}

    @property
    def bytes(self) -> int:
        """What all rows need, about."""
        return sum(minute.bytes for minute in self._minutes.values())

    def add(
        self, namespace: str, model: str, revision: str, moment: float, table: Mapping[str, Any], counts: Any = None
    ) -> None:
        """Rows of one request: arrays of the same length by column; `counts` is added to the minute's (by `+`)."""
        key = MinuteKey(namespace, model, revision, int(moment) // _SECONDS * _SECONDS, self._writer)
        minute = self._minutes.setdefault(key, _Minute())
        if table:
            minute.tables.append(table)
            minute.rows += len(next(iter(table.values())))
            minute.bytes += sum(_size(array) for array in table.values())
        if counts is not None:
            minute.counts = counts if minute.counts is None else minute.counts + counts
        self._make_room()

    def take(self, moment: float, everything: bool = False) -> dict[MinuteKey, _Minute]:
        """The minutes that are over at `moment`, or all of them; they are no longer here."""
        over = [key for key in self._minutes if everything or key.minute + _SECONDS <= moment]
        return {key: self._minutes.pop(key) for key in over}

    def put_back(self, minutes: Mapping[MinuteKey, _Minute]) -> None:
        """Minutes that could not be written."""
        for key, minute in minutes.items():
            here = self._minutes.setdefault(key, _Minute())
            here.tables[:0] = minute.tables
            here.rows += minute.rows
            here.bytes += minute.bytes
            if minute.counts is not None:
                here.counts = minute.counts if here.counts is None else minute.counts + here.counts
        self._make_room()

    def _make_room(self) -> None:
        while self.bytes > self._most_bytes and len(self._minutes) > 1:
            oldest = min(self._minutes, key=lambda key: key.minute)
            self._metrics.dropped("NoRoom", self._minutes.pop(oldest).rows)


def write(
    store: Store, minutes: Mapping[MinuteKey, _Minute], metrics: RecorderMetrics, text_of: Callable[[Any], bytes]
) -> dict[MinuteKey, _Minute]:
    """Writes minutes, and returns those that the store did not take; `text_of` turns counts into what is written.

    An object is only made, never replaced: a minute that is there already was written before an answer got lost, or by
    a process of the same name, and what could be lost by that is counted, as `Taken`.
    """
    left = {}
    for key, minute in minutes.items():
        try:
            if minute.tables:
                made = store.put_if_absent(key.key(ROWS), to_parquet(joined(minute.tables)))
                (metrics.written if made else lambda rows: metrics.dropped("Taken", rows))(minute.rows)
                minute.tables.clear()
            if minute.counts is not None:
                store.put_if_absent(key.key(COUNTS), text_of(minute.counts))
        except ModelyardError as bad:
            left[key] = minute
            _log.warning("not written", extra={"fields": {"minute": key.key(ROWS), "error": str(bad)}})
    return left


def joined(tables: list[Mapping[str, Any]]) -> dict[str, Any]:
    """One table of all rows; null where one has no such column."""
    names = dict.fromkeys(name for table in tables for name in table)
    return {name: _joined([_column(table, name) for table in tables]) for name in names}


def _column(table: Mapping[str, Any], name: str) -> Any:
    if name in table:
        return table[name]
    return np.ma.masked_all(len(next(iter(table.values()))), np.float32)


def _joined(pieces: list[Any]) -> Any:
    if any(piece.dtype == object for piece in pieces):
        texts = [None if value is np.ma.masked else str(value) for piece in pieces for value in piece]
        return np.array(texts, object)
    return np.ma.concatenate(pieces) if any(np.ma.isMaskedArray(piece) for piece in pieces) else np.concatenate(pieces)


def _size(array: Any) -> int:
    return array.nbytes + (_TEXT_BYTES * len(array) if array.dtype == object else 0)
