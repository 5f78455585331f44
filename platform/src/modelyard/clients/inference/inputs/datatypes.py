"""From values to the datatype a model takes, with nothing changed on the way that its author would not expect.

    BOOL            true and false as words in any case, 1 and 0; nothing else
    INT*, UINT*     whole numbers, exactly, however large, within the datatype's limits
    FP16, 32, 64    rounded to the nearest; a number beyond the datatype's range is refused, NaN and infinity stay
    BYTES           text as UTF-8, bytes as they are

A value written as text is taken for what it says, so that CSV and JSON agree.
"""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from modelyard.clients.inference.predictions import TensorSpec
from modelyard.errors import InvalidInput

if TYPE_CHECKING:
    import numpy as np

_DTYPES = {
    "BOOL": "bool", "UINT8": "uint8", "UINT16": "uint16", "UINT32": "uint32", "UINT64": "uint64", "INT8": "int8",
    "INT16": "int16", "INT32": "int32", "INT64": "int64", "FP16": "float16", "FP32": "float32", "FP64": "float64",
    "BYTES": "object",
}  # fmt: skip
_WORDS = {"true": True, "false": False, "1": True, "0": False, "1.0": True, "0.0": False}
_ABSENT = frozenset({"na", "n/a", "#n/a", "null", "none", "nil", "missing", "-", "?"})
_WHOLE = re.compile(r"[+-]?[0-9]+")
_EXACT = 2.0**53
_SHOWN = 60


def converted(values: Any, spec: TensorSpec) -> np.ndarray:
    """`values`, nested lists or an array, as an array of the datatype of `spec`; raises InvalidInput."""
    import numpy as np

    if spec.datatype not in _DTYPES:
        raise InvalidInput(
            f"input {spec.name} is {spec.datatype}, which is not written here: send its bytes with tritonclient."
        )
    try:
        array = values if isinstance(values, np.ndarray) else _regular(values, spec.datatype)
        if array.dtype.kind in "OSU" or spec.datatype == "BYTES":
            items = [_element(item, spec.datatype) for item in array.reshape(-1).tolist()]
            typed = np.empty(len(items), dtype=_DTYPES[spec.datatype])
            typed[:] = _within_range(items, spec.datatype)
            return typed.reshape(array.shape)
        return _numbers(array, np.dtype(_DTYPES[spec.datatype]), spec.datatype)
    except (TypeError, ValueError, OverflowError) as bad:
        raise InvalidInput(f"input {spec.name!r} takes {spec.datatype} values: {bad}.") from bad


def parsed(text: str, datatype: str) -> Any:
    """What a cell of text says, as a Python value of the protocol's `datatype`; raises ValueError, a fragment."""
    if datatype == "BYTES":
        return text
    word, kind = text.strip(), _DTYPES.get(datatype, "")
    if kind == "bool":
        if word.lower() not in _WORDS:
            raise ValueError(f"{_short(word)} is neither true nor false")
        return _WORDS[word.lower()]
    if "_" in word or not word.isascii():
        raise ValueError(f"{_short(word)} is no number")
    if kind.startswith("float"):
        return _floating(word)
    return _whole(word)


def _floating(word: str) -> float:
    if not word:
        return float("nan")
    try:
        value = float(word)
    except ValueError:
        raise ValueError(f"{_short(word)} is no number{_advice(word, floating=True)}") from None
    if value in (float("inf"), float("-inf")) and any(sign.isdigit() for sign in word):
        raise ValueError(f"{_short(word)} is larger than any number a double holds")
    return value


def _whole(word: str) -> int:
    if not word:
        raise ValueError("a value is missing, and whole numbers have no NaN")
    if _WHOLE.fullmatch(word) and len(word) < _SHOWN:
        return int(word)
    try:
        value = Decimal(word)
    except InvalidOperation:
        raise ValueError(f"{_short(word)} is no whole number{_advice(word, floating=False)}") from None
    if not value.is_finite():
        raise ValueError(f"{_short(word)} is no whole number")
    if value.adjusted() > _SHOWN:
        raise ValueError(f"{_short(word)} is too large")
    if value != value.to_integral_value():
        raise ValueError(f"{_short(word)} has a fraction, there must be no fractions among them")
    return int(value)


def _advice(word: str, *, floating: bool) -> str:
    if re.fullmatch(r"[+-]?[0-9]+([,.' ][0-9]+)+", word):
        return ", write decimals with a point and thousands without a sign"
    if floating and word.lower() in _ABSENT:
        return ", leave a missing number empty or write NaN"
    return ""


