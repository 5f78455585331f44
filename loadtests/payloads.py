"""What is sent: one request, or many different ones, because a server answers the same one faster than users' own.

| from | requests |
|---|---|
| `build` | rows of the entry's eval.npz in the store, else the build's warm-up request, and copies a little off |
| `request` | the one body in a file |
| `inputs.evaluation` | rows of an eval.npz beside the scenario |
| `inputs.tensors` | random values of the datatypes and shapes that are written down |
| `inputs.samples` | recorded request bodies: one a line (JSONL), or a JSON list |

They are encoded once for each protocol that is used and sent in turn.
"""

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import Field, model_validator

from modelyard.api.shape import Shape
from modelyard.builder.artifacts.recorded_requests import Feed, requests, warmup_inputs
from modelyard.builder.evaluation.evaluation_set import read_arrays
from modelyard.builder.evaluation.sample_inputs import numpy_type
from modelyard.builder.triton.v2_http import encode
from modelyard.clients.inference.gateway import content_headers
from modelyard.core.storage.object_store import Store
from modelyard.errors import CorruptEntry, InvalidSettings, ModelyardError

MOST_BYTES = 16 * 1024 * 1024
"""Of all different inputs together, as raw tensors; what goes beyond is left out, but for the first request."""
_SEED = 1
_EXAMPLE = (
    'it looks like {"inputs": [{"name", "datatype", "shape", "data"}]}, as `modelyard build` writes it to warmup.json.'
)


class MadeUpTensor(Shape):
    """One input of random values: even between low and high, or drawn from a list."""

    name: str = Field(min_length=1)
    datatype: Literal[
        "FP64",
        "FP32",
        "FP16",
        "INT64",
        "INT32",
        "INT16",
        "INT8",
        "UINT64",
        "UINT32",
        "UINT16",
        "UINT8",
        "BOOL",
        "BYTES",
    ] = Field(description="As the model's metadata say it.")
    dims: list[int] = Field(alias="shape", description="Its shape, the batch too.")
    low: float = Field(default=0.0, allow_inf_nan=False)
    high: float = Field(default=1.0, allow_inf_nan=False)
    values: list[str | float] = Field(default_factory=list, description="Draw from these instead.")

    @model_validator(mode="after")
    def _possible(self) -> "MadeUpTensor":
        if any(dim < 1 for dim in self.dims) or math.prod(self.dims) * 8 > MOST_BYTES:
            raise ValueError("shape has dimensions of 1 or more, and at most two million elements")
        if self.datatype == "BYTES" and not self.values:
            raise ValueError("write values: words cannot be made up")
        if self.datatype != "BYTES" and any(isinstance(value, str) for value in self.values):
            raise ValueError(f"values of {self.datatype} are numbers")
        least, most = _limits(self.datatype)
        numbers = [self.low, self.high, *(value for value in self.values if not isinstance(value, str))]
        if self.low > self.high or not all(least <= number <= most for number in numbers):
            raise ValueError(f"low is at most high, and {self.datatype} can hold both and every value")
        return self

    def drawn(self, random: np.random.Generator) -> Any:
        """One array of them."""
        dtype = numpy_type(self.datatype)
        if self.values:
            chosen = np.array(self.values, dtype=object)[random.integers(len(self.values), size=self.dims)]
            return (
                np.array(chosen, dtype=object).astype(str).astype(object) if dtype.hasobject else chosen.astype(dtype)
            )
        if dtype.kind == "f":
            return random.uniform(self.low, self.high, self.dims).astype(dtype)
        if dtype.kind == "b":
            return random.integers(0, 2, self.dims).astype(dtype)
        return random.integers(int(self.low), int(self.high), self.dims, dtype=dtype, endpoint=True)


class RequestInputs(Shape):
    """Different requests: one of evaluation, tensors and samples."""

    evaluation: str = Field(default="", description="Rows of this eval.npz, beside the scenario.")
    tensors: list[MadeUpTensor] = Field(default_factory=list, description="Random values for each input.")
    samples: str = Field(default="", description="Recorded v2 request bodies in this file: JSONL, or a JSON list.")
    count: int = Field(default=100, ge=1, le=10_000, description="How many different requests, at most.")

    @model_validator(mode="after")
    def _one(self) -> "RequestInputs":
        if sum(bool(source) for source in (self.evaluation, self.tensors, self.samples)) != 1:
            raise ValueError("write one of evaluation, tensors and samples")
        return self

    def feeds(self, folder: Path) -> list[Feed]:
        """Arrays by input name, one mapping a request; raises InvalidSettings for files that cannot be used."""
        if self.tensors:
            random = np.random.default_rng(_SEED)
            return [{tensor.name: tensor.drawn(random) for tensor in self.tensors} for _ in range(self.count)]
        path = folder / (self.evaluation or self.samples)
        if not path.is_file():
            raise InvalidSettings(f"inputs: there is no file {path}.")
        return (_rows(path) if self.evaluation else _samples(path))[: self.count]


