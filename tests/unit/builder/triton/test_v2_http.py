"""Requests and responses of the Open Inference Protocol, in JSON where JSON can carry the values."""

import json
import struct
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelyard.builder.triton.v2_http import RequestBody, decode, encode, needs_binary


def as_response(body: RequestBody) -> dict[str, Any]:
    """A server that echoes: inputs come back as outputs."""
    header = json.loads(body.content[: body.header_length or len(body.content)])
    header["outputs"] = header.pop("inputs")
    head, raw = json.dumps(header).encode(), body.content[body.header_length or len(body.content) :]
    return decode(head + raw, len(head) if body.header_length is not None else None)


@given(st.lists(st.floats(width=32), min_size=1, max_size=6))
def test_floats_arrive_with_the_same_bits(values: list[float]) -> None:
    sent = np.array(values, np.float32)

    assert as_response(encode({"x": sent}))["x"].tobytes() == sent.tobytes()


@pytest.mark.parametrize("kind", ["float64", "int8", "uint64", "bool", "float16", "int64"])
def test_every_element_type_travels(kind: str) -> None:
    sent = np.array([[0, 1], [1, 0]]).astype(kind)
    received = as_response(encode({"x": sent}))["x"]

    assert received.dtype == sent.dtype
    assert np.array_equal(received, sent)


def test_strings_travel_as_text() -> None:
    sent = np.array([["grün", ""]], dtype=object)

    assert as_response(encode({"x": sent}))["x"].tolist() == [["grün", ""]]


def test_packed_strings_of_an_answer_are_read() -> None:
    raw = b"".join(struct.pack("<I", len(word)) + word for word in ("grün".encode(), b""))
    output = {"name": "s", "datatype": "BYTES", "shape": [2], "parameters": {"binary_data_size": len(raw)}}
    head = json.dumps({"outputs": [output]}).encode()

    assert decode(head + raw, len(head))["s"].tolist() == ["grün", ""]


def test_json_alone_is_sent_as_json() -> None:
    body = encode({"x": np.ones((1, 2), np.float32)})

    assert body.headers == {"Content-Type": "application/json"}
    assert json.loads(body.content) == {"inputs": [{"name": "x", "datatype": "FP32", "shape": [1, 2], "data": [1, 1]}]}


def test_what_json_cannot_say_is_sent_raw_and_asked_for_raw() -> None:
    halves = {"x": np.array([np.nan, np.inf], np.float16)}
    body = encode(halves, binary_outputs=needs_binary(halves))

    assert body.header_length is not None
    assert body.headers["Inference-Header-Content-Length"] == str(body.header_length)
    assert json.loads(body.content[: body.header_length])["parameters"] == {"binary_data_output": True}
    assert body.content[body.header_length :] == halves["x"].tobytes()
