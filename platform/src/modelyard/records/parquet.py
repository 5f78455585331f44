"""Rows as Parquet, written and read by DuckDB; one connection a use, in memory, that reaches no file but its own."""

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb

from modelyard.errors import InvalidInput


def to_parquet(columns: Mapping[str, Any]) -> bytes:
    """A file with a column for each array; all are one-dimensional and as long. Masked values and NaN are null."""
    table = {name: _kept(array) for name, array in columns.items()}
    with tempfile.TemporaryDirectory() as folder, duckdb.connect() as connection:
        path = Path(folder, "rows.parquet")
        connection.register("kept", table)
        connection.execute(f"COPY kept TO '{path}' (FORMAT parquet, COMPRESSION zstd)")
        return path.read_bytes()


def from_parquet(contents: Sequence[bytes]) -> dict[str, Any]:
    """All rows of the files, columns by name; masked where a file has no such column or a null.

    Raises InvalidInput for what is no Parquet file.
    """
    if not contents:
        return {}
    with tempfile.TemporaryDirectory() as folder, duckdb.connect() as connection:
        for number, content in enumerate(contents):
            Path(folder, f"{number:06d}.parquet").write_bytes(content)
        try:
            found = connection.execute("SELECT * FROM read_parquet(?, union_by_name = true)", [f"{folder}/*.parquet"])
            return found.fetchnumpy()
        except duckdb.Error as bad:
            raise InvalidInput(f"This is no Parquet file that can be read ({str(bad).splitlines()[0]}).") from bad


def _kept(array: Any) -> Any:
    """Half precision and the like as DuckDB knows them."""
    return array.astype("float32") if array.dtype.name == "float16" else array
