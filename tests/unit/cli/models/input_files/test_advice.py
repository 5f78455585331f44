"""Whoever does what a message says has the file read: each piece of advice is followed here."""

import numpy as np
import pytest

from modelyard.cli.models.input_files.reader import read
from modelyard.errors import InvalidInput

TWO = ("age", "income")


def request(**tensor):
    return {"inputs": [{"data": [[1, 2]], **tensor}]}


ADVICE = {
    "save it in UTF-8": ("in.csv", "höhe,b\n1,2\n".encode("latin-1"), "in.csv", "höhe,b\n1,2\n"),
    "every row must have the same number of values": ("in.csv", "1,2\n3\n", "in.csv", "1,2\n3,4\n"),
    "write one row of values a line": ("in.csv", "a,b\n", "in.csv", "a,b\n1,2\n"),
    "write decimals with a point and thousands without a sign": ("in.csv", "1,5;2\n", "in.csv", "1.5;2\n"),
    "leave a missing number empty or write NaN": ("in.csv", "1,NA\n", "in.csv", "1,\nNaN,2\n"),
    "check the quotes there": ("in.csv", '1,"2\n', "in.csv", '1,"2"\n'),
    "JSON lines have to be one list of rows": ("in.json", "[1, 2]\n[3, 4]\n", "in.json", "[[1, 2], [3, 4]]"),
    "write NaN for a missing number": ("in.json", "[[1, null]]", "in.json", "[[1, NaN]]"),
    "needs a name, data, and a shape that fits": ("in.json", request(), "in.json", request(name="x", shape=[1, 2])),
    "which takes x; the file holds z": ("in.json", request(name="z"), "in.json", request(name="x")),
    "keep one of them": ("in.json", '{"x": [[1, 2]], "x": [[1, 2]]}', "in.json", '{"x": [[1, 2]]}'),
    "write it with numpy.savez, without objects": ("in.npz", b"cut short", "in.npz", {"x": np.ones((1, 2))}),
    "write it with numpy.save, without objects": ("in.npy", b"cut short", "in.npy", np.ones((1, 2))),
    "none of .json, .npz, .npy, .csv: convert it": ("in.tsv", "1\t2\n", "in.csv", "1\t2\n"),
}  # fmt: skip


@pytest.mark.parametrize("advice", ADVICE)
def test_advice_helps(file, taking, advice):
    name, content, mended_name, mended = ADVICE[advice]
    with pytest.raises(InvalidInput) as refused:
        read(file(name, content), taking("FP32", -1, 2))

    assert advice in str(refused.value)
    assert read(file(mended_name, mended), taking("FP32", -1, 2))["x"].shape[1:] == (2,)


def test_naming_the_inputs_helps(file, taking):
    model = taking("FP32", -1, 1, names=TWO)
    with pytest.raises(InvalidInput, match=r"name them \(age, income\) in the first line of in.csv, one column each"):
        read(file("in.csv", "1,2\n"), model)

    assert read(file("in.csv", "age,income\n1,2\n"), model).keys() == set(TWO)


def test_calling_a_lone_array_npy_helps(file, taking, tmp_path):
    path = file("in.npy", np.ones((1, 2))).rename(tmp_path / "in.npz")
    with pytest.raises(InvalidInput, match=r"call it \.npy"):
        read(path, taking("FP32", -1, 2))

    assert read(path.rename(tmp_path / "in.npy"), taking("FP32", -1, 2))["x"].shape == (1, 2)
