"""Rows from a CSV file: one input of all columns, or one column an input when the first line names every input.

For one input the first line is a header when none of its cells could be a value and no cell is a number written
otherwise; for text every line is a value, so a header has to be the input's name. An empty cell is a missing number:
NaN for floating-point inputs, refused for others; in a table of one column it has to be `""`, as a line with nothing on
it is no row. A line `sep=;` that spreadsheets put first says what separates cells.
"""

import csv
import io
import re
from pathlib import Path
from typing import Any, NamedTuple

from modelyard.clients.inference.inputs.datatypes import parsed
from modelyard.clients.inference.inputs.shapes import row_size
from modelyard.clients.inference.predictions import Description, TensorSpec
from modelyard.errors import InvalidInput

from .text_files import read_text

_DELIMITERS = ",;\t|"
_LONGEST_CELL = 1 << 28
_SEPARATOR_LINE = re.compile(r"\s*\"?sep=(.)\"?[ \t]*(\r\n|\r|\n)", re.IGNORECASE)
_NO_NAMES = frozenset({
    "na", "n/a", "n.a.", "#n/a", "<na>", "nan", "-nan", "nat", "null", "\\n", "none", "nil", "missing", "-", "--", ".",
    "?", "", "#div/0!", "#value!", "#num!", "#ref!", "#name?", "true", "false", "yes", "no",
})  # fmt: skip
"""Words that stand in a table for values, and so make no line a header."""


class _Row(NamedTuple):
    line: int
    cells: list[str]


def read_csv(path: Path, model: Description) -> dict[str, Any]:
    """Values by input name; raises InvalidInput with the line of a cell or a row that does not fit."""
    rows = _rows(path, model)
    if not rows:
        raise InvalidInput(f"{path.name} is empty: write one row of values a line.")
    header = [cell.strip() for cell in rows[0].cells]
    named = _by_column(path, header, model)
    if not named and len(model.inputs) != 1:
        names = ", ".join(spec.name for spec in model.inputs)
        there = ", ".join(header[:8])
        raise InvalidInput(
            f"{model.name} takes {len(model.inputs)} inputs: name them ({names}) in the first line of {path.name}, "
            f"one column each; it begins with {there!r}."
        )
    only = model.inputs[0]
    body = rows[1:] if named or _is_header(header, only.datatype) else rows
    if not body:
        raise InvalidInput(f"{path.name} has a header and no rows below it: write one row of values a line.")
    width = len(header)
    for row in body:
        if len(row.cells) != width:
            raise InvalidInput(
                f"{path.name}, line {row.line}: {len(row.cells)} values where line {rows[0].line} has {width}: every "
                f"row must have the same number of values{_text_hint(model)}."
            )
    if not named:
        columns = range(width)
        return {only.name: [[_value(path, row, column, only) for column in columns] for row in body]}
    return {spec.name: _column(path, body, column, spec) for spec, column in named}


def _column(path: Path, body: list[_Row], column: int, spec: TensorSpec) -> list[Any]:
    """One value a row; as rows of one where the model takes rows of some."""
    values = [_value(path, row, column, spec) for row in body]
    return [[value] for value in values] if len(spec.shape) > 1 else values


def _rows(path: Path, model: Description) -> list[_Row]:
    """Lines with anything in them, with their numbers."""
    csv.field_size_limit(_LONGEST_CELL)
    text = read_text(path)
    said = _SEPARATOR_LINE.match(text)
    if said:
        text = said[2] + text[said.end() :]
    delimiter = said[1] if said else _delimiter(text, model)
    lines = list(io.StringIO(text, newline=""))
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    rows: list[_Row] = []
    try:
        for cells in reader:
            if len(cells) > 1 or lines[reader.line_num - 1].strip():
                rows.append(_Row(reader.line_num, cells))
    except csv.Error as bad:
        raise InvalidInput(f"{path.name}, line {reader.line_num}: {bad}; check the quotes there.") from bad
    return rows


def _delimiter(text: str, model: Description) -> str:
    """What separates the cells of the first line; a comma where words alone are taken, which may hold anything."""
    if all(spec.datatype == "BYTES" for spec in model.inputs) and len(model.inputs) == 1:
        return ","
    first = re.sub(r'"[^"]*"', "", next((line for line in text.splitlines() if line.strip()), ""))
    counts = {sign: first.count(sign) for sign in _DELIMITERS}
    return next((sign for sign in "\t;" if counts[sign]), "|" if counts["|"] and not counts[","] else ",")


def _by_column(path: Path, header: list[str], model: Description) -> list[tuple[TensorSpec, int]]:
    """The column of every input; empty when the first line does not name them all."""
    names = [spec.name for spec in model.inputs]
    if not set(names) <= set(header):
        return []
    if len(names) == 1 and len(header) > 1 and row_size(model.inputs[0]) != 1:
        return []
    for name in names:
        if header.count(name) > 1:
            raise InvalidInput(f"{path.name} has several columns {name!r}: keep one of them.")
    return [(spec, header.index(spec.name)) for spec in model.inputs]


def _is_header(header: list[str], datatype: str) -> bool:
    if datatype == "BYTES" or all(cell.lower() in _NO_NAMES for cell in header):
        return False
    return not any(cell and (_is_value(cell, datatype) or _number_like(cell)) for cell in header)


def _number_like(cell: str) -> bool:
    """Whether it is a number or a date in another notation, and so no name of a column."""
    if any(sign.isdigit() for sign in cell) and not any(sign.isalpha() for sign in cell):
        return True
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _is_value(cell: str, datatype: str) -> bool:
    try:
        parsed(cell, datatype)
    except ValueError:
        return False
    return True


def _value(path: Path, row: _Row, column: int, spec: TensorSpec) -> Any:
    cell = row.cells[column]
    try:
        return parsed(cell, spec.datatype)
    except ValueError as bad:
        where = f"{path.name}, line {row.line}, column {column + 1}"
        raise InvalidInput(f"{where}: input {spec.name!r} takes {spec.datatype} values: {bad}.") from bad


def _text_hint(model: Description) -> str:
    return " (text with commas belongs in quotes)" if any(spec.datatype == "BYTES" for spec in model.inputs) else ""
