import json
import struct
from typing import Any

import numpy as np
import pytest
from tritonclient.grpc.service_pb2 import ModelInferRequest, ModelInferResponse  # pyright: ignore

from modelyard.recorder.tensors import Malformed, over_grpc, over_http


def body(*tensors: dict[str, Any], raw: bytes = b"") -> tuple[bytes, int]:
    header = json.dumps({"inputs": list(tensors)}).encode()
    return header + raw, len(header)


def tensor(name: str, datatype: str, shape: list[int], **more: Any) -> dict[str, Any]:
    return {"name": name, "datatype": datatype, "shape": shape, **more}


def test_json_becomes_arrays_of_their_type() -> None:
    content, _ = body(
        tensor("x", "FP32", [1, 2], data=[[1, 2.5]]), tensor("n", "INT64", [1], data=[7]),
        tensor("s", "BYTES", [1, 1], data=["ä"]), tensor("b", "BOOL", [2], data=[True, False]),
    )  # fmt: skip
    arrays = over_http(content, None, "inputs")
    assert {name: (array.dtype.name, array.tolist()) for name, array in arrays.items()} == {
        "x": ("float32", [[1.0, 2.5]]), "n": ("int64", [7]), "s": ("object", [["ä"]]), "b": ("bool", [True, False]),
    }  # fmt: skip


def test_raw_bytes_follow_the_json_in_the_order_of_the_tensors() -> None:
    text = "ä".encode()
    raw = np.array([1, -2], np.float16).tobytes() + struct.pack("<I", len(text)) + text
    content, length = body(
        tensor("h", "FP16", [2], parameters={"binary_data_size": 4}),
        tensor("j", "INT8", [1], data=[3]),
        tensor("s", "BYTES", [1], parameters={"binary_data_size": 6}),
        raw=raw,
    )
    arrays = over_http(content, length, "inputs")
    assert {name: array.tolist() for name, array in arrays.items()} == {"h": [1.0, -2.0], "j": [3], "s": ["ä"]}


def test_grpc_in_raw_bytes_and_in_typed_contents() -> None:
    request = ModelInferRequest()
    one = request.inputs.add(name="x", datatype="FP32", shape=[1, 2])
    one.contents.fp32_contents.extend([1.0, 2.0])
    words = request.inputs.add(name="s", datatype="BYTES", shape=[1])
    words.contents.bytes_contents.append(b"\xff!")
    arrays = over_grpc(request.SerializeToString(), "inputs")
    assert {name: array.tolist() for name, array in arrays.items()} == {"x": [[1.0, 2.0]], "s": ["\ufffd!"]}
    response = ModelInferResponse(raw_output_contents=[np.array([5], np.int32).tobytes()])
    response.outputs.add(name="y", datatype="INT32", shape=[1])
    assert over_grpc(response.SerializeToString(), "outputs")["y"].tolist() == [5]


@pytest.mark.parametrize(
    ("content", "length", "reason"),
    [
        (b"{}", None, "no JSON with tensors"),
        (b"\xff", None, "no JSON with tensors"),
        (b"[" * 100_000, None, "no JSON with tensors"),
        (b'{"inputs": 3}', None, "no JSON with tensors"),
        (b'{"inputs": [3]}', None, "no JSON with tensors"),
        (b"{}", 3, "the JSON is longer than the body"),
        (body(tensor("x", "FP32", [1]))[0], None, "a tensor without data"),
        (body(tensor("x", "FP32", [1], data=["a"]))[0], None, "data of another datatype"),
        (body(tensor("x", "INT8", [1], data=[1000]))[0], None, "data of another datatype"),
        (body(tensor("x", "FP8", [1], data=[1]))[0], None, "a datatype that is not known"),
        (body(tensor("x", "FP32", [2], data=[1]))[0], None, "the shape is not that of the data"),
        (body(tensor("x", "FP32", [-1], data=[1]))[0], None, "the shape is not that of the data"),
        (body(tensor("x", "FP32", [10**12, 10**12], data=[1]))[0], None, "the shape is not that of the data"),
        (*body(tensor("x", "FP32", [1], parameters={"binary_data_size": 9}), raw=b"1234"), "raw bytes are missing"),
        (*body(tensor("x", "FP32", [1], parameters={"binary_data_size": "4"}), raw=b"1234"), "raw bytes are missing"),
        (*body(tensor("x", "FP32", [1], parameters={"binary_data_size": 3}), raw=b"123"), "raw bytes are missing"),
        (*body(tensor("s", "BYTES", [1], parameters={"binary_data_size": 2}), raw=b"12"), "raw bytes are missing"),
        (
            *body(tensor("s", "BYTES", [1], parameters={"binary_data_size": 5}), raw=b"\x09\0\0\0a"),
            "raw bytes are missing",
        ),
    ],
)
def test_what_is_not_the_protocol_has_its_reason(content: bytes, length: int | None, reason: str) -> None:
    with pytest.raises(Malformed, match=f"^{reason}$"):
        over_http(content, length, "inputs")


def grpc_request(**change: Any) -> bytes:
    request = ModelInferRequest(raw_input_contents=change.pop("raw", []))
    one = request.inputs.add(**{"name": "x", "datatype": "FP32", "shape": [1]} | change)
    one.contents.int_contents.append(1000)
    return request.SerializeToString()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"\xff\xff", "no such protobuf"),
        (grpc_request(raw=[b"1234", b"1234"]), "raw bytes are missing"),
        (grpc_request(raw=[b"123"]), "raw bytes are missing"),
        (grpc_request(), "the shape is not that of the data"),
        (grpc_request(datatype="INT8"), "data of another datatype"),
        (grpc_request(datatype="FP16"), "a datatype that is not known"),
    ],
)
def test_what_is_not_the_protocol_over_grpc_has_its_reason(content: bytes, reason: str) -> None:
    with pytest.raises(Malformed, match=f"^{reason}$"):
        over_grpc(content, "inputs")
