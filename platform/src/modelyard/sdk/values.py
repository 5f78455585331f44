"""From what people have to the arrays a model takes, and from its answer to the same kind.

| given | means | comes back |
|---|---|---|
| numpy array | the input of a model with one | an array; a dict of them when there are several outputs |
| list, nested | the same | a list; a dict of them when there are several outputs |
| dict of arrays, or of lists | values by input name | a dict of arrays, or of lists |
| list of dicts | rows by input name; further names are left out | a list of dicts, one a row |
| pandas DataFrame | a column an input, further columns are left out; else all columns are the rows of the one input | a DataFrame with the same index: an output of one value a row is a column of its name, one of k values `name_0` to `name_<k-1>` |

Texts come back as str where they are UTF-8, else as bytes.
"""  # noqa: E501 - a table

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from modelyard.clients.inference.inputs.fitting import fitted
from modelyard.clients.inference.predictions import Description, TensorSpec
from modelyard.errors import InvalidInput

if TYPE_CHECKING:
    import pandas

Outputs = Mapping[str, np.ndarray]


class Given(NamedTuple):
    """Arrays by input name, and what turns arrays by output name into the kind that was given."""

    arrays: dict[str, np.ndarray]
    written: Callable[[Outputs], Any]


def given(values: Any, model: Description) -> Given:
    """What `values` are for this model; raises InvalidInput for what does not fit it."""
    if _is_frame(values):
        return Given(_from_columns(_frame_columns(values, model), model), lambda outputs: _frame(outputs, values.index))
    if isinstance(values, Mapping):
        plain = not all(isinstance(value, np.ndarray) for value in values.values())
        return Given(_by_name(values, model), _listed if plain else _texts)
    if isinstance(values, np.ndarray):
        return Given(_alone(values, model), lambda outputs: _only(_texts(outputs)))
    if isinstance(values, Sequence) and not isinstance(values, str | bytes):
        if values and all(isinstance(row, Mapping) for row in values):
            return Given(_from_columns(_row_columns(values, model), model), lambda outputs: _rows(outputs, len(values)))
        return Given(_alone(values, model), lambda outputs: _only(_listed(outputs)))
    raise InvalidInput(
        f"{type(values).__name__} is no kind of values: give a numpy array, a list, a dict, a list of dicts or a "
        "pandas DataFrame."
    )


def _is_frame(values: Any) -> bool:
    return type(values).__module__.split(".")[0] == "pandas" and hasattr(values, "columns")


def _alone(values: Any, model: Description) -> dict[str, np.ndarray]:
    if len(model.inputs) != 1:
        raise InvalidInput(f"{model.name} takes {_count(model)}: give a dict with {_names(model)}.")
    return {model.inputs[0].name: fitted(values, model.inputs[0])}


def _by_name(values: Mapping[str, Any], model: Description) -> dict[str, np.ndarray]:
    known = [spec.name for spec in model.inputs]
    strange = sorted(str(name) for name in values if name not in known)
    if strange:
        raise InvalidInput(f"{model.name} does not take {strange[0]!r}: it takes {_names(model)}.")
    return _from_columns(values, model)


def _from_columns(values: Mapping[str, Any], model: Description) -> dict[str, np.ndarray]:
    missing = [spec.name for spec in model.inputs if spec.name not in values]
    if missing:
        there = ", ".join(map(str, values)) or "nothing"
        raise InvalidInput(f"there is no {missing[0]!r}, which {model.name} takes; given is {there}.")
    return {spec.name: fitted(values[spec.name], spec) for spec in model.inputs}


def _row_columns(rows: Sequence[Mapping[str, Any]], model: Description) -> dict[str, Any]:
    columns: dict[str, Any] = {}
    for spec in model.inputs:
        lacking = [number for number, row in enumerate(rows) if spec.name not in row]
        if lacking:
            raise InvalidInput(f"row {lacking[0]} has no {spec.name!r}, which {model.name} takes.")
        columns[spec.name] = [row[spec.name] for row in rows]
    return columns


