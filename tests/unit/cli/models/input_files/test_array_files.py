"""Arrays keep their values and their order, and a damaged file is called one."""

import io
import re
import zipfile

import numpy as np
import pytest

from modelyard.builder.evaluation import npz
from modelyard.cli.models.input_files.reader import read
from modelyard.clients.inference.inputs.fitting import fitted
from modelyard.clients.inference.predictions import TensorSpec
from modelyard.errors import InvalidInput

PLANES = (-1, 3, 8, 8)
PICTURE = np.arange(8 * 8 * 3, dtype=np.float32).reshape(8, 8, 3)
"""Height x width x colour."""


def test_a_lone_array_is_a_file_too(file, taking):
    assert read(file("in.npy", np.ones((2, 3, 8, 8))), taking("FP32", *PLANES))["x"].shape == (2, 3, 8, 8)


KEPT = {
    "without the batch": ((3, 8, 8), PLANES, (1, 3, 8, 8)),
    "flat": ((192,), PLANES, (1, 3, 8, 8)),
    "flat rows": ((2, 192), PLANES, (2, 3, 8, 8)),
    "without the one colour": ((5, 8, 8), (-1, 1, 8, 8), (5, 1, 8, 8)),
    "with the one colour last": ((8, 8, 1), (-1, 1, 8, 8), (1, 1, 8, 8)),
    "one value a row": ((5,), (-1, 1), (5, 1)),
    "one value": ((), (-1, 1), (1, 1)),
    "one value in a row for a model without dimensions": ((1, 1), (), ()),
    "a model of one size": ((3, 8, 8), (1, 3, 8, 8), (1, 3, 8, 8)),
    "a model of one size, flat": ((192,), (1, 3, 8, 8), (1, 3, 8, 8)),
}


@pytest.mark.parametrize(("given", "declared", "sent"), KEPT.values(), ids=KEPT)
def test_values_keep_their_order(given, declared, sent):
    values = np.arange(np.prod(given, dtype=int), dtype=np.float32).reshape(given)

    array = fitted(values, TensorSpec("x", "FP32", declared))

    assert array.shape == sent
    assert array.reshape(-1).tolist() == values.reshape(-1).tolist()


MOVED = {
    "a picture with the colour last": (PICTURE, PLANES),
    "pictures with the colour last": (np.stack([PICTURE, PICTURE]), PLANES),
    "pictures with the colour first": (np.zeros((2, 3, 8, 8)), (-1, 8, 8, 3)),
    "a picture with the colour first, of any size": (np.zeros((3, 8, 9)), (-1, -1, -1, 3)),
}


@pytest.mark.parametrize(("given", "declared"), MOVED.values(), ids=MOVED)
def test_a_picture_is_never_scrambled_and_the_advice_helps(given, declared):
    spec = TensorSpec("x", "FP32", declared)
    with pytest.raises(InvalidInput) as refused:
        fitted(given, spec)

    sizes = " x ".join(map(str, given.shape))
    assert f"given is {sizes}" in str(refused.value)
    moved = re.search(r"numpy\.moveaxis\(x, (-\d), (-\d)\)", str(refused.value))
    assert moved is not None
    array = fitted(np.moveaxis(given, int(moved[1]), int(moved[2])), spec)
    assert array.mean(axis=(2, 3)).tolist() == [[94.5, 95.5, 96.5]] * len(array) or given is not PICTURE


REFUSED_SHAPES = {
    "rows of pixels with their colours": ((8, 24), PLANES),
    "width and height exchanged": ((2, 4), (-1, 4, 2)),
    "flat rows that do not come out even": ((3, 191), PLANES),
    "two flat rows in one": ((384,), PLANES),
    "rows of one value for one row of some": ((4, 1), (-1, 4)),
    "one row of some for rows of one value": ((1, 4), (-1, 1)),
    "no rows": ((0, 3, 8, 8), PLANES),
    "values for a model of another size": ((2, 3, 8, 8), (1, 3, 8, 8)),
    "values for any sizes": ((4,), (-1, -1, -1)),
}


@pytest.mark.parametrize(("given", "declared"), REFUSED_SHAPES.values(), ids=REFUSED_SHAPES)
def test_another_shape_is_refused(given, declared):
    with pytest.raises(InvalidInput, match=r"takes an array of|got no rows"):
        fitted(np.zeros(given), TensorSpec("x", "FP32", declared))


CHANGED = {
    "numbers beyond half": ("FP16", np.array([70000.0]), "70000 is beyond its range"),
    "numbers beyond single": ("FP32", np.array([-1e39]), "-1e+39 is beyond its range"),
    "complex numbers": ("FP32", np.array([1 + 2j]), "complex128 is no kind of number"),
    "dates": ("FP64", np.array(["2020-01-01"], "datetime64[D]"), "no kind of number"),
    "records": ("FP32", np.zeros(1, [("a", "f4")]), "no kind of number"),
    "the first number beyond whole ones": ("INT64", np.array([2.0**63]), "must lie between"),
    "unsigned for signed": ("INT64", np.array([2**63], np.uint64), "must lie between"),
    "below zero for unsigned": ("UINT8", np.array([-1]), "between 0 and 255"),
    "grey for booleans": ("BOOL", np.array([0, 255], np.uint8), "others than 0 and 1"),
    "numbers for text": ("BYTES", np.array([1.0]), "is no text"),
}


