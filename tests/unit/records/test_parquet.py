import numpy as np
import pytest

from modelyard.errors import InvalidInput
from modelyard.records.parquet import from_parquet, to_parquet


def test_what_is_written_is_read() -> None:
    columns = {
        "id": np.array(["a", "ä", None], object),
        "half": np.array([0.5, 1.5, np.nan], np.float16),
        "flag": np.array([True, False, True]),
        "large": np.array([2**62, 0, -1]),
    }
    found = from_parquet([to_parquet(columns)])
    assert found["id"].tolist() == ["a", "ä", None]
    assert found["half"].tolist() == [0.5, 1.5, None]
    assert found["flag"].tolist() == [True, False, True]
    assert found["large"].tolist() == [2**62, 0, -1]


def test_files_with_other_columns_are_one_table() -> None:
    found = from_parquet([to_parquet({"a": np.array([1, 2])}), to_parquet({"a": np.array([3]), "b": np.array([4.0])})])
    assert found["a"].tolist() == [1, 2, 3]
    assert np.ma.getmaskarray(found["b"]).tolist() == [True, True, False]


def test_what_is_masked_is_null() -> None:
    found = from_parquet([to_parquet({"a": np.ma.masked_array([1, 2], mask=[False, True])})])
    assert np.ma.getmaskarray(found["a"]).tolist() == [False, True]


def test_no_files_are_no_columns() -> None:
    assert from_parquet([]) == {}


def test_what_is_no_parquet_is_refused() -> None:
    with pytest.raises(InvalidInput, match="no Parquet file"):
        from_parquet([b"age,job\n"])
