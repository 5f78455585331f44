"""Values from JSON: a request of the Open Inference Protocol v2, {"input name": values}, or bare values.

Nothing is rounded on the way: whole numbers stay whole whatever their size, and a number that no double holds is
refused instead of becoming infinite.
"""

import json
import math
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

from modelyard.errors import InvalidInput

from .text_files import read_text

_EXACT = 2.0**53
_LONGEST = 309
"""Digits of the largest double, and more than those of any whole number a model takes."""


class JsonValues(NamedTuple):
    """What a file holds: values by input name, or `alone` for one input; `strict` when only the model's own names
    will do, because a server would take no others."""

    by_name: dict[str, Any]
    alone: Any = None
    strict: bool = False


def read_json(path: Path) -> JsonValues:
    """The values in `path`; raises InvalidInput when it is not JSON, or a request without what a request needs."""
    text = read_text(path)
    try:
        document = json.loads(text, parse_float=_number, parse_int=_whole, object_pairs_hook=_object)
    except RecursionError as bad:
        raise InvalidInput(f"{path.name} is nested too deeply to be an array of values.") from bad
    except ValueError as bad:
        lines = "; JSON lines have to be one list of rows" if str(bad).startswith("Extra data") else ""
        raise InvalidInput(f"{path.name} is not JSON: {bad}{lines}.") from bad
    if not isinstance(document, dict):
        return JsonValues({}, document)
    tensors = document.get("inputs")
    if not isinstance(tensors, list) or not tensors or not all(isinstance(tensor, dict) for tensor in tensors):
        return JsonValues(document)
    return JsonValues(_tensors(path, tensors), strict=True)


def _tensors(path: Path, tensors: list[dict[str, Any]]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for tensor in tensors:
        name = tensor.get("name")
        if not isinstance(name, str) or "data" not in tensor:
            raise InvalidInput(f"{path.name}: every item of inputs needs a name, data, and a shape that fits.")
        if name in values:
            raise InvalidInput(f"{path.name} gives input {name!r} twice: keep one of them.")
        values[name] = _array(path, name, tensor)
    return values


def _array(path: Path, name: str, tensor: dict[str, Any]) -> Any:
    import numpy as np

    if "shape" not in tensor:
        return tensor["data"]
    try:
        shape = _shape(tensor["shape"])
        array = np.array(tensor["data"], dtype=object)
        if min(shape, default=0) < 0 or math.prod(shape) != array.size:
            raise ValueError(f"there are {array.size} values for the shape {list(shape)}")
        return array.reshape(shape)
    except (TypeError, ValueError, OverflowError) as bad:
        raise InvalidInput(f"{path.name}: input {name!r} needs data and a shape that fits: {bad}.") from bad


def _shape(sizes: Any) -> tuple[int, ...]:
    if not isinstance(sizes, list) or any(type(size) is not int for size in sizes):
        raise ValueError(f"a shape is a list of whole numbers, and {str(sizes)[:60]!r} is none")
    return tuple(sizes)


def _whole(text: str) -> int:
    if len(text) > _LONGEST:
        raise ValueError(f"{text[:20]}… is larger than any number a double holds")
    return int(text)


def _number(text: str) -> float | int:
    value = float(text)
    if math.isinf(value):
        raise ValueError(f"{text} is larger than any number a double holds")
    if abs(value) >= _EXACT and (exact := Decimal(text)) == exact.to_integral_value():
        return int(exact)
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"{twice!r} is there twice in one object, keep one of them")
    return found