def _limits(datatype: str) -> tuple[float, float]:
    dtype = numpy_type(datatype)
    if dtype.kind in "iu":
        return float(np.iinfo(dtype).min), float(np.iinfo(dtype).max)
    return (0.0, 1.0) if dtype.kind == "b" else (-math.inf, math.inf)


def stored(store: Store, digest: str, count: int = 100) -> list[Feed]:
    """Requests of a build in the store."""
    return requests(store, digest, count).feeds


def request_feed(body: bytes, origin: str) -> Feed:
    """Arrays of one request body; raises InvalidSettings, with `origin` in it, when it is none."""
    try:
        return warmup_inputs(body)
    except CorruptEntry as bad:
        raise InvalidSettings(
            f"the request of {origin} is no inference request of the v2 protocol; {_EXAMPLE}"
        ) from bad


def encoded(protocol: str, model: str, feeds: Sequence[Feed], body: bytes = b"") -> list[Any]:
    """The requests as a protocol sends them: messages of gRPC, else pairs of body and headers.

    `body` is the one request as it was written, which HTTP leaves as it is.
    """
    from modelyard.clients.inference.grpc import infer_request

    if protocol == "http":
        bodies = [body] if body else [encode(feed, binary_outputs=False).content for feed in feeds]
        return [(one, content_headers(one)) for one in bodies]
    messages = [infer_request(model, feed) for feed in feeds]
    return messages if protocol == "grpc" else [_binary(message) for message in messages]


def bounded(feeds: Sequence[Feed]) -> list[Feed]:
    """The first of them that fit into MOST_BYTES, one at least."""
    kept, total = [], 0
    for feed in feeds:
        total += sum(value.nbytes for value in feed.values())
        if kept and total > MOST_BYTES:
            break
        kept.append(feed)
    return kept


def _binary(message: Any) -> tuple[bytes, dict[str, str]]:
    """The binary tensor data extension of the v2 protocol: all tensors raw, and raw outputs asked for."""
    inputs = [
        {
            "name": tensor.name,
            "datatype": tensor.datatype,
            "shape": list(tensor.shape),
            "parameters": {"binary_data_size": len(raw)},
        }
        for tensor, raw in zip(message.inputs, message.raw_input_contents, strict=True)
    ]
    header = json.dumps({"inputs": inputs, "parameters": {"binary_data_output": True}}).encode()
    headers = {"Content-Type": "application/octet-stream", "Inference-Header-Content-Length": str(len(header))}
    return header + b"".join(message.raw_input_contents), headers


def _rows(path: Path) -> list[Feed]:
    """One request a row of the arrays that all have as many, named `input:NAME` or NAME."""
    try:
        arrays: Mapping[str, Any] = read_arrays(path)
    except (ModelyardError, ValueError, OSError) as bad:
        raise InvalidSettings(f"inputs: {path.name} is no eval.npz: {bad}") from bad
    marked = {name.removeprefix("input:"): value for name, value in arrays.items() if name.startswith("input:")}
    inputs = marked or {name: value for name, value in arrays.items() if ":" not in name}
    counts = {len(value) if value.ndim else 0 for value in inputs.values()}
    if len(counts) != 1 or 0 in counts:
        raise InvalidSettings(
            f"inputs: the arrays of {path.name} have different numbers of rows, or none: name them input:NAME, a row a "
            "request."
        )
    return [{name: value[row : row + 1] for name, value in inputs.items()} for row in range(counts.pop())]


def _samples(path: Path) -> list[Feed]:
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as bad:
        raise InvalidSettings(f"inputs: {path.name} is no text in UTF-8: {bad}.") from bad
    try:
        whole = json.loads(text)
        bodies = [json.dumps(one) for one in (whole if isinstance(whole, list) else [whole])]
    except ValueError:
        bodies = [line for line in text.splitlines() if line.strip()]
    if not bodies:
        raise InvalidSettings(f"inputs: {path.name} holds no request; {_EXAMPLE}")
    return [request_feed(body.encode(), f"{path.name}, number {place}") for place, body in enumerate(bodies, 1)]
