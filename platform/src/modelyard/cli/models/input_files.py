"""From a file of a person's to the arrays a model takes.

    .json   a request of the Open Inference Protocol v2, or {"input name": values}, or bare values for a
            model with one input
    .npz    arrays named `input:<name>` (as in an entry's eval.npz) or `<name>`; one lone array fits a model
            with one input
    .csv    rows of numbers for a model with one input; with a header line that names every input, one
            column an input

Values are cast to the model's datatype and, where nothing is lost, brought into its shape: a missing batch
dimension is added, flat rows are folded. Everything else is InvalidInput with the shape that was expected.
"""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelyard.clients.inference.predictions import Description, TensorSpec
from modelyard.errors import InvalidInput

if TYPE_CHECKING:
    import numpy as np

_DTYPES = {
    "BOOL": "bool", "UINT8": "uint8", "UINT16": "uint16", "UINT32": "uint32", "UINT64": "uint64", "INT8": "int8",
    "INT16": "int16", "INT32": "int32", "INT64": "int64", "FP16": "float16", "FP32": "float32", "FP64": "float64",
    "BYTES": "object",
}  # fmt: skip
_ALONE = ""


def read(path: Path, model: Description, first: int | None = None) -> dict[str, np.ndarray]:
    """Arrays by input name with the model's datatypes and shapes; only the `first` rows when that is given.

    Raises InvalidInput when the file is not there, is no file of these kinds, or does not fit the model.
    """
    readers = {".json": _from_json, ".npz": _from_npz, ".csv": _from_csv}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise InvalidInput(f"{path.name} is neither .json nor .npz nor .csv: convert it to one of them.")
    if not path.is_file():
        raise InvalidInput(f"there is no file {path}: check the path given with --input.")
    values = _named(reader(path, model), model, path)
    arrays = {spec.name: fitted(values[spec.name], spec) for spec in model.inputs}
    if first is None:
        return arrays
    return {spec.name: arrays[spec.name][:first] if spec.shape[:1] == (-1,) else arrays[spec.name]
            for spec in model.inputs}  # fmt: skip


def _named(values: dict[str, Any], model: Description, path: Path) -> dict[str, Any]:
    names = [spec.name for spec in model.inputs]
    if set(values) == {_ALONE} or (len(values) == 1 and len(names) == 1 and set(values) != set(names)):
        if len(names) != 1:
            raise InvalidInput(
                f"{model.name} takes {len(names)} inputs: name them ({', '.join(names)}) in {path.name}."
            )
        return {names[0]: next(iter(values.values()))}
    missing = [name for name in names if name not in values]
    if missing:
        there = ", ".join(sorted(values)) or "nothing"
        raise InvalidInput(f"{path.name} has no values for input {missing[0]!r} of {model.name}; it holds {there}.")
    return values


def _from_json(path: Path, model: Description) -> dict[str, Any]:
    try:
        document = json.loads(path.read_text())
    except (ValueError, OSError) as bad:
        raise InvalidInput(f"{path.name} is not JSON: {bad}.") from bad
    if not isinstance(document, dict):
        return {_ALONE: document}
    if not isinstance(document.get("inputs"), list):
        return document
    try:
        return {tensor["name"]: _array(tensor) for tensor in document["inputs"]}
    except (KeyError, TypeError, ValueError) as bad:
        raise InvalidInput(f"{path.name}: every item of inputs needs name, data and a shape that fits: {bad}.") from bad


def _array(tensor: dict[str, Any]) -> Any:
    import numpy as np

    data = tensor["data"]
    return np.array(data, dtype=object).reshape(tensor["shape"]) if "shape" in tensor else data


def _from_npz(path: Path, model: Description) -> dict[str, Any]:
    import numpy as np

    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except (OSError, ValueError) as bad:
        raise InvalidInput(f"{path.name} cannot be read as .npz without pickles: {bad}.") from bad
    inputs = {name.removeprefix("input:"): array for name, array in arrays.items() if name.startswith("input:")}
    return inputs or arrays


def _from_csv(path: Path, model: Description) -> dict[str, Any]:
    with path.open(newline="") as lines:
        rows = [row for row in csv.reader(lines) if row]
    if not rows:
        raise InvalidInput(f"{path.name} is empty: write one row of values a line.")
    header = [cell.strip() for cell in rows[0]]
    if set(header) == {spec.name for spec in model.inputs} and len(rows) > 1:
        return {name: [row[column] for row in rows[1:]] for column, name in enumerate(header)}
    numbers = rows if _numeric(rows[0]) else rows[1:]
    if len({len(row) for row in numbers}) != 1:
        raise InvalidInput(f"{path.name}: every row must have the same number of values.")
    return {_ALONE: numbers}


def _numeric(row: list[str]) -> bool:
    try:
        [float(cell) for cell in row]
    except ValueError:
        return False
    return True


def fitted(values: Any, spec: TensorSpec) -> np.ndarray:
    """`values` with the datatype and shape of `spec`; raises InvalidInput when they do not fit."""
    import numpy as np

    if spec.datatype not in _DTYPES:
        raise InvalidInput(
            f"input {spec.name} is {spec.datatype}, which this command cannot write: use a client library."
        )
    try:
        array = _cast(np.asarray(values), spec)
    except (TypeError, ValueError, OverflowError) as bad:
        raise InvalidInput(f"input {spec.name!r} takes {spec.datatype} values: {bad}.") from bad
    return np.ascontiguousarray(_shaped(array, spec))


def _cast(array: np.ndarray, spec: TensorSpec) -> np.ndarray:
    import numpy as np

    if spec.datatype == "BYTES":
        texts = [item if isinstance(item, bytes) else str(item).encode() for item in array.reshape(-1).tolist()]
        return np.array(texts, dtype=object).reshape(array.shape)
    dtype = np.dtype(_DTYPES[spec.datatype])
    if dtype.kind in "iu" and array.dtype.kind in "fUSO":
        numbers = array.astype("float64")
        if not np.array_equal(numbers, np.trunc(numbers)):
            raise ValueError("there are fractions among them")
        array = numbers
    if dtype.kind in "iu" and array.size:
        limits = np.iinfo(dtype)
        if array.min() < limits.min or array.max() > limits.max:
            raise ValueError(f"they must lie between {limits.min} and {limits.max}")
    return array.astype(dtype)


def _shaped(array: np.ndarray, spec: TensorSpec) -> np.ndarray:
    if _fits(array.shape, spec.shape):
        return array
    if _fits((1, *array.shape), spec.shape):
        return array[None]
    fixed = spec.shape[1:]
    row = math.prod(fixed)
    if spec.shape[:1] == (-1,) and -1 not in fixed and array.size and array.size % row == 0:
        rows = array.size // row
        if array.ndim == 0 or array.shape[0] == rows or array.size == row:
            return array.reshape((rows, *fixed))
    expected = " x ".join("any" if size == -1 else str(size) for size in spec.shape)
    actual = " x ".join(map(str, array.shape)) or "one value"
    raise InvalidInput(f"input {spec.name!r} takes an array of {expected}; the file gives {actual}.")


def _fits(actual: tuple[int, ...], expected: tuple[int, ...]) -> bool:
    """Whether a shape is the expected one, in which -1 stands for any size."""
    return len(actual) == len(expected) and all(e in (-1, a) for a, e in zip(actual, expected, strict=True))
