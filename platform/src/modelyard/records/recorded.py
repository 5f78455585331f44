"""The recorded rows of a Model in the store: read them, and take out those of one person or request, and their labels.

To delete is to write each file that has such rows once more without them, or to take it away when nothing is left. What
remains is a tombstone: when, how many rows and labels of how many files, by which kind of question, and never whose.
Labels go first: they are found by the rows.
"""

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

import numpy as np

from modelyard.core.storage.monitoring_keys import ROWS, minute_of, model_prefix
from modelyard.core.storage.object_store import Store
from modelyard.errors import InvalidInput

from .feedback.labels import label_files
from .parquet import from_parquet, to_parquet

TOMBSTONES = "deleted/"
Question = Callable[[Mapping[str, Any]], Any]
"""Which rows of a table are meant, as an array of booleans."""


class Deleted(NamedTuple):
    """What was taken out; `remaining` files had none of it."""

    rows: int
    files: int
    remaining: int
    labels: int = 0


def files_of(store: Store, namespace: str, model: str, first_day: str = "") -> Iterator[str]:
    """Keys of a Model's rows, from a day such as 2026-11-29 on."""
    for stored in store.list(model_prefix(namespace, model)):
        minute = minute_of(stored.key) if stored.key.endswith(ROWS) else None
        if minute is not None and f"{datetime.fromtimestamp(minute.minute, UTC):%Y-%m-%d}" >= first_day:
            yield stored.key


def read_rows(store: Store, keys: list[str]) -> dict[str, Any]:
    """The rows of these files as columns; a file that is gone meanwhile is left out."""
    contents = [store.get(key) for key in keys]
    return from_parquet([content for content in contents if content is not None])


def delete_rows(store: Store, namespace: str, model: str, meant: Question, asked_by: str, moment: datetime) -> Deleted:
    """Takes out the rows that are meant, file by file; `asked_by` is the kind of question, for the tombstone.

    Raises InvalidInput, before anything is changed, when no file has what the question asks for, and what the store
    raises.
    """
    keys = list(files_of(store, namespace, model))
    found = {key: _table(store, key) for key in keys}
    hits = {key: hit for key, table in found.items() if (hit := _hit(table, meant)).any()}
    of_rows = of_labels(meant, [(found[key], hit) for key, hit in hits.items()])
    labels = {key: count for key in label_files(store, namespace, model) if (count := _take_out(store, key, of_rows))}
    rows = {key: count for key in hits if (count := _take_out(store, key, meant))}
    deleted = Deleted(sum(rows.values()), len(rows) + len(labels), len(keys) - len(rows), sum(labels.values()))
    if deleted.rows or deleted.labels:
        stone = {"time": moment.isoformat(), "by": asked_by, "rows": deleted.rows, "files": deleted.files}
        stone |= {"labels": deleted.labels} if deleted.labels else {}
        key = f"{model_prefix(namespace, model)}{TOMBSTONES}{moment:%Y%m%dT%H%M%S%f}.json"
        store.put(key, json.dumps(stone).encode())
    return deleted


def of_labels(meant: Question, rows: Sequence[tuple[Mapping[str, Any], Any]]) -> Question:
    """The labels that are meant: asked for themselves, or of rows that are, which `rows` has as (table, which)."""
    wanted = {
        (str(request), int(row))
        for table, hit in rows
        for request, row in zip(table["request_id"][hit], _rows_of(table)[hit], strict=True)
    }

    def of_rows(table: Mapping[str, Any]) -> Any:
        pairs = zip(table["request_id"], table["row"], strict=True)
        return _hit(table, meant) | np.array([(str(request), int(row)) in wanted for request, row in pairs], bool)

    return of_rows


def _take_out(store: Store, key: str, meant: Question) -> int:
    """How many rows were taken out of a file, as it is by then: another deletion may write it at the same time, and
    what that took out must not come back."""
    while (content := store.get(key)) is not None:
        table = from_parquet([content])
        hit = _hit(table, meant)
        if not hit.any():
            return 0
        if hit.all():
            store.delete(key)
            return len(hit)
        if store.replace(key, content, to_parquet({name: values[~hit] for name, values in table.items()})):
            return int(hit.sum())
    return 0


def of_request(request_id: str) -> Question:
    """The rows of one request."""
    return lambda table: _equal(table["request_id"], request_id)


def of_value(column: str, value: str, hashes: Collection[str]) -> Question:
    """The rows that have a value in a column, as it is or as one of its hashes."""
    written = (value, *hashes)

    def meant(table: Mapping[str, Any]) -> Any:
        named = [name for name in (column, f"input.{column}", f"output.{column}") if name in table]
        if not named:
            return np.zeros(len(table["request_id"]), bool)
        return np.any([_equal(table[name], text) for name in named for text in written], axis=0)

    return meant


def columns_of_rows(store: Store, keys: list[str]) -> list[str]:
    """Names of the columns that any of the files has, without `input.` and `output.`."""
    names = dict.fromkeys(name for key in keys for name in _table(store, key))
    return [name.removeprefix("input.").removeprefix("output.") for name in names]


def _table(store: Store, key: str) -> dict[str, Any]:
    content = store.get(key)
    return {} if content is None else from_parquet([content])


def _rows_of(table: Mapping[str, Any]) -> Any:
    return table["row"] if "row" in table else np.zeros(len(table["request_id"]), int)


def _hit(table: Mapping[str, Any], meant: Question) -> Any:
    return np.asarray(meant(table), bool) if table else np.zeros(0, bool)


def _equal(values: Any, wanted: str) -> Any:
    """Which values are written so: of numbers those that are the number, of texts those that are the text."""
    if np.ma.getdata(values).dtype.kind in "fiub":
        try:
            number = float(wanted)
        except ValueError:
            return np.zeros(len(values), bool)
        return np.ma.filled(values == values.dtype.type(number), False)
    return np.array([value is not np.ma.masked and str(value) == wanted for value in values], bool)


def refuse_unknown_column(store: Store, keys: list[str], column: str) -> None:
    """Raises InvalidInput when no file has the column."""
    known = columns_of_rows(store, keys)
    if column not in known:
        shown = ", ".join(sorted(set(known) - {"row", "time", "share"})[:20]) or "none"
        raise InvalidInput(f"no recorded row has a column {column}: the columns are {shown}.")
