"""Tensors in HTTP bodies: every datatype there and back, as raw bytes and as JSON where that can carry them."""

import json
from itertools import product

import numpy as np
import pytest

from modelyard.builder.triton.v2_http import decode, encode
from modelyard.clients.inference.http_tensors import HEADER_LENGTH, decoded, encoded
from modelyard.errors import InvalidInput

NUMBERS = ["bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float32", "float64"]


def texts(*values: object) -> np.ndarray:
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


@pytest.mark.parametrize(("dtype", "binary"), [*product(NUMBERS, (True, False)), ("float16", True)])
def test_numbers_arrive_as_they_are(dtype: str, binary: bool) -> None:
    array = np.array([[0, 1], [1, 0]]).astype(dtype)

    body = encoded({"x": array}, binary=binary)

    length = body.headers.get(HEADER_LENGTH)
    arrived = decode(body.content, int(length) if length else None, "inputs")["x"]
    assert arrived.dtype == array.dtype
    assert arrived.tolist() == array.tolist()


def test_json_keeps_the_shortest_text_of_a_float() -> None:
    assert b"0.1" in encoded({"x": np.array([0.1], "f4")}, binary=False).content
    assert b"0.10000000149" not in encoded({"x": np.array([0.1], "f4")}, binary=False).content


def test_texts_arrive_in_either_form() -> None:
    array = texts("zwölf", b"\xc3\xbc", "")
    body = encoded({"word": array})

    assert list(decode(body.content, int(body.headers[HEADER_LENGTH]), "inputs")["word"]) == ["zwölf", "ü", ""]
    assert json.loads(encoded({"word": array}, binary=False).content)["inputs"][0]["data"] == ["zwölf", "ü", ""]
    assert encoded({"word": texts()}).content.endswith(b"}")


@pytest.mark.parametrize(
    ("array", "sentence"),
    [
        (np.zeros(1, "f2"), "half precision"),
        (np.array([np.nan], "f4"), "NaN or infinity"),
        (texts(b"\xff"), "no UTF-8 text"),
    ],
)
def test_what_json_cannot_carry_is_refused(array: np.ndarray, sentence: str) -> None:
    with pytest.raises(InvalidInput, match=f"input 'x' has .*{sentence}"):
        encoded({"x": array}, binary=False)


def test_answers_are_read_in_either_form() -> None:
    feed = {"x": np.array([[1.5, np.inf]], "f4"), "n": np.array([[7]])}
    body = encode(feed)
    answer = body.content.replace(b'"inputs"', b'"outputs"', 1)
    length = (body.header_length or 0) + 1

    arrays = decoded(answer, str(length))

    assert arrays["x"].tolist() == [[1.5, np.inf]]
    assert arrays["n"].tolist() == [[7]]
    words = {"outputs": [{"name": "w", "datatype": "BYTES", "shape": [2], "data": ["ü", ""]}]}
    assert decoded(json.dumps(words).encode(), None)["w"].tolist() == ["ü".encode(), b""]
    assert decoded(b"{}", None) == {}
