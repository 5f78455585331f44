"""Inference requests as clients get them wrong, drawn at random, and good ones among them."""

import json
import random
import struct
from typing import Any, NamedTuple

COLUMNS = {"numbers": 3, "table": 2, "words": 1}
"""The models asked, of tests/support/artifacts/onnx_models.py, and numbers in a row of each."""
INPUTS = {"numbers": ("x", "FP32"), "table": ("ids", "INT64"), "words": ("text", "BYTES")}
_ODD_SHAPES = ([0, 3], [17, 3], [1], [], [1, 3, 1], [-1, 3], [2**40, 3], [2**62, 2**62], [1, 0], [4, 1])


class InferenceRequest(NamedTuple):
    """A body for /v2/models/`model`/infer with its headers; `good` when it has to be answered."""

    model: str
    content: bytes
    headers: dict[str, str]
    good: bool


def drawn(seed: int) -> InferenceRequest:
    """The request that this seed gives: half of them good."""
    draw = random.Random(seed)
    model = draw.choice(sorted(COLUMNS))
    good = draw.random() < 0.5
    shape = [draw.randint(1, 16), COLUMNS[model]]
    if not good and draw.random() < 0.4:
        shape = list(draw.choice(_ODD_SHAPES))
    count = min(60, _elements(shape)) if good or draw.random() < 0.6 else draw.randint(0, 60)
    values = [_value(model, draw, good) for _ in range(count)]
    name, kind = INPUTS[model]
    if not good and draw.random() < 0.1:
        kind = draw.choice(("FP32", "INT64", "BYTES", "BOOL", "FP16", "UINT8"))
    tensor: dict[str, Any] = {"name": name, "datatype": kind, "shape": shape}
    body: dict[str, Any] = {"inputs": [tensor]}
    if not good and draw.random() < 0.1:
        body["outputs"] = [{"name": draw.choice(("y", "same", "none"))}]
    if draw.random() < 0.3 and all(isinstance(value, int | float) or _is_text(value) for value in values):
        tensor["data"] = [value.decode() if isinstance(value, bytes) else value for value in values]
        return InferenceRequest(model, json.dumps(body).encode(), {}, good)
    raw = b"".join(_raw(model, value, draw, good) for value in values)
    if not good and draw.random() < 0.2:
        raw = raw[: draw.randint(0, len(raw))] + draw.randbytes(draw.randint(0, 9))
    tensor["parameters"] = {"binary_data_size": len(raw)}
    head = json.dumps(body).encode()
    return InferenceRequest(model, head + raw, {"Inference-Header-Content-Length": str(len(head))}, good)


def _elements(shape: list[int]) -> int:
    count = 1
    for size in shape:
        count *= max(size, 0)
    return count


def _value(model: str, draw: random.Random, good: bool) -> Any:
    if model == "numbers":
        return draw.uniform(-9, 9)
    if model == "table":
        return draw.randint(0, 3) if good else draw.choice((-5, -1, 0, 3, 4, 2**40, -(2**63)))
    return draw.choice((b"", b"fine", "grün".encode(), b"x" * 300)) if good else draw.randbytes(draw.randint(0, 5))


def _raw(model: str, value: Any, draw: random.Random, good: bool) -> bytes:
    if model == "numbers":
        return struct.pack("<f", value)
    if model == "table":
        return struct.pack("<q", value)
    lie = 0 if good or draw.random() < 0.8 else draw.choice((-1, 1, 7, 2**31))
    return struct.pack("<I", max(0, len(value) + lie)) + value


def _is_text(value: Any) -> bool:
    try:
        value.decode()
    except UnicodeDecodeError:
        return False
    return True
