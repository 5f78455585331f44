"""More rows than a server takes at once, sent in parts, and the parts' answers as one.

Rows of a batch do not depend on one another: whoever declares a largest batch promises that. So it may be cut
anywhere, and the answers stand below one another as if it had been one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from modelyard.errors import InvalidInput

from .predictions import Inference, Prediction

if TYPE_CHECKING:
    import numpy as np


def predict_rows(connection: Inference, inputs: Mapping[str, np.ndarray]) -> Prediction:
    """The prediction for `inputs`, whose rows lie along dimension 0, in as many requests as the server's limit asks.

    `revision` names all that answered. Raises what `Inference.predict` raises, and InvalidInput when the inputs have
    different numbers of rows, or when the parts' answers have different shapes and so make no whole.
    """
    counts = {name: array.shape[0] for name, array in inputs.items() if array.ndim}
    rows = max(counts.values(), default=1)
    limit = connection.largest_batch() if rows > 1 else 0
    if not limit:
        return connection.predict(inputs)
    different = {name: count for name, count in counts.items() if count != rows}
    if different or len(counts) < len(inputs):
        said = ", ".join(f"{name} has {count}" for name, count in counts.items())
        raise InvalidInput(f"every input needs the same number of rows, and {said}.")
    if rows <= limit:
        return connection.predict(inputs)
    parts = [
        connection.predict({name: array[start : start + limit] for name, array in inputs.items()})
        for start in range(0, rows, limit)
    ]
    return Prediction(_joined(parts, rows, limit), ", ".join(sorted({part.revision for part in parts} - {""})))


def _joined(parts: list[Prediction], rows: int, limit: int) -> dict[str, np.ndarray]:
    import numpy as np

    joined = {}
    for name in parts[0].outputs:
        arrays = [part.outputs[name] for part in parts]
        if len({array.shape[1:] for array in arrays}) != 1 or sum(len(array) for array in arrays) != rows:
            shapes = " and ".join(str(list(array.shape)) for array in arrays[:2])
            raise InvalidInput(
                f"{rows} rows are more than the {limit} that go into one request, and the parts' answers do not fit "
                f"together ({name} has shapes {shapes}): send fewer with --first {limit}."
            )
        joined[name] = np.concatenate(arrays)
    return joined
