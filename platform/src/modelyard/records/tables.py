"""Tables from files: .csv, .parquet and .npz, as columns with names.

A CSV file has its names in the first line; a column is of numbers when all its cells are numbers or empty. An .npz file
has an array a column, or a matrix, whose columns are `name[0]`, `name[1]`, ...; `input:NAME` and `output:NAME` are
called NAME.
"""

import csv
import zipfile
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import numpy as np

from modelyard.errors import InvalidInput

from .values import ColumnValues, column

SUFFIXES = (".csv", ".parquet", ".npz")
_LARGEST = 1 << 30
_EMPTY = ("", "na", "n/a", "nan", "null", "none")
_MISSING = [""]
"""A row of one column without a value, written `""`; a line with nothing on it is no row."""


def read_table(path: Path, texts: Collection[str] = ()) -> dict[str, ColumnValues]:
    """The columns of a file by name, all of one length; those called in `texts` as they are written, 0150 and not 150.

    Raises InvalidInput when it is not there, of no kind that is read, damaged, above 1 GiB or without rows.
    """
    readers: dict[str, Callable[[Path], dict[str, ColumnValues]]] = dict(
        zip(SUFFIXES, (lambda file: _csv(file, texts), _parquet, _npz), strict=True)
    )
    if path.suffix not in readers:
        raise InvalidInput(f"{path} is no table that is read here: give a file that ends with {', '.join(SUFFIXES)}.")
    if not path.is_file():
        raise InvalidInput(f"there is no file {path}: check the path.")
    if path.stat().st_size > _LARGEST:
        raise InvalidInput(f"{path.name} has more than 1 GiB: draw some ten thousand rows of it.")
    columns = readers[path.suffix](path)
    lengths = {one.rows for one in columns.values()}
    if len(lengths) > 1:
        told = ", ".join(f"{name} {one.rows}" for name, one in list(columns.items())[:5])
        raise InvalidInput(f"the columns of {path.name} have different numbers of rows ({told}): mend the file.")
    if not columns or lengths == {0}:
        raise InvalidInput(f"{path.name} has no rows: write at least one.")
    return columns


def _csv(path: Path, texts: Collection[str]) -> dict[str, ColumnValues]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as stream:
            rows = [row for row in csv.reader(stream, strict=True) if any(map(str.strip, row)) or row == _MISSING]
    except (csv.Error, UnicodeDecodeError) as bad:
        raise InvalidInput(f"{path.name} cannot be read ({bad}): write it as UTF-8, commas between cells.") from bad
    if not rows:
        raise InvalidInput(f"{path.name} is empty: write the columns' names, then one row a line.")
    header = [cell.strip() for cell in rows[0]]
    other = next((sign for sign in ";\t|" if len(header) == 1 and sign in header[0]), None)
    if other is not None:
        raise InvalidInput(f"{path.name} has {other!r} between its cells: write commas there.")
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice:
        raise InvalidInput(f"{path.name} has two columns {twice[0]!r}: give each a name of its own.")
    for line, row in enumerate(rows[1:], start=2):
        if len(row) != len(header):
            raise InvalidInput(f"{path.name}, row {line}: {len(row)} cells where the first line has {len(header)}.")
    return {name: _typed(name, [row[at] for row in rows[1:]], name in texts) for at, name in enumerate(header)}


def _typed(name: str, cells: list[str], as_written: bool) -> ColumnValues:
    """Numbers when every cell is one or is empty, and one at least is; else, and `as_written`, text."""
    if as_written:
        return _texts(name, cells)
    numbers: list[float | None] = []
    for cell in cells:
        try:
            numbers.append(None if cell.strip().lower() in _EMPTY else float(cell))
        except ValueError:
            return _texts(name, cells)
    return column(name, numbers) if any(number is not None for number in numbers) else column(name, [None] * len(cells))


def _texts(name: str, cells: list[str]) -> ColumnValues:
    return column(name, np.array([cell.strip() or None for cell in cells], object))


def _parquet(path: Path) -> dict[str, ColumnValues]:
    try:
        from .parquet import from_parquet
    except ModuleNotFoundError as bad:
        raise InvalidInput("Parquet files need DuckDB: pip install 'modelyard[recorder]', or give a .csv.") from bad
    try:
        found = from_parquet([path.read_bytes()])
    except InvalidInput as bad:
        raise InvalidInput(f"{path.name}: {bad}") from bad
    return {name: column(name, _told(array)) for name, array in found.items()}


def _told(array: Any) -> Any:
    """Times as their text: moments are no numbers to be watched, but may tell the minute of a row."""
    return array.astype(str).astype(object) if array.dtype.kind in "mM" else array


def _npz(path: Path) -> dict[str, ColumnValues]:
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(item.file_size for item in archive.infolist())
        if size > _LARGEST:
            raise InvalidInput(f"{path.name} holds {size >> 20} MiB: draw some ten thousand rows of it.")
        with np.load(path, allow_pickle=False) as loaded:
            arrays = {name.partition(":")[2] or name: loaded[name] for name in loaded.files}
    except (OSError, ValueError, zipfile.BadZipFile, EOFError) as bad:
        raise InvalidInput(f"{path.name} cannot be read: {bad}; write it with numpy.savez, without objects.") from bad
    columns: dict[str, ColumnValues] = {}
    for name, array in arrays.items():
        if array.ndim == 1:
            columns[name] = column(name, array)
        elif array.ndim == 2:
            columns |= {f"{name}[{at}]": column(f"{name}[{at}]", array[:, at]) for at in range(array.shape[1])}
        else:
            raise InvalidInput(f"{path.name}: {name} has shape {list(array.shape)}; a table has rows and columns.")
    return columns
