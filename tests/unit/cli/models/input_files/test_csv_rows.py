"""A CSV file keeps every row and every value, whoever saved it, or is refused with the line that has to change."""

import numpy as np
import pytest

from modelyard.cli.models.input_files.reader import read
from modelyard.cli.models.input_files.text_files import read_text
from modelyard.errors import InvalidInput

ROWS = [[1, 2, 3, 4], [5, 6, 7, 8]]
BOTH = ("age", "income")

FIRST_LINES = {
    "a byte order mark and no header": ("FP32", b"\xef\xbb\xbf1,2,3,4\n5,6,7,8\n"),
    "a byte order mark and a header": ("FP32", b"\xef\xbb\xbfa,b,c,d\n1,2,3,4\n5,6,7,8\n"),
    "UTF-16 with its mark": ("FP32", "a,b,c,d\r\n1,2,3,4\r\n5,6,7,8\r\n".encode("utf-16")),
    "UTF-16 and tabs, as a spreadsheet's Unicode text": ("INT32", "1\t2\t3\t4\n5\t6\t7\t8\n".encode("utf-16")),
    "UTF-32 with its mark": ("INT32", "1,2,3,4\n5,6,7,8\n".encode("utf-32")),
    "semicolons": ("FP64", b"a;b;c;d\n1;2;3;4\n5;6;7;8\n"),
    "bars": ("FP32", b"a|b|c|d\n1|2|3|4\n5|6|7|8\n"),
    "bars in the names of columns": ("FP32", b"a|1,a|2,a|3,a|4\n1,2,3,4\n5,6,7,8\n"),
    "quotes": ("FP32", b'"a","b","c","d"\n"1","2","3","4"\n"5","6","7","8"\n'),
    "the line of spreadsheets about what separates": (
        "FP64",
        b"\xef\xbb\xbfsep=;\r\na;b;c;d\r\n1;2;3;4\r\n5;6;7;8\r\n",
    ),
    "another sign that such a line names": ("FP64", b"sep=|\n1|2|3|4\n5|6|7|8\n"),
    "old Macintosh lines": ("FP32", b"1,2,3,4\r5,6,7,8\r"),
    "blank lines": ("INT64", b"\n1,2,3,4\n   \n5,6,7,8\n\n"),
    "spaces": ("INT64", b"1, 2, 3, 4\n 5,6 ,7,8\n"),
    "whole numbers written with a point and an exponent": ("INT64", b"1.0,2e0,30E-1,4\n5,6,7,8\n"),
    "a header that begins with a number of the year": ("FP32", b"2019Q1,2019Q2,2019Q3,2019Q4\n1,2,3,4\n5,6,7,8\n"),
}


@pytest.mark.parametrize(("datatype", "content"), FIRST_LINES.values(), ids=FIRST_LINES)
def test_no_row_is_lost_with(file, taking, datatype, content):
    assert read(file("in.csv", content), taking(datatype, -1, 4))["x"].tolist() == ROWS


def test_booleans_are_what_they_say(file, taking):
    path = file("in.csv", "a,b,c\nTrue,False,FALSE\nfalse,true,0\n1,0,1.0\n")

    array = read(path, taking("BOOL", -1, 3))["x"]

    assert array.dtype == bool
    assert array.tolist() == [[True, False, False], [False, True, False], [True, False, True]]


def test_booleans_without_a_header_keep_their_first_row(file, taking):
    assert read(file("in.csv", "True,False\nfalse,true\n"), taking("BOOL", -1, 2))["x"].tolist() == [
        [True, False],
        [False, True],
    ]


@pytest.mark.parametrize("number", [2**53 + 1, -(2**53) - 3, 2**63 - 1, -(2**63)])
def test_identifiers_keep_their_last_digit(file, taking, number):
    assert read(file("in.csv", f"id\n{number}\n1\n"), taking("INT64", -1, 1))["x"].tolist() == [[number], [1]]


def test_the_largest_identifier_fits_beside_a_small_one(file, taking):
    assert read(file("in.csv", f"{2**64 - 1},1\n"), taking("UINT64", -1, 2))["x"].tolist() == [[2**64 - 1, 1]]


