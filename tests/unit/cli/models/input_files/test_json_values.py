"""JSON reaches the model as it was written: no name guessed, no number rounded, no value missing."""

import numpy as np
import pytest

from modelyard.cli.models.input_files.reader import read
from modelyard.errors import InvalidInput

ID = 2**53 + 1


def request(**tensor):
    return {"inputs": [{"name": "x", "datatype": "FP32", "shape": [1, 2], "data": [1, 2], **tensor}]}


EXACT = {
    "one identifier": [[ID]],
    "an identifier beside a fraction that is none": f"[[{ID}], [1.0]]",
    "an identifier written with a point": f"[[{ID}.0]]",
    "an identifier as text": [[str(ID)]],
}


@pytest.mark.parametrize("content", EXACT.values(), ids=EXACT)
def test_a_whole_number_keeps_its_last_digit(file, taking, content):
    assert read(file("in.json", content), taking("INT64", -1, 1))["x"][0, 0] == ID


def test_numbers_of_both_ends_of_a_datatype_stand_beside_each_other(file, taking):
    assert read(file("in.json", [[2**64 - 1, 0]]), taking("UINT64", -1, 2))["x"].tolist() == [[2**64 - 1, 0]]


def test_booleans_and_words_for_them_are_what_they_say(file, taking):
    assert read(file("in.json", [[True, "False", 0, 1]]), taking("BOOL", -1, 4))["x"].tolist() == [
        [True, False, False, True]
    ]


def test_nan_and_infinity_stay_where_the_file_has_them(file, taking):
    array = read(file("in.json", '[[NaN, Infinity, -Infinity, "NaN"]]'), taking("FP16", -1, 4))["x"]

    assert [str(value) for value in array[0]] == ["nan", "inf", "-inf", "nan"]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_byte_order_mark_is_no_part_of_it(file, taking, encoding):
    assert read(file("in.json", "[[1, 2]]".encode(encoding)), taking("FP32", -1, 2))["x"].tolist() == [[1, 2]]


def test_an_input_may_be_called_inputs(file, taking):
    assert read(file("in.json", {"inputs": [[1, 2]]}), taking("FP32", -1, 2, names=("inputs",)))["inputs"].shape == (
        1,
        2,
    )


REFUSED = {
    "another input's name in a request": (request(name="not_x"), "which takes x; the file holds not_x"),
    "an input too many in a request": (
        {"inputs": [*request()["inputs"], {"name": "y", "data": [1]}]}, "gives 'y', which m does not take: it takes x",
    ),
    "an input twice in a request": ({"inputs": request()["inputs"] * 2}, "input 'x' twice"),
    "a name that is none": (request(name=["x"]), "needs a name, data"),
    "no data": ({"inputs": [{"name": "x"}]}, "needs a name, data"),
    "data that does not fill the shape": (request(data=[1]), "1 values for the shape [1, 2]"),
    "a shape that is none": (request(shape="many"), "a shape that fits"),
    "a shape of text": (request(shape="12"), "a shape is a list of whole numbers, and '12' is none"),
    "a shape of fractions": (request(shape=[1, 2.5]), "a shape is a list of whole numbers"),
    "a shape of booleans": (request(shape=[True, 2]), "a shape is a list of whole numbers"),
    "a shape below zero": (request(shape=[-1, -2]), "2 values for the shape [-1, -2]"),
    "an endless shape": (request(shape=[float("inf")]), "a shape that fits"),
    "a name twice": ('{"x": [[1, 2]], "x": [[3, 4]]}', "'x' is there twice"),
    "too many names": ({"x": [[1, 2]], "z": 1}, "gives 'z'"),
    "null for a number": ([[1, None]], "write NaN for a missing number"),
    "an object for values": ([[{"a": 1}, 2]], "there are objects among them"),
    "a list of objects": ([{"a": 1, "b": 2}], 'write one object with the rows of every input, {"x": [...]}'),
    "an object in place of values": ({"x": {"a": 1}}, "there are objects among them"),
    "a number too large": ("[[1, 1e39]]", "1e+39 is beyond its range (at most 3.4028e+38)"),
    "a whole number too large": ([[1, 10**400]], "… is larger than any number a double holds"),
    "a whole number just too large": ([[1, 2 * 10**308]], "…' is larger than any number a double holds"),
    "a whole number of more digits than Python reads": (f"[[1, {'9' * 5000}]]", "99999999999999999999… is larger than"),
    "a number no double holds": ("[[1, 1e400]]", "1e400 is larger than any number a double holds"),
    "no end of brackets": ("[" * 100_000, "nested too deeply"),
    "JSON lines": ("[1, 2]\n[3, 4]\n", "JSON lines have to be one list of rows"),
    "a row too long for one": ([[1, 2, 3, 4]], "takes an array of any x 2; given is 1 x 4"),
    "nothing": ("null", "holds nothing"),
    "Latin-1": ('{"größe": [[1, 2]]}'.encode("latin-1"), "is not in UTF-8"),
    "no rows": ({"x": np.zeros((0, 2)).tolist()}, "takes an array of any x 2; given is 0"),
}  # fmt: skip


@pytest.mark.parametrize(("content", "said"), REFUSED.values(), ids=REFUSED)
def test_it_refuses(file, taking, content, said):
    with pytest.raises(InvalidInput) as refused:
        read(file("in.json", content), taking("FP32", -1, 2))

    assert said in str(refused.value)


OTHER_DATATYPES = {
    "null for text": ("BYTES", [[None, "a"]], "null is no value: write a value"),
    "a number for text": ("BYTES", [[1.5, "a"]], "1.5 is no text: put it in quotes"),
    "numbers for text": ("BYTES", [[1, 2]], "1 is no text"),
    "half a character": ("BYTES", '[["\\ud800", "a"]]', "half a character"),
    "a word for a boolean": ("BOOL", [["no", True]], "neither true nor false"),
    "two for a boolean": ("BOOL", [[2, 1]], "others than 0 and 1"),
    "two among mixed values for a boolean": ("BOOL", [[2, "true"]], "2 is neither true nor false"),
    "a fraction among text": ("INT64", [[1.5, "2"]], "1.5 is no whole number"),
    "an identifier too large": ("INT64", [[2**63, 1]], "between -9223372036854775808 and 9223372036854775807"),
    "infinity for a whole number": ("INT32", "[[Infinity, 1]]", "infinity among them"),
    "NaN for a whole number": ("INT32", "[[NaN, 1]]", "NaN among them"),
    "a datatype numpy does not have": ("BF16", [[1, 2]], "BF16"),
}


@pytest.mark.parametrize(("datatype", "content", "said"), OTHER_DATATYPES.values(), ids=OTHER_DATATYPES)
def test_it_refuses_as_other_datatypes(file, taking, datatype, content, said):
    with pytest.raises(InvalidInput) as refused:
        read(file("in.json", content), taking(datatype, -1, 2))

    assert said in str(refused.value)
