"""People who ask: batches of those that census-income knows, or of those of thirty years later, made up."""

import importlib
import sys
from collections.abc import Iterator
from typing import Any, NamedTuple

from demo.stage import ROOT

CENSUS = ROOT / "model-repo" / "census-income"
_AT_ONCE = 4000


class Batch(NamedTuple):
    """Rows of one request [n, 10] as float32, and who of them earns more [n], as will be known later."""

    rows: Any
    truth: Any


def census(module: str) -> Any:
    """A module beside the entry: synthetic, later, features, with_recipe."""
    if str(CENSUS) not in sys.path:
        sys.path.append(str(CENSUS))
    return importlib.import_module(module)


def batches(module: str, rows: int, seed: int) -> Iterator[Batch]:
    """Requests of so many rows of the people of `module` (synthetic or later), for ever, the same for a seed."""
    features = census("features").features
    while True:
        people = census(module).people(_AT_ONCE, seed)
        made = features(people)
        for at in range(0, _AT_ONCE - rows + 1, rows):
            yield Batch(made[at : at + rows], people.earns_more[at : at + rows])
        seed += 1000
