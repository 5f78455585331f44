"""What came in the minute that runs and in those not yet written, bounded; written once a minute is over.

Rows wait in memory as the columns that may be written: by revision and minute, until the store has them. When the
store is away they wait on, up to a limit in bytes; then the oldest minutes go, and are counted.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from modelyard.api.monitoring.counts import MinuteCounts
from modelyard.api.monitoring.profile import ReferenceProfile
from modelyard.core.storage.monitoring_keys import COUNTS, ROWS, MinuteKey
from modelyard.core.storage.object_store import Store
from modelyard.errors import ModelyardError
from modelyard.records.counting import table_counts
from modelyard.records.parquet import to_parquet
from modelyard.records.values import column

from .recorder_metrics import RecorderMetrics

_SECONDS = 60
_TEXT_BYTES = 64
"""What a text is taken to need, before it is written."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class RecordedRows:
    """Rows of one request, one of `share`: arrays of `rows` values, by column and by the profile's feature.

    `table` is what may be written, `features` what is counted and forgotten; both may be empty.
    """

    rows: int
    table: Mapping[str, Any]
    features: Mapping[str, Any] = field(default_factory=dict)
    profile: ReferenceProfile | None = None
    share: int = 1

    @property
    def bytes(self) -> int:
        """What they need in memory, about."""
        return sum(_size(array) for array in (*self.table.values(), *self.features.values()))


@dataclass
class _Minute:
    """Requests one after the other."""

    recorded: list[RecordedRows] = field(default_factory=list)
    bytes: int = 0

    @property
    def rows(self) -> int:
        return sum(one.rows for one in self.recorded)

    def tables(self) -> list[Mapping[str, Any]]:
        return [one.table for one in self.recorded if one.table]

    def counts(self, minute: int) -> MinuteCounts | None:
        """Of those that have the newest profile; None when none has one."""
        profile = next((one.profile for one in reversed(self.recorded) if one.profile is not None), None)
        if profile is None:
            return None
        counted = [one for one in self.recorded if one.profile is profile]
        rows = sum(one.rows for one in counted)
        features = {
            name: column(name, _joined([one.features[name] for one in counted]))
            for name in (one.name for one in profile.features)
            if all(name in one.features for one in counted)
        }
        return MinuteCounts(
            minute=minute // _SECONDS,
            share=len(counted) / sum(one.share for one in counted),
            requests=len(counted),
            features=table_counts(profile, features, rows),
        )


class Minutes:
    """All minutes in memory. Not safe for threads: `add` and `take` belong to one loop, `write` may run elsewhere."""

    def __init__(self, writer: str, most_bytes: int, metrics: RecorderMetrics) -> None:
        self._writer, self._most_bytes, self._metrics = writer, most_bytes, metrics
        self._minutes: dict[MinuteKey, _Minute] = {}

    @property
    def bytes(self) -> int:
        """What all rows need, about."""
        return sum(minute.bytes for minute in self._minutes.values())

    def add(self, namespace: str, model: str, revision: str, moment: float, recorded: RecordedRows) -> None:
        """One request, answered at `moment` (seconds since 1970)."""
        key = MinuteKey(namespace, model, revision, int(moment) // _SECONDS * _SECONDS, self._writer)
        minute = self._minutes.setdefault(key, _Minute())
        minute.recorded.append(recorded)
        minute.bytes += recorded.bytes
        self._make_room()

    def take(self, moment: float, everything: bool = False) -> dict[MinuteKey, _Minute]:
        """The minutes that are over at `moment`, or all of them; they are no longer here."""
        over = [key for key in self._minutes if everything or key.minute + _SECONDS <= moment]
        return {key: self._minutes.pop(key) for key in over}

    def put_back(self, minutes: Mapping[MinuteKey, _Minute]) -> None:
        """Minutes that could not be written."""
        for key, minute in minutes.items():
            here = self._minutes.setdefault(key, _Minute())
            here.recorded[:0] = minute.recorded
            here.bytes += minute.bytes
        self._make_room()

    def _make_room(self) -> None:
        while self.bytes > self._most_bytes and len(self._minutes) > 1:
            oldest = min(self._minutes, key=lambda key: key.minute)
            self._metrics.dropped("NoRoom", self._minutes.pop(oldest).rows)


def write(store: Store, minutes: Mapping[MinuteKey, _Minute], metrics: RecorderMetrics) -> dict[MinuteKey, _Minute]:
    """Writes minutes, and returns those that the store did not take, or that had no room on this machine's disk.

    An object is only made, never replaced: a minute that is there already was written before an answer got lost, or by
    a process of the same name, and what could be lost by that is counted, as `Taken`. Counts come first, so that rows
    that are there have been counted.
    """
    left = {}
    for key, minute in minutes.items():
        try:
            counts, tables = minute.counts(key.minute), minute.tables()
            if counts is not None:
                store.put_if_absent(
                    key.key(COUNTS), counts.model_dump_json(by_alias=True, exclude_defaults=True).encode()
                )
            if tables:
                made = store.put_if_absent(key.key(ROWS), to_parquet(joined(tables)))
                if made:
                    metrics.written(minute.rows)
                else:
                    metrics.dropped("Taken", minute.rows)
        except (ModelyardError, OSError) as bad:
            left[key] = minute
            _log.warning("not written", extra={"fields": {"minute": key.key(ROWS), "error": str(bad)}})
        except Exception:  # noqa: BLE001 - a defect of ours in one minute keeps nobody from the others
            metrics.dropped("Defect", minute.rows)
            _log.exception("not written", extra={"fields": {"minute": key.key(ROWS)}})
    return left


def joined(tables: list[Mapping[str, Any]]) -> dict[str, Any]:
    """One table of all rows; null where one has no such column."""
    names = dict.fromkeys(name for table in tables for name in table)
    return {name: _joined([_column(table, name) for table in tables]) for name in names}


def _column(table: Mapping[str, Any], name: str) -> Any:
    if name in table:
        return table[name]
    return np.ma.masked_all(len(next(iter(table.values()))), np.dtype(np.float32))  # pyright: ignore[reportArgumentType]


def _joined(pieces: list[Any]) -> Any:
    if any(piece.dtype == object for piece in pieces):
        texts = [None if value is np.ma.masked else str(value) for piece in pieces for value in piece]
        return np.array(texts, object)
    return np.ma.concatenate(pieces) if any(np.ma.isMaskedArray(piece) for piece in pieces) else np.concatenate(pieces)


def _size(array: Any) -> int:
    return array.nbytes + (_TEXT_BYTES * len(array) if array.dtype == object else 0)
