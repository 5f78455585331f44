"""Tensors as columns of a table, a row for each row that a model was asked.

| tensor of n rows | columns |
|---|---|
| one value a row | its name |
| 2 to 64 values a row | `name[0]`, `name[1]`, ... in the order of memory |
| more values a row, of numbers | `name.norm` (Euclidean), `name.brightness` (mean), `name.length` (values a row) |
| more values a row, of text | `name.length` |
| as many values as the request likes | the same as of more |

The last two are for embeddings, images and sequences, where no single value means anything by itself.

n is dimension 0 when it is the same in every input; else all of a request is one row. An output has the inputs' rows
when its dimension 0 is n, and one row otherwise only when n is 1: what belongs to no row is left out.
"""

from collections.abc import Container, Mapping
from math import prod
from typing import Any

import numpy as np

MOST_COLUMNS = 64
"""Of one tensor; one that is wider is summed up."""


def rows_of(inputs: Mapping[str, Any]) -> int:
    """How many rows a request asks for: 0 when there is no input or an empty one."""
    sizes = {array.shape[0] if array.ndim else 1 for array in inputs.values()}
    return sizes.pop() if len(sizes) == 1 else int(bool(sizes))


def columns_of(tensors: Mapping[str, Any], rows: int, dynamic: Container[str] = ()) -> dict[str, Any]:
    """One-dimensional arrays of `rows` values, by column name; tensors that have other rows are left out.

    Tensors named in `dynamic` have rows of no fixed width, and are summed up whatever their width is here.
    """
    columns: dict[str, Any] = {}
    for name, array in tensors.items():
        if rows and array.ndim and array.shape[0] == rows:
            columns |= _columns(name, array.reshape(rows, -1), name in dynamic)
        elif rows == 1:
            columns |= _columns(name, array.reshape(1, -1), name in dynamic)
    return columns


def names_of(name: str, datatype: str, shape: tuple[int, ...]) -> tuple[str, ...]:
    """The columns of a tensor with rows of `shape`, dimension 0 left out; a dynamic one (-1) is summed up."""
    width = -1 if any(size < 0 for size in shape) else prod(shape)
    if width == 1:
        return (name,)
    if 0 <= width <= MOST_COLUMNS:
        return tuple(f"{name}[{at}]" for at in range(width))
    return tuple(
        f"{name}.{what}" for what in (("length",) if datatype == "BYTES" else ("norm", "brightness", "length"))
    )


def belongs(column: str, names: Container[str]) -> bool:
    """Whether a column is one of `names`, or of a tensor that is."""
    return column in names or column.partition("[")[0] in names or column.rpartition(".")[0] in names


def _columns(name: str, table: Any, summed: bool) -> dict[str, Any]:
    rows, width = table.shape
    if width == 1 and not summed:
        return {name: table[:, 0]}
    if width <= MOST_COLUMNS and not summed:
        return {f"{name}[{at}]": table[:, at] for at in range(width)}
    length = np.full(rows, width, np.int64)
    if table.dtype == object:
        return {f"{name}.length": length}
    numbers = table.astype(np.float64)
    return {
        f"{name}.norm": np.linalg.norm(numbers, axis=1),
        f"{name}.brightness": numbers.mean(axis=1) if width else np.full(rows, np.nan),
        f"{name}.length": length,
    }
