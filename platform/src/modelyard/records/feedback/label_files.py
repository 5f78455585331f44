"""Labels from a person's file: .csv and .parquet with a row a label, .jsonl with what one would POST in each line.

| column | |
|---|---|
| `request_id` | as the answer had it |
| `row` | which row of the request; 0 when there is none |
| `time` | when the label was known; now when there is none |
| `label` | what was right |
| any other | the same, of the output of that name |

Cells without a value are no labels, and are counted. A column is of numbers when all its cells are written as numbers.
"""

import csv
import io
import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from pydantic import ValidationError

from modelyard.api.monitoring.labels import AnswerLabel, given_labels
from modelyard.errors import InvalidInput
from modelyard.records.parquet import from_parquet

MOST_FILE_LABELS = 1_000_000
_LARGEST = 1 << 28
_EMPTY = ("", "na", "n/a", "nan", "null", "none")
_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)([.][0-9]+)?([eE][-+]?[0-9]+)?")
_ID = ("request_id", "requestId")
_PLACED = ("row", "time")
Row = tuple[int, dict[str, Any]]
"""The line or row of a file, from 1, and what it says by column; what has no value is left out."""


class LabelFile(NamedTuple):
    """The labels of a file, and how many rows had none."""

    labels: list[AnswerLabel]
    missing: int


def read_label_file(path: Path, model: str, told: float) -> LabelFile:
    """The labels of a file that somebody hands in for `model` at `told`, in seconds since 1970.

    Raises InvalidInput, with the first row that is wrong, when the file cannot be used; nothing of it counts then.
    """
    readers: dict[str, Callable[[Path], Iterator[Row]]] = {".csv": _csv, ".parquet": _parquet, ".jsonl": _jsonl}
    if path.suffix not in readers:
        raise InvalidInput(f"{path} is no file of labels: give a file that ends with {', '.join(readers)}.")
    if not path.is_file():
        raise InvalidInput(f"there is no file {path}: check the path.")
    if path.stat().st_size > _LARGEST:
        raise InvalidInput(f"{path.name} has more than 256 MiB: hand it in in several.")
    labels: list[AnswerLabel] = []
    missing = 0
    for number, row in readers[path.suffix](path):
        if not row.keys() - set(_ID) - set(_PLACED):
            missing += 1
            continue
        try:
            labels += given_labels(row, model, told)
        except ValidationError as bad:
            first = bad.errors()[0]
            field, said = ".".join(map(str, first["loc"][1:])), first["msg"].removeprefix("Value error, ")
            raise InvalidInput(f"{path.name}, row {number}: {field + ': ' if field else ''}{said}.") from bad
        except ValueError as bad:
            raise InvalidInput(f"{path.name}, row {number}: {str(bad).removeprefix('item 0 ')}.") from bad
        if len(labels) > MOST_FILE_LABELS:
            raise InvalidInput(f"{path.name} has more than {MOST_FILE_LABELS:,} labels: hand it in in several.")
    if not labels:
        raise InvalidInput(f"{path.name} has no label: every row of it is without one.")
    return LabelFile(labels, missing)


def _jsonl(path: Path) -> Iterator[Row]:
    for number, line in enumerate(_text(path).split("\n"), start=1):
        if not line.strip():
            continue
        try:
            told = json.loads(line)
        except (ValueError, RecursionError) as bad:
            raise InvalidInput(f"{path.name}, row {number} is no JSON: write one object a line.") from bad
        if not isinstance(told, dict):
            raise InvalidInput(f"{path.name}, row {number} is no object: write one object a line.")
        yield number, told


def _csv(path: Path) -> Iterator[Row]:
    try:
        rows = list(csv.reader(io.StringIO(_text(path), newline=""), strict=True))
    except csv.Error as bad:
        raise InvalidInput(f"{path.name} cannot be read ({bad}): write it with commas between cells.") from bad
    rows = [row for row in rows if any(cell.strip() for cell in row)]
    header = [cell.strip() for cell in rows[0]] if rows else []
    for number, row in enumerate(rows[1:], start=1):
        if len(row) != len(header):
            raise InvalidInput(f"{path.name}, row {number}: {len(row)} cells where the first line has {len(header)}.")
    columns = {name: [row[at].strip() for row in rows[1:]] for at, name in enumerate(header)}
    if len(columns) < len(header):
        raise InvalidInput(f"{path.name} has two columns of one name: give each a name of its own.")
    return _table(path, {name: _cells(name, cells) for name, cells in columns.items()})


def _cells(name: str, cells: list[str]) -> list[Any]:
    """Cells as numbers where all are written so, and None where one is empty; ids stay as they are."""
    if name in _ID:
        return [cell or None for cell in cells]
    there = [cell for cell in cells if cell.lower() not in _EMPTY]
    numbers = all(_NUMBER.fullmatch(cell) for cell in there)
    return [None if cell.lower() in _EMPTY else float(cell) if numbers else cell for cell in cells]


def _parquet(path: Path) -> Iterator[Row]:
    columns = from_parquet([path.read_bytes()])
    return _table(path, {name: [_value(one) for one in values] for name, values in columns.items()})


def _value(value: Any) -> Any:
    """A value of a Parquet file as Python has it; None where there is none."""
    if value is np.ma.masked or value is None:
        return None
    if isinstance(value, np.datetime64):
        return None if np.isnat(value) else float(value.astype("datetime64[us]").astype(np.int64)) / 1e6
    value = value.item() if isinstance(value, np.generic) else value
    return None if value != value else value


def _table(path: Path, columns: Mapping[str, list[Any]]) -> Iterator[Row]:
    """What each row says, as it would be sent."""
    ids = [name for name in _ID if name in columns]
    outputs = [name for name in columns if name not in (*_ID, *_PLACED)]
    if not ids or not outputs:
        there = ", ".join(list(columns)[:8]) or "none"
        raise InvalidInput(f"{path.name} needs the columns request_id and label; it has {there}.")
    if "label" in outputs and len(outputs) > 1:
        more = ", ".join(name for name in outputs if name != "label")
        raise InvalidInput(f"{path.name} has label and {more}: write either label, or a column for each output.")
    for at in range(len(columns[ids[0]])):
        said = {name: columns[name][at] for name in (ids[0], *_PLACED) if name in columns}
        found = {name: columns[name][at] for name in outputs if columns[name][at] is not None}
        if isinstance(row := said.get("row"), float) and row.is_integer():
            said["row"] = int(row)
        told = {"label": found["label"]} if "label" in found else {"labels": found} if found else {}
        yield at + 1, {name: value for name, value in said.items() if value is not None} | told


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as bad:
        raise InvalidInput(f"{path.name} is no UTF-8 text: write it as UTF-8.") from bad