def _short(word: str) -> str:
    return repr(word if len(word) <= _SHOWN else word[:_SHOWN] + "…")


def _regular(values: Any, datatype: str) -> np.ndarray:
    """Nested lists as an array, of objects where an array of numbers would change them."""
    import numpy as np

    try:
        array = np.asarray(values)
    except ValueError:
        raise ValueError("they form no array: rows or rows of rows differ in length") from None
    whole = datatype.startswith(("INT", "UINT"))
    rounded = whole and array.dtype.kind == "f" and bool((np.isfinite(array) & (np.abs(array) >= _EXACT)).any())
    if array.dtype.kind in "biuf" and not rounded:
        return array
    return np.array(values, dtype=object)


def _element(item: Any, datatype: str) -> Any:
    """One value of an array of mixed values."""
    if isinstance(item, list | dict):
        raise ValueError("they form no array: rows differ in length, or there are objects among them")
    if item is None:
        missing = "write NaN for a missing number" if datatype.startswith("FP") else "write a value"
        raise ValueError(f"null is no value: {missing}")
    if datatype == "BYTES":
        return _bytes(item)
    if isinstance(item, bytes):
        item = item.decode(errors="replace")
    if isinstance(item, str):
        return parsed(item, datatype)
    if datatype == "BOOL" and item not in (0, 1):
        raise ValueError(f"{item} is neither true nor false")
    if datatype.startswith(("INT", "UINT")) and item != item // 1:
        raise ValueError(f"{item} is no whole number, there must be no fractions among them")
    return int(item) if datatype.startswith(("INT", "UINT")) else item


def _bytes(item: Any) -> bytes:
    if isinstance(item, bytes):
        return item
    if not isinstance(item, str):
        raise ValueError(f"{item} is no text: put it in quotes")
    try:
        return item.encode()
    except UnicodeEncodeError:
        raise ValueError(f"{item!r} holds half a character, which UTF-8 cannot write") from None


def _within_range(items: list[Any], datatype: str) -> Any:
    """The items as they go into a typed array; raises ValueError for a number that the datatype does not hold."""
    import numpy as np

    dtype = np.dtype(_DTYPES[datatype])
    if dtype.kind in "iu" and items:
        _check_limits(min(items), max(items), dtype)
    if dtype.kind == "f":
        return _floats(np.array([_double(item) for item in items], dtype=np.float64), dtype, datatype)
    return items


def _double(item: Any) -> float:
    try:
        return float(item)
    except OverflowError:
        raise ValueError(f"{_short(str(item))} is larger than any number a double holds") from None


def _numbers(array: np.ndarray, dtype: np.dtype, datatype: str) -> np.ndarray:
    import numpy as np

    if array.dtype.kind not in "biuf":
        raise ValueError(f"{array.dtype} is no kind of number a model takes")
    if array.dtype == dtype:
        return array
    if dtype.kind == "f":
        return _floats(array, dtype, datatype)
    if dtype.kind == "b":
        if not ((array == 0) | (array == 1)).all():
            raise ValueError("there are others than 0 and 1 among them")
        return array.astype(bool)
    if array.dtype.kind == "f" and not np.array_equal(array, np.trunc(array)):
        finite = bool(np.isfinite(array).all())
        raise ValueError("there are fractions among them" if finite else "there is NaN among them")
    if array.size:
        low, high = array.min(), array.max()
        if not (np.isfinite(low) and np.isfinite(high)):
            raise ValueError("there is infinity among them")
        _check_limits(int(low), int(high), dtype)
    return array.astype(dtype)


def _check_limits(low: int, high: int, dtype: np.dtype) -> None:
    import numpy as np

    limits = np.iinfo(dtype)
    if low < limits.min or high > limits.max:
        raise ValueError(f"they must lie between {limits.min} and {limits.max}")


def _floats(array: np.ndarray, dtype: np.dtype, datatype: str) -> np.ndarray:
    import numpy as np

    with np.errstate(all="ignore"):
        narrow = array.astype(dtype)
    beyond = np.isinf(narrow) & np.isfinite(array)
    if beyond.any():
        largest = float(np.finfo(dtype).max)
        raise ValueError(f"{float(array[beyond].flat[0]):g} is beyond its range (at most {largest:.5g})")
    return narrow
