from pathlib import Path
from typing import Any

import numpy as np
import pytest

from modelyard.errors import InvalidInput
from modelyard.records.feedback import label_files
from modelyard.records.feedback.label_files import read_label_file
from modelyard.records.parquet import to_parquet

NOON = 1_764_417_600.0


def read(folder: Path, name: str, content: str | bytes) -> list[tuple[Any, ...]]:
    """(request id, row, output, label, seconds before noon) of each label."""
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return [(*one[:4], NOON - one.time) for one in read_label_file(path, "loans", NOON).labels]


def test_a_csv_keeps_ids_as_they_are_and_reads_numbers_as_numbers(tmp_path: Path) -> None:
    content = "request_id, label ,row,time\n007,1.0,0,1764417590\n1e5,0,2,1764417600\n,,,\n"
    assert read(tmp_path, "a.csv", content) == [("007", 0, "", "1", 10), ("1e5", 2, "", "0", 0)]
    assert read(tmp_path, "b.csv", "requestId,label\nr1,01\nr2,1\n")[0][3] == "01"


def test_a_column_for_each_output_and_cells_without_a_label(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("request_id,price,kind\nr1,2.5,cat\nr2,,dog\nr3,NaN,\n", encoding="utf-8-sig")
    found = read_label_file(path, "loans", NOON)
    assert [(one.request_id, one.output, one.label) for one in found.labels] == [
        ("r1", "price", "2.5"), ("r1", "kind", "cat"), ("r2", "kind", "dog")
    ]  # fmt: skip
    assert found.missing == 1


def test_parquet_with_times_and_nulls(tmp_path: Path) -> None:
    ids, kinds = np.array(["r1", "r2", "r3"], object), np.array(["cat", None, "dog"], object)
    times = np.array(["2025-11-29T11:59:00", "NaT", "NaT"], "datetime64[us]")
    content = to_parquet({"request_id": ids, "row": np.array([0.0, 1.0, 2.0]), "label": kinds, "time": times})
    assert read(tmp_path, "a.parquet", content) == [("r1", 0, "", "cat", 60), ("r3", 2, "", "dog", 0)]
    floats = to_parquet({"request_id": ids, "y": np.ma.array([1.0, np.nan, 2.5], mask=[True, False, False])})
    assert read(tmp_path, "b.parquet", floats) == [("r3", 0, "y", "2.5", 0)]


def test_jsonl_is_what_one_would_post(tmp_path: Path) -> None:
    content = '{"requestId": "r1", "label": true}\n\n{"requestId": "r2", "labels": {"y": 2}, "row": 1}\n'
    assert read(tmp_path, "a.jsonl", content) == [("r1", 0, "", "1", 0), ("r2", 1, "y", "2", 0)]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", 'request_id,label\nr1,"a\nb"\n'),
        ("a.csv", "request_id,label\nr1,a\u2028b\n"),
        ("a.jsonl", '{"requestId": "r1", "label": "a\u2028b"}\n'),
    ],
    ids=["a line's end in quotes", "Unicode's end of a line", "Unicode's end of a line in JSON"],
)
def test_a_label_with_an_end_of_a_line_in_it_is_refused_as_one(tmp_path: Path, name: str, content: str) -> None:
    with pytest.raises(InvalidInput, match="row 1: label: write a number, true, false or a text"):
        read(tmp_path, name, content)


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("a.txt", "", "give a file that ends with .csv, .parquet, .jsonl"),
        ("a.csv", "", "needs the columns request_id and label; it has none"),
        ("a.csv", "id,label\n1,1\n", "it has id, label"),
        ("a.csv", "request_id,row\nr1,1\n", "needs the columns request_id and label"),
        ("a.csv", "request_id,label\n", "has no label"),
        ("a.csv", "request_id,label\nr1,\n", "has no label"),
        ("a.csv", "request_id,label\nr1\n", "row 1: 1 cells where the first line has 2"),
        ("a.csv", "request_id,label,label\nr1,1,1\n", "two columns of one name"),
        ("a.csv", "request_id,label,kind\nr1,1,1\n", "has label and kind"),
        ("a.csv", 'request_id,label\n"r1,1\n', "cannot be read"),
        ("a.csv", b"request_id,label\nr\xff,1\n", "is no UTF-8 text"),
        ("a.csv", "request_id,label\nr1,1\n,1\n", "row 2: requestId: Field required"),
        ("a.csv", "request_id,label,row\nr1,1,0.5\n", "row 1: row: Input should be a valid integer"),
        ("a.csv", "request_id,label,time\nr1,1,soon\n", "row 1: time: write seconds since 1970"),
        ("a.csv", "request_id,label,time\nr1,1,9999999999\n", "row 1: was known in the future"),
        ("a.csv", "request_id,label,model\nr1,1,cars\n", "has label and model"),
        ("a.jsonl", '{"requestId": "r1", "label": 1, "model": "cars"}', "row 1: is a label for the Model cars"),
        ("a.jsonl", "[1]", "row 1 is no object"),
        ("a.jsonl", "{", "row 1 is no JSON"),
        ("a.jsonl", '{"requestId": "r1", "label": NaN}', "row 1: label: write a number"),
        ("a.jsonl", '{"label": 1}', "row 1: requestId: Field required"),
        ("a.parquet", b"PAR1", "no Parquet file"),
    ],
)
def test_a_file_that_is_wrong_is_named_with_its_row(tmp_path: Path, name: str, content: str | bytes, told: str) -> None:
    with pytest.raises(InvalidInput, match=told):
        read(tmp_path, name, content)


def test_a_file_that_is_not_there_or_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InvalidInput, match="there is no file"):
        read_label_file(tmp_path / "none.csv", "loans", NOON)
    monkeypatch.setattr(label_files, "MOST_FILE_LABELS", 1)
    with pytest.raises(InvalidInput, match="more than 1 labels"):
        read(tmp_path, "a.csv", "request_id,label\nr1,1\nr2,1\n")
    monkeypatch.setattr(label_files, "_LARGEST", 10)
    with pytest.raises(InvalidInput, match="more than 256 MiB"):
        read(tmp_path, "a.csv", "request_id,label\nr1,1\n")