def test_every_line_of_text_is_a_row_unless_it_is_the_inputs_name(file, taking):
    model = taking("BYTES", -1, 1)

    assert read(file("a.csv", "good\nbad; really\n"), model)["x"].tolist() == [[b"good"], [b"bad; really"]]
    assert read(file("b.csv", 'x\n"good, or so"\n'), model)["x"].tolist() == [[b"good, or so"]]
    assert read(file("c.csv", "id,x\n7,Größe\n"), model)["x"].tolist() == [["Größe".encode()]]


def test_a_mark_does_not_hide_the_first_column(file, taking):
    arrays = read(file("in.csv", b"\xef\xbb\xbfage,income\n1,2\n3,4\n"), taking("FP32", -1, 1, names=BOTH))

    assert arrays["age"].tolist() == [[1], [3]]
    assert arrays["income"].tolist() == [[2], [4]]


def test_columns_that_are_no_inputs_are_left_out(file, taking):
    """A table saved by pandas has a column without a name; others have the answer in it."""
    arrays = read(file("in.csv", ",income,label,age\n0,2,yes,1\n"), taking("FP32", -1, 1, names=BOTH))

    assert (arrays["age"].tolist(), arrays["income"].tolist()) == ([[1]], [[2]])


def test_a_column_gives_one_value_a_row_whatever_the_model_calls_a_row(file, taking):
    table = file("in.csv", "age,income\n1,2\n3,4\n5,6\n")

    assert read(table, taking("FP32", -1, -1, names=BOTH))["age"].tolist() == [[1], [3], [5]]
    assert read(table, taking("FP32", -1, names=BOTH))["age"].tolist() == [1, 3, 5]
    with pytest.raises(InvalidInput, match="input 'age' takes an array of any x 3; given is 3 x 1"):
        read(table, taking("FP32", -1, 3, names=BOTH))


def test_rows_of_one_value_are_not_one_row(file, taking):
    with pytest.raises(InvalidInput, match="takes an array of any x 2; given is 2 x 1"):
        read(file("in.csv", "1\n2\n"), taking("FP32", -1, 2))


def test_a_missing_number_is_nan(file, taking):
    array = read(file("in.csv", "1,,3\nnan,5,6\n"), taking("FP64", -1, 3))["x"]

    assert np.isnan(array).tolist() == [[False, True, False], [True, False, False]]


@pytest.mark.parametrize(
    ("content", "rows"), [('""\na\n', [b"", b"a"]), ('x\na\n\n""\n', [b"a", b""]), ('"  "\na\n', [b"  ", b"a"])]
)
def test_empty_text_is_a_row_when_it_is_in_quotes(file, taking, content, rows):
    assert read(file("in.csv", content), taking("BYTES", -1, 1))["x"][:, 0].tolist() == rows


def test_a_missing_number_of_a_lone_column_is_a_row(file, taking):
    """pandas writes it so."""
    array = read(file("in.csv", 'x\n1.5\n""\n\n3.5\n'), taking("FP32", -1, 1))["x"]

    assert np.isnan(array).tolist() == [[False], [True], [False]]


@pytest.mark.parametrize("word", ["#DIV/0!", "#VALUE!", "<NA>", "\\N", "n.a.", ".", "--", "-nan"])
def test_a_first_row_of_another_word_for_missing_is_no_header(file, taking, word):
    with pytest.raises(InvalidInput, match="line 1, column 1"):
        read(file("in.csv", f"{word}\n1\n"), taking("INT32", -1, 1))