@pytest.mark.parametrize(("datatype", "values", "said"), CHANGED.values(), ids=CHANGED)
@pytest.mark.filterwarnings("error")
def test_no_value_is_changed(file, taking, datatype, values, said):
    with pytest.raises(InvalidInput) as refused:
        read(file("in.npz", {"x": values}), taking(datatype, -1))

    assert said in str(refused.value)


@pytest.mark.parametrize("order", [">f8", "<f2", "float64", "int8", "bool"])
def test_any_number_becomes_the_models(file, taking, order):
    array = read(file("in.npz", {"x": np.array([0, 1], order)}), taking("FP32", -1))["x"]

    assert (array.dtype, array.tolist()) == (np.dtype("float32"), [0, 1])


def test_text_stays_text(file, taking):
    array = read(file("in.npz", {"x": np.array(["Größe", "a"])}), taking("BYTES", -1))["x"]

    assert array.tolist() == ["Größe".encode(), b"a"]


def test_bytes_are_text_or_numbers_as_the_model_takes_them(file, taking):
    path = file("in.npz", {"x": np.array([b"\xff", b"1"])})

    assert read(path, taking("BYTES", -1))["x"].tolist() == [b"\xff", b"1"]
    assert read(file("n.npz", {"x": np.array([b"2", b"1"])}), taking("INT64", -1))["x"].tolist() == [2, 1]


@pytest.mark.parametrize(("name", "content"), [("in.npz", {"x": np.ones(9)}), ("in.npy", np.ones(9))])
def test_an_endless_file_is_not_read(file, taking, monkeypatch, name, content):
    monkeypatch.setattr(npz, "LARGEST", 64)

    with pytest.raises(InvalidInput, match="keep it below 1 GiB"):
        read(file(name, content), taking("FP32", -1))


def test_a_name_that_is_called_an_inputs_has_to_be_one(file, taking):
    with pytest.raises(InvalidInput, match="no values for input 'x' of m, which takes x; the file holds not_x"):
        read(file("in.npz", {"input:not_x": np.ones(1)}), taking("FP32", -1))


@pytest.mark.parametrize("names", [("x", "y"), ("x", "labels"), ("input:x", "output:y")])
def test_what_else_an_archive_holds_is_left_alone(file, taking, names):
    assert read(file("in.npz", {name: np.ones(2) for name in names}), taking("FP32", -1))["x"].tolist() == [1, 1]


def _archive(**members):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in members.items():
            archive.writestr(name.replace("__", "."), content)
    return stream.getvalue()


def _npy(array=PICTURE, **how):
    stream = io.BytesIO()
    np.save(stream, array, **how)
    return stream.getvalue()


WHOLE = _archive(x__npy=_npy())
FLIPPED = WHOLE[:500] + bytes([WHOLE[500] ^ 1]) + WHOLE[501:]
DAMAGED = {
    "nothing": b"",
    "cut in the first array": WHOLE[:200],
    "cut in the directory": WHOLE[:-10],
    "a flipped bit": FLIPPED,
    "text": b"hello",
    "one array in place of an archive": _npy(),
    "something else in the archive": _archive(readme__txt="hello"),
    "an array cut short": _archive(x__npy=_npy()[:-4]),
    "a header that claims a machine's memory": _archive(
        x__npy=_npy().replace(b"(8, 8, 3)", b"(8888888888, 8, 3)")[:200]
    ),
    "a broken header": _archive(x__npy=_npy().replace(b"'descr'", b"'d(scr'")),
    "no array at all": _archive(x__npy=b"hello"),
    "an empty member": _archive(x__npy=b""),
    "objects": _archive(x__npy=_npy(np.array([{}], dtype=object), allow_pickle=True)),
}


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_archive_is_called_one(file, taking, content):
    with pytest.raises(InvalidInput, match=r"^in\.npz cannot be read: .*copy it again.*write it with numpy\.savez"):
        read(file("in.npz", content), taking("FP32", *PLANES))


@pytest.mark.parametrize("content", [b"", _npy()[:-4], b"hello", _npy(np.array([{}], dtype=object), allow_pickle=True)])
def test_a_damaged_array_is_called_one(file, taking, content):
    with pytest.raises(InvalidInput, match=r"^in\.npy cannot be read: .*write it with numpy\.save,"):
        read(file("in.npy", content), taking("FP32", *PLANES))


def test_a_compressed_archive_cut_anywhere_never_reads(file, taking):
    stream = io.BytesIO()
    np.savez_compressed(stream, x=np.random.default_rng(0).normal(size=(4, 4)))
    whole = stream.getvalue()
    for end in range(0, len(whole) - 1, 7):
        with pytest.raises(InvalidInput):
            read(file("in.npz", whole[:end]), taking("FP32", -1, 4))
