"""The rows that a conversion is proved on: of the file that `--sample` names, of an eval.npz, or in the model's ranges.

| file | read as |
|---|---|
| .npz with an array for each input | those arrays, as in an eval.npz |
| .csv, .parquet or .npz with the model's columns | columns by name; others, such as the target, are left out |
| the same, of exactly as many columns | in order, where the model knows no names or the file has others |

A sample is not kept. A missing text is an empty cell, a missing number too.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from modelyard.builder.evaluation.evaluation_set import EVALUATION, read_arrays
from modelyard.errors import InvalidInput
from modelyard.records.tables import read_table
from modelyard.records.values import ColumnValues, as_kind

from .columns import Column, Layout
from .made_up_rows import made_up
from .rows import EstimatorRows


def rows_of(
    layout: Layout, estimator: Any, evaluation: Path | None, sample: Path | None = None, file: str = "it"
) -> EstimatorRows:
    """The rows of `sample`, else those of an eval.npz that has them under the names of the inputs, else made-up ones.

    Raises InvalidInput when the sample does not fit the model in `file`, or when there is neither and the model holds
    no ranges to make rows up in.
    """
    own = own_rows(layout, evaluation, sample)
    if own is not None:
        return own
    values = made_up(layout, estimator)
    if values is None:
        raise InvalidInput(_without_rows(layout, estimator, evaluation, file))
    return EstimatorRows(layout, values)


def own_rows(layout: Layout, evaluation: Path | None, sample: Path | None) -> EstimatorRows | None:
    """The author's rows, None where there are none that fit; raises InvalidInput as `rows_of` does."""
    if sample is not None:
        return _of_sample(layout, sample)
    return _of_arrays(layout, read_arrays(evaluation), f"its {EVALUATION}") if evaluation is not None else None


def _of_sample(layout: Layout, path: Path) -> EstimatorRows:
    if path.suffix == ".npz" and path.is_file():
        rows = _of_arrays(layout, read_arrays(path), path.name)
        if rows is not None:
            return rows
    wanted = [column for column in layout.columns if not column.dropped]
    table = read_table(path, {column.name for column in wanted if column.kind == "text"})
    values = [
        _values(given, column, path.name)
        for given, column in zip(_taken(table, wanted, path.name), wanted, strict=True)
    ]
    return _whole(layout, values, path.name)


def _taken(table: Mapping[str, ColumnValues], wanted: list[Column], file: str) -> Iterable[ColumnValues]:
    """The columns of a table that are those of the model, in the model's order."""
    missing = [column.name for column in wanted if column.name not in table]
    if not missing:
        return [table[column.name] for column in wanted]
    if len(table) == len(wanted):
        return table.values()
    raise InvalidInput(
        f"{file} has no column {missing[0]!r}: it has {_list(table)}, and the model takes {len(wanted)}: "
        f"{_list(column.name for column in wanted)}."
    )


def _values(given: ColumnValues, column: Column, file: str) -> Any:
    """A column's values as the estimator takes them: float64 with NaN, int64, or texts."""
    import numpy as np

    typed = as_kind(given, text=column.kind == "text")
    if column.kind == "text":
        return np.array(["" if value is None else value for value in typed.values], object)
    bad = typed.invalid | (typed.missing() if column.kind == "integer" else False)
    if bad.any():
        kind = "whole number" if column.kind == "integer" else "number"
        raise InvalidInput(f"{file}, row {int(bad.argmax()) + 1}: {given.name!r} is no {kind}, which the model takes.")
    return typed.values.astype(np.int64) if column.kind == "integer" else typed.values


def _of_arrays(layout: Layout, arrays: Mapping[str, Any], source: str) -> EstimatorRows | None:
    values: list[Any] = []
    for name, _, width in layout.inputs:
        array = arrays.get(f"input:{name}", arrays.get(name))
        if array is None or array.ndim not in (1, 2) or array.size != len(array) * width or not len(array):
            return None
        values += list(array.reshape(len(array), width).T)
    if len({len(column) for column in values}) != 1:
        return None
    return _whole(layout, values, source)


def _whole(layout: Layout, values: list[Any], source: str) -> EstimatorRows:
    """Rows of all columns, of the values of those that clients send: what stands for a missing text is put in."""
    import numpy as np

    sent, whole = iter(values), []
    for column in layout.columns:
        given = np.zeros(len(values[0])) if column.dropped else next(sent)
        if column.gap and column.kind == "text":
            given = np.array([word or column.gap[0] for word in given], object)
        whole.append(given)
    return EstimatorRows(layout, whole, source)


def _without_rows(layout: Layout, estimator: Any, evaluation: Path | None, file: str) -> str:
    """What to do about a model that neither brings rows nor holds the ranges of its columns."""
    if layout.table:
        way, written = "a DataFrame: X.head(400).to_csv('rows.csv', index=False)", "rows.csv"
    else:
        arrays = "text=texts" if layout.texts else "input=X[:400]"
        way, written = f"import numpy; numpy.savez('rows.npz', {arrays})", "rows.npz"
    there = f" (its {EVALUATION} has none for {layout.inputs[0][0]})" if evaluation is not None else ""
    return (
        f"the {type(estimator).__name__} in {file} does not tell in which ranges it was fitted, and there are no rows "
        f"to prove its conversion on{there}: write some hundred where it was trained ({way}) and add --sample {written}"
        f", or put an {EVALUATION} beside it."
    )


def _list(names: Iterable[str]) -> str:
    every = list(names)
    return ", ".join(every[:8]) + (", ..." if len(every) > 8 else "")
