"""Tables from files, and what is wrong with them."""

from pathlib import Path

import numpy as np
import pytest

from modelyard.errors import InvalidInput
from modelyard.records import tables
from modelyard.records.parquet import to_parquet
from modelyard.records.tables import read_table
from modelyard.records.times import minutes_of
from modelyard.records.values import column


@pytest.fixture
def csv(tmp_path: Path) -> Path:
    return tmp_path / "rows.csv"


def test_a_csv_has_columns_of_numbers_and_of_text(csv: Path) -> None:
    csv.write_text("age,job,none\n31,nurse,\nNA,,\n64.5,cook,\n\n", encoding="utf-8-sig")
    found = read_table(csv)
    assert list(found) == ["age", "job", "none"]
    assert found["age"].missing().tolist() == [False, True, False]
    assert found["job"].values.tolist() == ["nurse", None, "cook"]
    assert found["none"].missing().all()


def test_a_missing_value_of_a_lone_column_is_a_row(csv: Path) -> None:
    csv.write_text('age\n31\n""\n\n64.5\n')

    assert read_table(csv)["age"].missing().tolist() == [False, True, False]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a;b\n1;2\n", "has ';' between its cells: write commas there"),
        ("", "is empty"),
        ("a,b\n", "has no rows"),
        ("a,a\n1,2\n", "two columns 'a'"),
        ("a,b\n1\n", "row 2: 1 cells"),
        ('a\n"x\n', "cannot be read"),
    ],
)
def test_a_csv_that_is_no_table_is_refused(csv: Path, text: str, says: str) -> None:
    csv.write_text(text)
    with pytest.raises(InvalidInput, match=says):
        read_table(csv)


def test_text_that_is_no_utf_8_is_refused(csv: Path) -> None:
    csv.write_bytes(b"a\n\xff\n")
    with pytest.raises(InvalidInput, match="UTF-8"):
        read_table(csv)


def test_parquet_keeps_types_and_nulls(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    path.write_bytes(
        to_parquet(
            {
                "age": np.array([31.0, np.nan]),
                "job": np.array(["nurse", None], object),
                "at": np.array(["2026-11-29T10:00", "2026-11-29T10:01"], "M8[s]"),
            }
        )
    )
    found = read_table(path)
    assert found["age"].missing().tolist() == [False, True]
    assert found["job"].values.tolist() == ["nurse", None]
    assert minutes_of(found["at"], "rows.parquet").tolist() == [29932440, 29932441]
    path.write_bytes(b"no parquet")
    with pytest.raises(InvalidInput, match=r"rows\.parquet"):
        read_table(path)


def test_parquet_without_duckdb_says_how_to_install_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "modelyard.records.parquet", None)
    path = tmp_path / "rows.parquet"
    path.write_bytes(b"")
    with pytest.raises(InvalidInput, match=r"modelyard\[recorder\]"):
        read_table(path)


def test_an_npz_has_a_column_an_array_and_columns_of_a_matrix(tmp_path: Path) -> None:
    path = tmp_path / "rows.npz"
    np.savez(path, **{"input:x": np.zeros((3, 2)), "y": np.array([1, 2, 3]), "job": np.array(["a", "b", ""])})
    assert list(read_table(path)) == ["x[0]", "x[1]", "y", "job"]
    np.savez(path, image=np.zeros((3, 2, 2)))
    with pytest.raises(InvalidInput, match="rows and columns"):
        read_table(path)
    np.savez(path, a=np.zeros(3), b=np.zeros(2))
    with pytest.raises(InvalidInput, match="different numbers of rows"):
        read_table(path)
    path.write_bytes(b"PK no zip")
    with pytest.raises(InvalidInput, match="cannot be read"):
        read_table(path)


def test_files_that_are_not_there_or_of_no_kind_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="there is no file"):
        read_table(tmp_path / "none.csv")
    with pytest.raises(InvalidInput, match=r"\.csv, \.parquet, \.npz"):
        read_table(tmp_path / "rows.xlsx")


def test_files_above_the_limit_are_refused_before_they_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, csv = tmp_path / "rows.npz", tmp_path / "rows.csv"
    np.savez_compressed(path, a=np.zeros(10_000))
    csv.write_text("a\n" + "1\n" * 3000)
    monkeypatch.setattr(tables, "_LARGEST", 2000)
    for file in (path, csv):
        with pytest.raises(InvalidInput, match="ten thousand rows"):
            read_table(file)


def test_times_are_iso_text_or_seconds() -> None:
    assert minutes_of(column("t", ["2026-11-29T10:00:59", "2026-11-29T11:00+01:00"]), "f").tolist() == [29932440] * 2
    assert minutes_of(column("t", [59.0, 60.0]), "f").tolist() == [0, 1]


@pytest.mark.parametrize("values", [["yesterday"], ["2026-11-29", None], [1.0, np.nan], [-1.0], [1e15]])
def test_what_is_no_time_is_refused(values: list) -> None:
    with pytest.raises(InvalidInput, match="f"):
        minutes_of(column("t", values), "f")


def test_columns_of_texts_are_kept_as_they_are_written(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("zip,age\n0150,020\n ,7\n")

    found = read_table(path, texts={"zip"})

    assert found["zip"].values.tolist() == ["0150", None]
    assert found["age"].values.tolist() == [20.0, 7.0]
