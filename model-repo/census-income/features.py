"""What the models see of a person: ten numbers, in this order, as one float32 row.

Four columns of the file stay outside. sex and race: nobody is to be judged by them, and they serve to find out
whether somebody is. fnlwgt is how many people a line stands for, no trait of the person. education says in words
what education-num says as a number. A category is its place in adult.COLUMNS, unknown is -1.
"""

import numpy as np
from adult import COLUMNS, UNKNOWN, People

SEEN = (
    "age", "workclass", "education-num", "marital-status", "occupation", "relationship", "capital-gain",
    "capital-loss", "hours-per-week", "native-country",
)  # fmt: skip
NUMBERS = [place for place, name in enumerate(SEEN) if isinstance(COLUMNS[name], range)]
CATEGORIES = [place for place, name in enumerate(SEEN) if isinstance(COLUMNS[name], tuple)]


def features(people: People) -> np.ndarray:
    """float32 [n, 10]; every value is a whole number that float32 holds exactly."""
    return np.stack([people.columns[name] for name in SEEN], axis=1).astype(np.float32)


def codes(place: int) -> np.ndarray:
    """The codes that the category at this place of SEEN can have, without unknown."""
    return np.arange(len(COLUMNS[SEEN[place]]), dtype=np.float32)


def described() -> dict[str, object]:
    """columns.json: what a client needs to make a row."""
    columns = [{"name": name} | ({"categories": known} if isinstance(known, tuple) else {}) for name, known in _seen()]
    return {"columns": columns, "unknown": UNKNOWN, "categoryIs": "its place in the list, from 0"}


def _seen() -> list[tuple[str, tuple[str, ...] | range]]:
    return [(name, COLUMNS[name]) for name in SEEN]
