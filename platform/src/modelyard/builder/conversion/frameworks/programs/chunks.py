"""Rows that are asked a few at a time, as a model with a fixed batch wants them."""

from collections.abc import Callable
from typing import Any

import numpy as np

CHUNK = "modelyard:chunk"


def in_chunks(rows: dict[str, Any], ask: Callable[[dict[str, Any]], dict[str, Any]]) -> dict[str, Any]:
    """What `ask` answers to all rows, of which it gets as many at a time as the array CHUNK among them says."""
    arrays = {name: array for name, array in rows.items() if name != CHUNK}
    count, size = len(next(iter(arrays.values()))), int(rows[CHUNK])
    parts = [
        ask({name: array[start : start + size] for name, array in arrays.items()}) for start in range(0, count, size)
    ]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
