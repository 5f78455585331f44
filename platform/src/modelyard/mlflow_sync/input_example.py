"""The rows that were logged as a model's `input_example`, in a file that a conversion is proved on.

| type in MLmodel | in its file | becomes |
|---|---|---|
| dataframe | {"columns": [...], "data": [[...], ...]} | a .csv |
| ndarray | [[...], ...], or such an array for each input | an .npz: `input`, or by name |

Others (objects, sparse matrices) are no rows that a model of tensors could be asked.
"""

import csv
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from modelyard.builder.evaluation.evaluation_set import write_arrays

LARGEST = 64 << 20
"""Bytes of the file that are read; MLflow's examples are meant to be small."""


def example_rows(info: Mapping[str, Any], content: bytes, folder: Path) -> Path | None:
    """The file with the rows of an example, in `folder`; None where it holds none.

    `info` is what MLmodel says of it (`saved_input_example_info`), `content` that of its file.
    """
    try:
        example = json.loads(content)
    except (ValueError, RecursionError):
        return None
    if info.get("type") == "dataframe":
        return _table(example, folder / "input_example.csv")
    return _arrays(example, folder / "input_example.npz") if info.get("type") == "ndarray" else None


def _table(example: Any, path: Path) -> Path | None:
    columns, rows = (example.get("columns"), example.get("data")) if isinstance(example, dict) else (None, None)
    if not (isinstance(columns, list) and isinstance(rows, list) and rows):
        return None
    if not all(isinstance(row, list) and len(row) == len(columns) for row in rows):
        return None
    cells = [[_cell(value) for value in row] for row in rows]
    if any(cell is None for row in cells for cell in row):
        return None
    with path.open("w", newline="") as stream:
        csv.writer(stream).writerows([columns, *cells])
    return path


def _cell(value: Any) -> str | None:
    """A value as a cell, empty where it is missing; None for what is no value."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, bool):
        return str(int(value))
    return repr(value) if isinstance(value, int | float) else value if isinstance(value, str) else None


def _arrays(example: Any, path: Path) -> Path | None:
    import numpy as np

    named = example if isinstance(example, dict) else {"input": example}
    try:
        arrays: dict[str, Any] = {str(name): np.asarray(values) for name, values in named.items()}
    except ValueError:
        return None
    if not arrays or any(array.dtype.kind not in "iufbU" or not array.ndim for array in arrays.values()):
        return None
    write_arrays(arrays, path)
    return path
