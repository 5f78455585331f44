"""Files of people become the arrays a model takes, or one sentence that says what was wanted."""

import json

import numpy as np
import pytest

from modelyard.cli.models.input_files.reader import read
from modelyard.clients.inference.inputs.fitting import fitted
from modelyard.clients.inference.predictions import Description, TensorSpec
from modelyard.errors import InvalidInput

IMAGES = Description("digits", (TensorSpec("image", "FP32", (-1, 1, 2, 2)),), ())
PAIR = Description("pair", (TensorSpec("age", "INT64", (-1,)), TensorSpec("name", "BYTES", (-1,))), ())
IMAGE = [[[1.0, 2.0], [3.0, 4.0]]]


@pytest.fixture
def file(tmp_path):
    def write(name, content):
        path = tmp_path / name
        if isinstance(content, dict) and name.endswith(".npz"):
            np.savez(path, **content)
        else:
            path.write_text(content if isinstance(content, str) else json.dumps(content))
        return path

    return write


ONE_IMAGE = {
    "values alone": [IMAGE],
    "values without the batch dimension": IMAGE,
    "flat values": [1, 2, 3, 4],
    "one flat row": [[1, 2, 3, 4]],
    "values by input name": {"image": [IMAGE]},
    "values by another name, as there is but one input": {"pixels": [IMAGE]},
    "a protocol request with flat data": {
        "inputs": [{"name": "image", "datatype": "FP32", "shape": [1, 1, 2, 2], "data": [1, 2, 3, 4]}]
    },
    "a protocol request with nested data": {"inputs": [{"name": "image", "data": [IMAGE]}]},
}


@pytest.mark.parametrize("content", ONE_IMAGE.values(), ids=ONE_IMAGE)
def test_json_may_be_written_as(file, content):
    array = read(file("in.json", content), IMAGES)["image"]

    assert array.dtype == np.float32
    assert array.tolist() == [IMAGE]


@pytest.mark.parametrize("name", ["input:image", "image", "arr_0"])
def test_an_npz_array_may_be_named(file, name):
    array = read(file("in.npz", {name: np.array([IMAGE], "float64")}), IMAGES)["image"]

    assert array.dtype == np.float32
    assert array.tolist() == [IMAGE]


def test_an_entrys_evaluation_set_is_a_file_of_inputs(file):
    path = file(
        "eval.npz", {"input:image": np.zeros((3, 1, 2, 2)), "output:scores": np.zeros((3, 2)), "labels": [1, 2, 3]}
    )

    assert read(path, IMAGES)["image"].shape == (3, 1, 2, 2)
    assert read(path, IMAGES, first=2)["image"].shape == (2, 1, 2, 2)


def test_first_leaves_inputs_without_a_batch_dimension_alone(file):
    model = Description("m", (TensorSpec("a", "FP32", (3,)),), ())

    assert read(file("in.json", [1, 2, 3]), model, first=1)["a"].tolist() == [1, 2, 3]


@pytest.mark.parametrize("text", ["1,2,3,4\n5,6,7,8\n", "a,b,c,d\n1,2,3,4\n\n5,6,7,8\n"])
def test_csv_rows_become_rows_of_the_model_with_or_without_a_header(file, text):
    array = read(file("in.csv", text), IMAGES)["image"]

    assert array.shape == (2, 1, 2, 2)
    assert array.reshape(-1).tolist() == [1, 2, 3, 4, 5, 6, 7, 8]


def test_csv_columns_become_inputs_when_the_header_names_them(file):
    arrays = read(file("in.csv", "name,age\nAda,36\nAlan,41\n"), PAIR)

    assert arrays["age"].tolist() == [36, 41]
    assert arrays["age"].dtype == np.int64
    assert arrays["name"].tolist() == [b"Ada", b"Alan"]


REFUSED = {
    "an unknown kind of file": ("in.txt", "x", IMAGES, "none of .json, .npz, .npy, .csv: convert it"),
    "broken JSON": ("in.json", "{", IMAGES, "is not JSON"),
    "a broken archive": ("in.npz", "x", IMAGES, "in.npz cannot be read"),
    "an empty table": ("in.csv", "\n", IMAGES, "is empty"),
    "a ragged table": ("in.csv", "1,2\n3\n", IMAGES, "same number of values"),
    "a table with a header and no rows": ("in.csv", "a,b\n", IMAGES, "a header and no rows below it"),
    "bare values for two inputs": ("in.json", [1], PAIR, "takes 2 inputs: name them (age, name)"),
    "a missing input": ("in.json", {"age": [1], "nam": ["x"]}, PAIR, "no values for input 'name' of pair"),
    "data that does not fill the shape": (
        "in.json", {"inputs": [{"name": "image", "shape": [1, 5], "data": [1]}]}, IMAGES, "a shape that fits",
    ),
    "too few values": ("in.json", [1, 2, 3], IMAGES, "takes an array of any x 1 x 2 x 2; given is 3"),
    "words for numbers": ("in.json", ["a", "b", "c", "d"], IMAGES, "takes FP32 values: 'a' is no number"),
    "fractions for whole numbers": ("in.json", {"age": [1.5], "name": ["x"]}, PAIR, "fractions among them"),
    "ragged values": ("in.json", [[1, 2], [3]], IMAGES, "rows of rows differ in length"),
}  # fmt: skip


@pytest.mark.parametrize(("name", "content", "model", "said"), REFUSED.values(), ids=REFUSED)
def test_it_refuses(file, name, content, model, said):
    with pytest.raises(InvalidInput) as refused:
        read(file(name, content), model)

    assert said in str(refused.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InvalidInput, match="there is no file"):
        read(tmp_path / "none.json", IMAGES)


def test_a_number_beyond_the_datatype_is_refused_not_wrapped():
    with pytest.raises(InvalidInput, match="between 0 and 255"):
        fitted([256], TensorSpec("n", "UINT8", (-1,)))


def test_a_datatype_numpy_does_not_have_is_refused():
    with pytest.raises(InvalidInput, match="BF16"):
        fitted([1], TensorSpec("n", "BF16", (-1,)))
