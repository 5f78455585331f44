"""Made-up inputs for a model that came without real ones.

Dynamic dimensions get one size together, the batch gets rows; sizes and kinds of values are tried from the
likely to the unlikely until the model accepts one. The values are pseudo-random with a fixed seed: rows must
differ, or batching would look right whatever the model does, and two builds must try the same.
"""

from collections.abc import Iterator, Sequence
from math import prod
from typing import Any

from modelyard.builder.inspection.graph import Dim, Port

SIZES = (8, 1, 2, 4, 16, 32, 64, 128, 224, 3)
KINDS = ("random", "ones", "zeros", "large")
_WORDS = ("alpha", "beta", "gamma", "delta", "epsilon")
_MOST_ELEMENTS = 20_000_000

_NUMPY = {
    "FP32": "float32", "FP64": "float64", "FP16": "float16", "BOOL": "bool", "BYTES": "object",
    "INT8": "int8", "INT16": "int16", "INT32": "int32", "INT64": "int64",
    "UINT8": "uint8", "UINT16": "uint16", "UINT32": "uint32", "UINT64": "uint64",
}  # fmt: skip


def numpy_type(datatype: str) -> Any:
    """The numpy dtype of an Open Inference Protocol datatype (FP32, BYTES, ...); raises KeyError for an unknown one."""
    import numpy as np

    return np.dtype(_NUMPY[datatype])


def recipes(others: Sequence[int] = ()) -> Iterator[tuple[int, str]]:
    """Pairs of sizes (of dynamic dimensions) and KINDS (of values) to make inputs of, the likely first.

    Sizes are SIZES, and with the likeliest values also `others`.
    """
    for kind in KINDS:
        for size in (*SIZES, *others) if kind == KINDS[0] else SIZES:
            yield size, kind


def sample(ports: Sequence[Port], size: int, kind: str, seed: int, rows: int | None) -> dict[str, Any] | None:
    """Made-up arrays by input name, drawn from `seed`: dynamic dimensions of `size`, dimension 0 of `rows` unless None.

    `kind` is one of KINDS. None when an array would have more than 20 million elements.
    """
    import numpy as np

    random = np.random.default_rng(seed)
    feed = {}
    for port in ports:
        shape = sized(tuple(dict(port.likely).get(axis, dim) for axis, dim in enumerate(port.dims or ())), size)
        if rows is not None:
            shape = (rows, *shape[1:])
        if prod(shape) > _MOST_ELEMENTS:
            return None
        feed[port.name] = _values(random, shape, port.datatype, kind, seed)
    return feed


def sized(dims: Sequence[Dim], size: int) -> tuple[int, ...]:
    """A shape: fixed dimensions as they are, dynamic ones `size`."""
    return tuple(dim if isinstance(dim, int) else size for dim in dims)


def _values(random: Any, shape: tuple[int, ...], datatype: str, kind: str, seed: int) -> Any:
    import numpy as np

    if datatype == "BYTES":
        words = {"random": _WORDS, "ones": ("1",), "zeros": ("0",), "large": ("",)}[kind]
        drawn = [words[(seed - 1 + index) % len(words)] for index in range(prod(shape))]
        return np.array(drawn, dtype=object).reshape(shape)
    dtype = numpy_type(datatype)
    if kind == "zeros":
        return np.zeros(shape, dtype)
    if kind == "ones":
        return np.ones(shape, dtype)
    if kind == "large" and dtype.kind in "iu":
        # Audio models take a sampling rate: 16000, which is 125 repeated in the smallest types.
        return np.full(shape, 16000 if dtype.itemsize > 1 else 125, dtype)
    if dtype.kind == "f":
        return np.round(random.random(shape), 2).astype(dtype)
    return random.integers(0, 2, shape).astype(dtype)