REFUSED = {
    "another word for a boolean": ("BOOL", "True,yes\n", "line 1, column 2: input 'x' takes BOOL values: 'yes' is ne"),
    "a number for a boolean": ("BOOL", "a,b\n1,2\n", "line 2, column 2"),
    "a short row": ("FP32", "a,b\n1,2\n\n3\n", "line 4: 1 values where line 1 has 2"),
    "a long row": ("FP32", "1,2\n3,4,5\n", "line 2: 3 values where line 1 has 2"),
    "a word among numbers": ("FP32", "1,2\n3,four\n", "line 2, column 2: input 'x' takes FP32 values: 'four' is no nu"),
    "a first row with one bad cell": ("FP32", "1,x2\n3,4\n", "line 1, column 2"),
    "a first row of decimal commas": (
        "FP32",
        "1,5;2,5\n3,5;4,5\n",
        "'1,5' is no number, write decimals with a point and thousands",
    ),
    "signs between thousands": ("FP32", '1,"1,234.5"\n', "'1,234.5' is no number, write decimals with a point and"),
    "signs between thousands of whole numbers": ("INT64", '"1\'234",2\n', "and thousands without a sign"),
    "a first row of numbers no double holds": ("FP64", "1e400,1e400\n1,2\n", "line 1, column 1"),
    "a first row of small fractions": ("INT32", "1e-3,2e-3\n1,2\n", "line 1, column 1"),
    "a first row of booleans among numbers": ("FP32", "True,False\n1,2\n", "line 1, column 1"),
    "a first row of words for missing": (
        "FP32",
        "NA,NA\n1,2\n",
        "line 1, column 1: input 'x' takes FP32 values: 'NA' is no",
    ),
    "another word for missing": ("FP32", "1,#N/A\n", "'#N/A' is no number, leave a missing number empty or write NaN"),
    "a missing whole number": ("INT32", "1,\n", "line 1, column 2"),
    "a fraction": ("INT32", "1,2.5\n", "'2.5' has a fraction"),
    "infinity for a whole number": ("INT32", "1,inf\n", "is no whole number"),
    "an endless exponent": ("INT64", "1,1e999999999\n", "is too large"),
    "a word for a whole number": ("INT64", "1,two\n", "'two' is no whole number"),
    "a number too large for its datatype": ("UINT8", "1,256\n", "between 0 and 255"),
    "a number too large for a double": ("FP64", "1,1e400\n", "is larger than any number a double holds"),
    "a number too large for half": ("FP16", "1,70000\n", "70000 is beyond its range (at most 65504)"),
    "underscores, which are Python's alone": ("FP32", "1,1_000\n", "'1_000' is no number"),
    "digits of another script": ("INT32", "1,\u0662\n", "is no number"),
    "a quote that never ends": ("FP32", '1,"2\n3,4\n', "check the quotes"),
    "Latin-1": ("FP32", "a,höhe\n1,2\n".encode("latin-1"), "is not in UTF-8 (line 1): save it in UTF-8"),
    "half a character of UTF-16": ("FP32", "1,2\n".encode("utf-16")[:-1], "is not in UTF-16 (line 1)"),
    "UTF-16 without its mark": ("FP32", "1,2\n".encode("utf-16-le"), "zero bytes"),
    "a picture": ("FP32", b"\x89PNG\r\n\x1a\n\x00", "save it in UTF-8"),
    "nothing": ("FP32", "", "is empty"),
    "a mark alone": ("FP32", b"\xef\xbb\xbf", "is empty"),
    "a header alone": ("FP32", "a,b\n", "a header and no rows"),
    "the inputs' names alone": ("BYTES", "x\n", "a header and no rows"),
    "a column twice": ("BYTES", "x,x\na,b\n", "several columns 'x'"),
}


@pytest.mark.parametrize(("datatype", "content", "said"), REFUSED.values(), ids=REFUSED)
def test_it_refuses(file, taking, datatype, content, said):
    shape = (-1, 1) if datatype == "BYTES" else (-1, 2)

    with pytest.raises(InvalidInput) as refused:
        read(file("in.csv", content), taking(datatype, *shape))

    assert said in str(refused.value)


def test_a_short_row_of_text_says_where_commas_may_be(file, taking):
    with pytest.raises(InvalidInput, match=r"line 2: 2 values where line 1 has 1.*belongs in quotes"):
        read(file("in.csv", "good\nbad, really\n"), taking("BYTES", -1, 1))


def test_inputs_that_the_first_line_does_not_name_are_asked_for(file, taking):
    with pytest.raises(InvalidInput, match=r"name them \(age, income\) in the first line of in.csv.*'Age, income'"):
        read(file("in.csv", "Age,income\n1,2\n"), taking("FP32", -1, 1, names=BOTH))


def test_a_first_line_may_name_columns_like_the_input(file, taking):
    assert read(file("in.csv", "x,y\n1,2\n"), taking("FP32", -1, 2))["x"].tolist() == [[1, 2]]


def test_a_file_that_cannot_be_read_is_named(taking, tmp_path):
    path = tmp_path / "in.csv"
    path.mkdir()

    with pytest.raises(InvalidInput, match="there is no file"):
        read(path, taking("FP32", -1, 1))
    with pytest.raises(InvalidInput, match=r"in\.csv cannot be read: Is a directory"):
        read_text(path)
