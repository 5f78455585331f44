"""How much each input moves the outputs: what drift in a feature weighs.

One feature's values are put into another order over the rows, and the model is asked again (Breiman, Random forests,
2001, permutation importance; here of the answers themselves, so that no labels are needed). What the answers move by,
in standard deviations of each output, is the feature's part; parts are shares of their sum. A model that is too slow
for that in SECONDS is not asked, and neither is one with fewer than FEWEST rows.
"""

import time
from collections.abc import Callable, Mapping
from math import inf
from typing import TYPE_CHECKING

from modelyard.records.columns import columns_of, rows_of

from .evaluation_set import Feed, Run

if TYPE_CHECKING:
    import numpy as np

SECONDS = 5.0
ROWS, FEWEST = 400, 20
_SEED = 7


def importances(
    inputs: Mapping[str, "np.ndarray"], run: Run, seconds: float = SECONDS, clock: Callable[[], float] = time.monotonic
) -> dict[str, float]:
    """Share (0..1) of what all inputs move the outputs by, by column of `records.columns`; empty when it is not told.

    `inputs` are arrays whose axis 0 are rows that do not influence one another. A tensor that is summed up is one
    question, and its columns have the same share.
    """
    import numpy as np

    rows = min(rows_of(inputs), ROWS)
    if rows < FEWEST:
        return {}
    columns = {column: _question(name, column) for name, array in inputs.items()
               for column in columns_of({name: array[:1]}, 1)}  # fmt: skip
    questions = sorted(set(columns.values()))
    started = clock()
    run({name: value[:FEWEST] for name, value in inputs.items()})
    a_row = (clock() - started) / FEWEST
    if a_row * rows * (len(questions) + 1) > seconds:
        return {}
    feed = {name: value[:rows] for name, value in inputs.items()}
    before, order = run(feed), np.random.default_rng(_SEED).permutation(rows)
    moved = {question: _moved(before, run(_shuffled(feed, *question, order))) for question in questions}
    total = sum(moved.values())
    if not 0.0 < total < inf:
        return {}
    return {column: round(moved[question] / total, 4) for column, question in columns.items()}


def _question(tensor: str, column: str) -> tuple[str, int]:
    """Which values of which tensor are put into another order: those of one place, or all (-1)."""
    place = column.removeprefix(tensor)
    return (tensor, int(place[1:-1])) if place.startswith("[") else (tensor, -1)


def _shuffled(feed: Feed, tensor: str, place: int, order: "np.ndarray") -> Feed:
    value = feed[tensor]
    if place < 0:
        return {**feed, tensor: value[order]}
    changed = value.reshape(len(value), -1).copy()
    changed[:, place] = changed[order, place]
    return {**feed, tensor: changed.reshape(value.shape)}


def _moved(before: Feed, after: Feed) -> float:
    """The mean move of all outputs: in standard deviations for numbers, as the share of other answers for the rest."""
    import numpy as np

    moves = []
    for name, value in before.items():
        if not value.size:
            moves.append(0.0)
        elif value.dtype.kind == "f":
            wide, other = value.astype(np.float64), after[name].astype(np.float64)
            spread = float(np.nanstd(wide)) or 1.0
            moves.append(float(np.nan_to_num(np.abs(wide - other)).mean()) / spread)
        else:
            moves.append(float((value != after[name]).mean()))
    return sum(moves) / len(moves)
