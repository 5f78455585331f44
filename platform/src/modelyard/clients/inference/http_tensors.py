"""Tensors in HTTP bodies of the Open Inference Protocol v2.

Binary, by Triton's extension: a JSON header without values, and behind it the raw bytes of every tensor, little-endian
and row by row, strings with four bytes of length before each. The header `Inference-Header-Content-Length` says where
the JSON ends. Or all of it JSON, which any server of the protocol reads, and which has no half precision, no NaN and no
infinity. Answers are read in either form, tensor by tensor.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from tritonclient.utils import deserialize_bytes_tensor, np_to_triton_dtype, serialize_byte_tensor, triton_to_np_dtype

from modelyard.errors import InvalidInput

HEADER_LENGTH = "Inference-Header-Content-Length"
_BINARY = {"Content-Type": "application/octet-stream"}
_JSON = {"Content-Type": "application/json"}
_WITHOUT_JSON = ("FP16", "BF16")


class HttpBody(NamedTuple):
    """A request's body, and the headers that say how to read it."""

    content: bytes
    headers: dict[str, str]


def encoded(inputs: Mapping[str, np.ndarray], *, binary: bool = True) -> HttpBody:
    """The request for arrays by input name; raises InvalidInput for values that JSON cannot carry.

    With `binary` the answer is asked for in raw bytes, too.
    """
    if not binary:
        tensors = [{**_named(name, array), "data": _values(name, array)} for name, array in inputs.items()]
        return HttpBody(json.dumps({"inputs": tensors}, separators=(",", ":")).encode(), _JSON)
    tensors, pieces = [], []
    for name, array in inputs.items():
        piece = packed(array)
        tensors.append({**_named(name, array), "parameters": {"binary_data_size": len(piece)}})
        pieces.append(piece)
    request = {"inputs": tensors, "parameters": {"binary_data_output": True}}
    header = json.dumps(request, separators=(",", ":")).encode()
    return HttpBody(b"".join((header, *pieces)), {**_BINARY, HEADER_LENGTH: str(len(header))})


def decoded(content: bytes, header_length: str | None) -> dict[str, np.ndarray]:
    """Arrays by output name; `header_length` is the answer's HEADER_LENGTH, None when all of it is JSON.

    Raises ValueError, KeyError, TypeError or AttributeError for what is no answer of the protocol.
    """
    length = len(content) if header_length is None else int(header_length)
    arrays, at = {}, length
    for tensor in json.loads(content[:length]).get("outputs", ()):
        datatype, size = tensor["datatype"], tensor.get("parameters", {}).get("binary_data_size")
        if size is None:
            flat = _from_json(datatype, tensor["data"])
        else:
            flat = unpacked(datatype, content[at : at + size])
            at += size
        arrays[tensor["name"]] = flat.reshape(tensor["shape"])
    return arrays


def _named(name: str, array: np.ndarray) -> dict[str, Any]:
    return {"name": name, "shape": list(array.shape), "datatype": np_to_triton_dtype(array.dtype)}


def packed(array: np.ndarray) -> bytes:
    """The raw bytes of a tensor."""
    if array.dtype.kind in "OSU":
        packed = serialize_byte_tensor(array)
        return packed.item() if packed is not None and packed.size else b""
    return array.tobytes()


def unpacked(datatype: str, piece: bytes) -> np.ndarray:
    """The flat array of a tensor's raw bytes."""
    if datatype == "BYTES":
        return deserialize_bytes_tensor(piece)
    return np.frombuffer(piece, dtype=triton_to_np_dtype(datatype))


def _from_json(datatype: str, values: Any) -> np.ndarray:
    if datatype == "BYTES":
        flat = np.empty(len(values), dtype=object)
        flat[:] = [value.encode() for value in values]
        return flat
    return np.array(values, dtype=triton_to_np_dtype(datatype))


def _values(name: str, array: np.ndarray) -> list[Any]:
    """Flat values; floats as the shortest text that reads back to the same bits."""
    if np_to_triton_dtype(array.dtype) in _WITHOUT_JSON:
        raise InvalidInput(f"input {name!r} has half precision, which JSON has no word for: send it as raw bytes.")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise InvalidInput(f"input {name!r} has NaN or infinity, which JSON has no word for: send it as raw bytes.")
    if array.dtype == np.float32:
        return [float(str(value)) for value in array.ravel()]
    if array.dtype.kind not in "OSU":
        return array.ravel().tolist()
    try:
        return [value.decode() if isinstance(value, bytes) else str(value) for value in array.ravel().tolist()]
    except UnicodeDecodeError as bad:
        raise InvalidInput(f"input {name!r} has bytes that are no UTF-8 text: send it as raw bytes.") from bad
