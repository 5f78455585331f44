"""From an array's shape to the one a model takes, only where every value stays where its author put it.

A missing batch dimension is added, dimensions of one element are added and left out, and rows that are flat are
folded in the order of the model's dimensions. Rows stay rows: an array with as many dimensions as the model has is
never read as more or fewer of them. An array with the same sizes in another order is refused: numbers that
were moved look like any others (a picture height x width x colour for a model colour x height x width).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from modelyard.clients.inference.predictions import TensorSpec
from modelyard.errors import InvalidInput

if TYPE_CHECKING:
    import numpy as np


def shaped(array: np.ndarray, spec: TensorSpec) -> np.ndarray:
    """`array` in the shape of `spec`, in which -1 is any size; raises InvalidInput with both shapes."""
    if spec.shape[:1] == (-1,) and array.ndim == len(spec.shape) and array.shape[0] == 0:
        raise InvalidInput(f"input {spec.name!r} got no rows: give one at least.")
    if fits(array.shape, spec.shape):
        return array
    if fits((1, *array.shape), spec.shape):
        return array[None]
    whole = _whole_shape(array, spec)
    if whole is not None and (_significant(array.shape) == _significant(whole) or array.shape in _flat(whole)):
        return array.reshape(whole)
    expected = " x ".join("any" if size == -1 else str(size) for size in spec.shape)
    actual = " x ".join(map(str, array.shape)) or "one value"
    raise InvalidInput(f"input {spec.name!r} takes an array of {expected}; given is {actual}{_hint(array, spec)}.")


def row_size(spec: TensorSpec) -> int:
    """How many values one row has; 0 when that is not fixed."""
    fixed = spec.shape[1:] if spec.shape[:1] == (-1,) else spec.shape
    return 0 if -1 in fixed else math.prod(fixed)


def fits(actual: tuple[int, ...], expected: tuple[int, ...]) -> bool:
    """Whether a shape is the expected one, in which -1 stands for any size."""
    return len(actual) == len(expected) and all(e in (-1, a) for a, e in zip(actual, expected, strict=True))


def _whole_shape(array: np.ndarray, spec: TensorSpec) -> tuple[int, ...] | None:
    """The model's shape with the number of rows that the array's size gives; None when there is no such number."""
    size = row_size(spec)
    if not size or not array.size or array.size % size:
        return None
    if spec.shape[:1] != (-1,):
        return spec.shape if array.size == size else None
    rows = array.size // size
    return (rows, *spec.shape[1:]) if array.ndim != len(spec.shape) or len(array) == rows else None


def _significant(shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(size for size in shape if size != 1)


def _flat(whole: tuple[int, ...]) -> tuple[tuple[int, ...], ...]:
    """Shapes in which every row is flat."""
    row = math.prod(whole[1:])
    return ((whole[0], row), (row,)) if whole[:1] == (1,) else ((whole[0], row),)


def _hint(array: np.ndarray, spec: TensorSpec) -> str:
    """How to put the colours where the model has them, when that is all there is to do."""
    import numpy as np

    if array.ndim not in (3, 4):
        return ""
    for source, target in ((-1, -3), (-3, -1)):
        shape = np.moveaxis(array, source, target).shape
        if fits(shape, spec.shape) or fits((1, *shape), spec.shape):
            return f": move its axis with numpy.moveaxis({spec.name}, {source}, {target})"
    return ""
