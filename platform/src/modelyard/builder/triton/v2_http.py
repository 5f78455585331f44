"""Open Inference Protocol v2 over HTTP: one request's body, one response's arrays.

JSON wherever JSON can carry the values; half precision, infinities and NaN travel as raw bytes behind the JSON
header (Triton's binary extension), whose length the header `Inference-Header-Content-Length` tells.
"""

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from modelyard.builder.evaluation.sample_inputs import numpy_type

HEADER_LENGTH = "Inference-Header-Content-Length"
_DATATYPES = {
    "float32": "FP32", "float64": "FP64", "float16": "FP16", "bool": "BOOL", "object": "BYTES",
    "int8": "INT8", "int16": "INT16", "int32": "INT32", "int64": "INT64",
    "uint8": "UINT8", "uint16": "UINT16", "uint32": "UINT32", "uint64": "UINT64",
}  # fmt: skip


@dataclass(frozen=True)
class RequestBody:
    """A request or response body; `header_length` is None when all of it is JSON."""

    content: bytes
    header_length: int | None = None

    @property
    def headers(self) -> dict[str, str]:
        """HTTP headers to send with it."""
        if self.header_length is None:
            return {"Content-Type": "application/json"}
        return {"Content-Type": "application/octet-stream", HEADER_LENGTH: str(self.header_length)}


def encode(feed: Mapping[str, Any], binary_outputs: bool = False) -> RequestBody:
    """The request for arrays by input name; `binary_outputs` asks for an answer in raw bytes (see `needs_binary`)."""
    inputs, raw = [], b""
    for name, array in feed.items():
        tensor: dict[str, Any] = {"name": name, "datatype": _DATATYPES[array.dtype.name], "shape": list(array.shape)}
        if _in_json(array):
            tensor["data"] = _plain(array)
        else:
            piece = array.tobytes()
            tensor["parameters"] = {"binary_data_size": len(piece)}
            raw += piece
        inputs.append(tensor)
    request: dict[str, Any] = {"inputs": inputs}
    if binary_outputs:
        request["parameters"] = {"binary_data_output": True}
    header = json.dumps(request, separators=(",", ":"), ensure_ascii=False).encode()
    return RequestBody(header + raw, len(header) if raw else None)


def decode(content: bytes, header_length: int | None, tensors: str = "outputs") -> dict[str, Any]:
    """Arrays by name, of a response's body, or with `tensors="inputs"` of a request's.

    `header_length` is that of the JSON header in bytes, None when all of `content` is JSON.
    """
    import numpy as np

    header = json.loads(content if header_length is None else content[:header_length])
    raw, arrays = content[header_length or len(content) :], {}
    for output in header[tensors]:
        size = output.get("parameters", {}).get("binary_data_size")
        dtype = numpy_type(output["datatype"])
        if size is None:
            flat = np.array(output["data"], dtype=dtype)
        else:
            piece, raw = raw[:size], raw[size:]
            flat = np.array(_strings(piece), dtype=object) if dtype.hasobject else np.frombuffer(piece, dtype)
        arrays[output["name"]] = flat.reshape(output["shape"])
    return arrays


def needs_binary(arrays: Mapping[str, Any]) -> bool:
    """Whether some array cannot be written as JSON: half precision, NaN, infinities."""
    return not all(_in_json(array) for array in arrays.values())


def _in_json(array: Any) -> bool:
    import numpy as np

    if array.dtype.kind != "f":
        return True
    return array.dtype.itemsize > 2 and bool(np.isfinite(array).all())


def _plain(array: Any) -> list[Any]:
    """Flat values; floats as the shortest text that reads back to the same bits."""
    if array.dtype.name == "float32":
        return [float(str(value)) for value in array.ravel()]
    return array.ravel().tolist()


def _strings(piece: bytes) -> list[str]:
    """Length-prefixed strings, as Triton packs BYTES."""
    strings, at = [], 0
    while at < len(piece):
        (length,) = struct.unpack_from("<I", piece, at)
        strings.append(piece[at + 4 : at + 4 + length].decode())
        at += 4 + length
    return strings
