"""Rows as Parquet, written and read by DuckDB; one connection a use, in memory, that reaches no file but its own."""

import tempfile
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb
import numpy as np

from modelyard.errors import InvalidInput


def to_parquet(columns: Mapping[str, Any]) -> bytes:
    """A file with a column for each array; all are one-dimensional and as long. Masked values and NaN are null.

    Raises OSError where there is no room for it.
    """
    table = {name: _kept(array) for name, array in columns.items()}
    with tempfile.TemporaryDirectory() as folder, duckdb.connect() as connection:
        path = Path(folder, "rows.parquet")
        connection.register("kept", table)
        try:
            connection.execute(f"COPY kept TO '{path}' (FORMAT parquet, COMPRESSION zstd)")
        except duckdb.IOException as bad:
            raise OSError(str(bad).splitlines()[0]) from bad
        return path.read_bytes()


def from_parquet(
    contents: Sequence[bytes],
    wanted: Callable[[str], bool] | None = None,
    request_ids: Collection[str] | None = None,
) -> dict[str, Any]:
    """The rows of the files, columns by name; masked where a file has no such column or a null.

    All columns, or those that are `wanted` by name; all rows, or those of certain requests.

    Raises InvalidInput for what is no Parquet file.
    """
    if not contents:
        return {}
    with tempfile.TemporaryDirectory() as folder, duckdb.connect() as connection:
        for number, content in enumerate(contents):
            Path(folder, f"{number:06d}.parquet").write_bytes(content)
        source = f"read_parquet('{folder}/*.parquet', union_by_name = true)"
        try:
            names = [row[0] for row in connection.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()]  # noqa: S608
            kept = [name for name in names if wanted is None or wanted(name)]
            if not kept:
                return {}
            quoted = ", ".join('"' + name.replace('"', '""') + '"' for name in kept)
            asked = f"SELECT {quoted} FROM {source}"  # noqa: S608 - names of columns, quoted
            if request_ids is not None:
                connection.register("asked_for", {"request_id": _texts(request_ids)})
                asked += " SEMI JOIN asked_for USING (request_id)"
            return connection.execute(asked).fetchnumpy()
        except duckdb.Error as bad:
            raise InvalidInput(f"This is no Parquet file that can be read ({str(bad).splitlines()[0]}).") from bad


def _texts(values: Collection[str]) -> Any:
    texts = np.empty(len(values), object)
    texts[:] = list(values)
    return texts


def _kept(array: Any) -> Any:
    """Half precision and the like as DuckDB knows them."""
    return array.astype("float32") if array.dtype.name == "float16" else array
