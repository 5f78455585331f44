"""Rows of an estimator in its own form and in the form of its ONNX model."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modelyard.builder.evaluation.evaluation_set import read_arrays

from .columns import Layout
from .made_up_rows import made_up


@dataclass(frozen=True)
class EstimatorRows:
    """Values of every column in order, one array a column; `own` when they are the author's."""

    layout: Layout
    values: list[Any]
    own: bool = False

    def for_estimator(self) -> Any:
        """A DataFrame, a list of texts or an array [rows, columns], as the estimator was fitted."""
        import numpy as np

        if self.layout.texts:
            return list(self.values[0])
        if not self.layout.table:
            return np.column_stack(self.values)
        import pandas

        return pandas.DataFrame({column.name: v for column, v in zip(self.layout.columns, self.values, strict=True)})

    def feed(self, double: bool) -> dict[str, Any]:
        """Arrays by input name; numbers as float64 when `double`, else as float32."""
        import numpy as np

        types = {"number": np.float64 if double else np.float32, "integer": np.int64, "text": object}
        sent = [v for column, v in zip(self.layout.columns, self.values, strict=True) if not column.dropped]
        start, feed = 0, {}
        for name, kind, width in self.layout.inputs:
            columns = [np.asarray(values) for values in sent[start : start + width]]
            if kind == "text":
                columns = [np.array([value if isinstance(value, str) else "" for value in c], object) for c in columns]
            feed[name] = np.column_stack(columns).astype(types[kind])
            start += width
        return feed


def rows_of(layout: Layout, estimator: Any, evaluation: Path | None) -> EstimatorRows:
    """The author's rows, from an eval.npz that has them under the names of the inputs, else made-up ones."""
    arrays = read_arrays(evaluation) if evaluation is not None else {}
    return _own_rows(layout, arrays) or EstimatorRows(layout, made_up(layout, estimator))


def _own_rows(layout: Layout, arrays: Mapping[str, Any]) -> EstimatorRows | None:
    import numpy as np

    values: list[Any] = []
    for name, _, width in layout.inputs:
        array = arrays.get(f"input:{name}", arrays.get(name))
        if array is None or array.ndim not in (1, 2) or array.size != len(array) * width or not len(array):
            return None
        values += list(array.reshape(len(array), width).T)
    if len({len(column) for column in values}) != 1:
        return None
    sent, whole = iter(values), []
    for column in layout.columns:
        given = np.zeros(len(values[0])) if column.dropped else next(sent)
        if column.gap and column.kind == "text":
            given = np.array([word or column.gap[0] for word in given], object)
        whole.append(given)
    return EstimatorRows(layout, whole, own=True)
