"""What travelled, as typed arrays: the Open Inference Protocol over HTTP in JSON or with raw bytes, and over gRPC.

Nothing here trusts what it reads. A body is a stranger's: shapes are held against what is there before anything is
made of them, and every fault is a `Malformed` with its reason, which the recorder counts.
"""

import json
import struct
from collections.abc import Iterable, Mapping, Sequence
from math import prod
from typing import Any

import numpy as np
from google.protobuf.message import DecodeError
from tritonclient.grpc.service_pb2 import ModelInferRequest, ModelInferResponse  # pyright: ignore

_NUMPY: Mapping[str, Any] = {
    "BOOL": np.bool_, "INT8": np.int8, "INT16": np.int16, "INT32": np.int32, "INT64": np.int64, "UINT8": np.uint8,
    "UINT16": np.uint16, "UINT32": np.uint32, "UINT64": np.uint64, "FP16": np.float16, "FP32": np.float32,
    "FP64": np.float64, "BYTES": object,
}  # fmt: skip
_CONTENTS: Mapping[str, str] = {
    "BOOL": "bool_contents", "INT8": "int_contents", "INT16": "int_contents", "INT32": "int_contents",
    "INT64": "int64_contents", "UINT8": "uint_contents", "UINT16": "uint_contents", "UINT32": "uint_contents",
    "UINT64": "uint64_contents", "FP32": "fp32_contents", "FP64": "fp64_contents", "BYTES": "bytes_contents",
}  # fmt: skip


class Malformed(Exception):
    """A body that is not what the protocol says; the words are the reason, the same for all of its kind."""


def over_http(content: bytes, header_length: int | None, tensors: str) -> dict[str, Any]:
    """Arrays by tensor name of a body; `tensors` is `inputs` or `outputs`, `header_length` that of the JSON in bytes.

    Raises Malformed.
    """
    length = len(content) if header_length is None else header_length
    if length > len(content):
        raise Malformed("the JSON is longer than the body")
    try:
        told = json.loads(content[:length])
        listed = told[tensors]
        described = [(str(one["name"]), str(one["datatype"]), [int(size) for size in one["shape"]]) for one in listed]
    except (ValueError, KeyError, TypeError, RecursionError) as bad:
        raise Malformed("no JSON with tensors") from bad
    raw, arrays = memoryview(content)[length:], {}
    for (name, datatype, shape), one in zip(described, listed, strict=True):
        size = (one.get("parameters") or {}).get("binary_data_size")
        if size is None:
            arrays[name] = _shaped(_from_list(datatype, one.get("data")), shape)
        else:
            if not isinstance(size, int) or not 0 <= size <= len(raw):
                raise Malformed("raw bytes are missing")
            arrays[name] = _shaped(_from_bytes(datatype, raw[:size]), shape)
            raw = raw[size:]
    return arrays


def over_grpc(content: bytes, tensors: str) -> dict[str, Any]:
    """Arrays by tensor name of a message: a request's with `inputs`, an answer's with `outputs`. Raises Malformed."""
    message = ModelInferRequest() if tensors == "inputs" else ModelInferResponse()
    try:
        message.ParseFromString(content)
    except DecodeError as bad:
        raise Malformed("no such protobuf") from bad
    listed = message.inputs if tensors == "inputs" else message.outputs
    raw: Sequence[bytes] = message.raw_input_contents if tensors == "inputs" else message.raw_output_contents
    if raw and len(raw) != len(listed):
        raise Malformed("raw bytes are missing")
    arrays = {}
    for at, one in enumerate(listed):
        flat = _from_bytes(one.datatype, memoryview(raw[at])) if raw else _from_contents(one)
        arrays[one.name] = _shaped(flat, list(one.shape))
    return arrays


def _shaped(flat: Any, shape: Sequence[int]) -> Any:
    if min(shape, default=0) < 0 or prod(shape) != flat.size:
        raise Malformed("the shape is not that of the data")
    return flat.reshape(shape)


def _dtype(datatype: str) -> Any:
    if datatype not in _NUMPY:
        raise Malformed("a datatype that is not known")
    return _NUMPY[datatype]


def _from_list(datatype: str, data: Any) -> Any:
    dtype = _dtype(datatype)
    if not isinstance(data, list):
        raise Malformed("a tensor without data")
    flat = list(_flattened(data))
    try:
        return _texts(flat) if dtype is object else np.array(flat, dtype)
    except (ValueError, TypeError, OverflowError) as bad:
        raise Malformed("data of another datatype") from bad


def _flattened(data: list[Any]) -> Iterable[Any]:
    """Values in order; the protocol lets lists be nested as the shape is."""
    waiting = [iter(data)]
    while waiting:
        for value in waiting[-1]:
            if isinstance(value, list):
                waiting.append(iter(value))
                break
            yield value
        else:
            waiting.pop()


def _from_bytes(datatype: str, raw: memoryview) -> Any:
    dtype = _dtype(datatype)
    if dtype is object:
        return _texts(_strings(raw))
    if len(raw) % np.dtype(dtype).itemsize:
        raise Malformed("raw bytes are missing")
    return np.frombuffer(raw, dtype)


def _from_contents(one: Any) -> Any:
    dtype = _dtype(one.datatype)
    if one.datatype not in _CONTENTS:
        raise Malformed("a datatype that is not known")
    values = list(getattr(one.contents, _CONTENTS[one.datatype]))
    try:
        return _texts(values) if dtype is object else np.array(values, dtype)
    except OverflowError as bad:
        raise Malformed("data of another datatype") from bad


def _texts(values: Sequence[Any]) -> Any:
    """Strings; bytes that are no UTF-8 keep what can be read."""
    flat = np.empty(len(values), object)
    flat[:] = [value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value) for value in values]
    return flat


def _strings(raw: memoryview) -> list[bytes]:
    """Strings with their length in four bytes before them, as Triton packs BYTES."""
    strings, at = [], 0
    while at < len(raw):
        if at + 4 > len(raw):
            raise Malformed("raw bytes are missing")
        (length,) = struct.unpack_from("<I", raw, at)
        if at + 4 + length > len(raw):
            raise Malformed("raw bytes are missing")
        strings.append(bytes(raw[at + 4 : at + 4 + length]))
        at += 4 + length
    return strings