def _frame_columns(frame: pandas.DataFrame, model: Description) -> dict[str, Any]:
    names = [str(name) for name in frame.columns]
    specs = [spec for spec in model.inputs if spec.name in names]
    if specs or len(model.inputs) != 1:
        twice = [spec.name for spec in specs if names.count(spec.name) > 1]
        if twice:
            raise InvalidInput(f"the DataFrame has two columns {twice[0]!r}: leave one of them.")
        return {spec.name: _column(frame.iloc[:, names.index(spec.name)], spec) for spec in specs}
    [spec] = model.inputs
    columns = [_column(frame.iloc[:, at], spec) for at in range(frame.shape[1])]
    return {spec.name: np.stack(columns, axis=1) if columns else np.empty((len(frame), 0))}


def _column(column: pandas.Series, spec: TensorSpec) -> Any:
    """A column's values; what is missing is NaN for floating-point inputs, and None, which is refused, for others.

    Cells that are lists or arrays are rows of the input.
    """
    if any(isinstance(value, list | tuple | np.ndarray) for value in column):
        return column.tolist()
    if spec.datatype.startswith("FP") and column.dtype.kind in "biuf":
        return column.to_numpy(dtype=np.float64, na_value=np.nan)
    if column.dtype.kind in "biuf" and not column.isna().any():
        return column.to_numpy()
    absent = np.nan if spec.datatype.startswith("FP") else None
    values = np.empty(len(column), dtype=object)
    values[:] = [absent if lost else value for value, lost in zip(column.tolist(), column.isna(), strict=True)]
    return values


def _texts(outputs: Outputs) -> dict[str, np.ndarray]:
    return {name: _text(array) for name, array in outputs.items()}


def _text(array: np.ndarray) -> np.ndarray:
    if array.dtype.kind != "O":
        return array
    decoded = np.empty(array.size, dtype=object)
    decoded[:] = [_decoded(item) for item in array.reshape(-1).tolist()]
    return decoded.reshape(array.shape)


def _decoded(item: Any) -> Any:
    try:
        return item.decode() if isinstance(item, bytes) else item
    except UnicodeDecodeError:
        return item


def _listed(outputs: Outputs) -> dict[str, Any]:
    return {name: _text(array).tolist() for name, array in outputs.items()}


def _only(outputs: Mapping[str, Any]) -> Any:
    return next(iter(outputs.values())) if len(outputs) == 1 else dict(outputs)


def _rows(outputs: Outputs, count: int) -> list[dict[str, Any]]:
    _checked(outputs, count, "a dict of lists")
    listed = _listed(outputs)
    return [{name: values[row] for name, values in listed.items()} for row in range(count)]


def _frame(outputs: Outputs, index: Any) -> pandas.DataFrame:
    import pandas as pd

    _checked(outputs, len(index), "a dict of arrays")
    columns: dict[str, Any] = {}
    for name, array in _texts(outputs).items():
        flat = array.reshape(len(index), -1) if array.ndim < 3 else array
        if array.ndim > 2:
            columns[name] = list(array)
        elif flat.shape[1:] == (1,):
            columns[name] = flat[:, 0]
        else:
            columns |= {f"{name}_{at}": flat[:, at] for at in range(flat.shape[1])}
    return pd.DataFrame(columns, index=index)


def _checked(outputs: Outputs, rows: int, other: str) -> None:
    for name, array in outputs.items():
        if array.shape[:1] != (rows,):
            raise InvalidInput(
                f"{name} has shape {list(array.shape)}, which is not a value for each of {rows} rows: give {other}."
            )


def _names(model: Description) -> str:
    return ", ".join(spec.name for spec in model.inputs)


def _count(model: Description) -> str:
    return f"{len(model.inputs)} inputs" if model.inputs else "no inputs"
