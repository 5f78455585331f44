"""Rows of an estimator in its own form and in the form of its ONNX model."""

from dataclasses import dataclass
from typing import Any

from .columns import Layout

MADE_UP = "rows made up in the ranges that it holds"


@dataclass(frozen=True)
class EstimatorRows:
    """Values of every column in order, one array a column; `source` says whose they are, to follow "of"."""

    layout: Layout
    values: list[Any]
    source: str = MADE_UP

    @property
    def count(self) -> int:
        """How many."""
        return len(self.values[0])

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
