"""The reference profile of columns: `api.monitoring.profile` says what is in it, and this is how it comes about.

| values of the reference | kind |
|---|---|
| text of three words and more, on average | text |
| other text; whole numbers, at most 20 different ones of at least ten rows each on average | category |
| other numbers | number |
"""

import re
import zlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from modelyard.api.monitoring.profile import (
    MOST_FEATURES,
    MOST_NAMED,
    MOST_SEEN,
    FeatureKind,
    FeatureProfile,
    FeatureRole,
    ReferenceProfile,
)
from modelyard.errors import InvalidInput

from .values import ColumnValues, category_names

_WORD = re.compile(r"\w+", re.UNICODE)
_WORDS_OF_TEXT = 3.0
_MOST_DISTINCT, _ROWS_EACH = 20, 10
_TWENTIETHS = 20
_LONGEST_NAME = 64


class ReferenceColumn(NamedTuple):
    """Values of a feature, what it is, and the column of `columns` or `features` that they are read from."""

    values: ColumnValues
    role: FeatureRole
    column: str


def profile_of(columns: Sequence[ReferenceColumn], source: str, left_out: Sequence[str] = ()) -> ReferenceProfile:
    """The profile of one reference called `source`; what is beyond MOST_FEATURES is left out, the last ones first.

    Raises InvalidInput when there is no row or no column to watch.
    """
    rows = max((one.values.rows for one in columns), default=0)
    if not rows:
        raise InvalidInput(f"{source} has no rows: a reference needs some thousand that are as they should be.")
    kept, dropped = columns[:MOST_FEATURES], [one.values.name for one in columns[MOST_FEATURES:]]
    said = [f"{name}: a Model has at most {MOST_FEATURES} features that are watched" for name in dropped]
    return ReferenceProfile(
        source=source,
        rows=rows,
        features=tuple(_feature(one) for one in kept),
        left_out=(*left_out, *said),
    )


def profile_of_table(columns: Sequence[ColumnValues], source: str) -> ReferenceProfile:
    """The profile of a table's columns, all of them inputs; raises as `profile_of` does."""
    return profile_of([ReferenceColumn(one, "input", one.name) for one in columns], source)


def with_importance(profile: ReferenceProfile, importance: Mapping[str, float]) -> ReferenceProfile:
    """The profile with measured importances (0..1) by column."""
    features = (one.model_copy(update={"importance": importance.get(one.column)}) for one in profile.features)
    return profile.model_copy(update={"features": tuple(features)})


def words(text: str) -> list[str]:
    """The words of a text, in lower case."""
    return _WORD.findall(text.lower())


def mark(text: str) -> int:
    """The number that stands for a category or a word: CRC-32 of its UTF-8 text."""
    return zlib.crc32(text.encode(errors="replace"))


def _feature(one: ReferenceColumn) -> FeatureProfile:
    given = one.values
    missing = int((given.missing() | given.invalid).sum())
    kind = _kind(given)
    shared = {
        "name": given.name[:256], "column": one.column, "role": one.role, "kind": kind,
        "rows": given.rows, "missing": missing,
    }  # fmt: skip
    if missing == given.rows:
        return FeatureProfile(**shared)
    measured = {"category": _categories, "text": _texts, "number": _numbers}[kind](given)
    return FeatureProfile(**shared, **measured)


def _kind(given: ColumnValues) -> FeatureKind:
    present = given.present()
    if given.is_text:
        many = sum(len(words(text)) for text in present) >= _WORDS_OF_TEXT * max(1, len(present))
        return "text" if many else "category"
    distinct = np.unique(present[np.isfinite(present)])
    whole = bool((distinct == np.round(distinct)).all())
    few = 0 < len(distinct) <= min(_MOST_DISTINCT, len(present) / _ROWS_EACH)
    return "category" if whole and few else "number"


def _numbers(given: ColumnValues) -> dict[str, Any]:
    present = given.present()
    finite = np.sort(present[np.isfinite(present)])
    if not len(finite):
        return {"bins": (len(present),), "outside": len(present)}
    alone = int((finite == finite[0]).sum() == 1) + int((finite == finite[-1]).sum() == 1)
    return {
        **_edges(finite, present),
        "low": float(finite[0]),
        "high": float(finite[-1]),
        "outside": min(len(present), alone + len(present) - len(finite)),
    }


def _edges(ordered: np.ndarray, counted: np.ndarray) -> dict[str, Any]:
    """Edges at every twentieth of the `ordered` values, each once, and the bins of `counted`."""
    places = [ordered[len(ordered) * at // _TWENTIETHS] for at in range(1, _TWENTIETHS)]
    edges = tuple(dict.fromkeys(float(value) for value in places))
    return {"edges": edges, "bins": tuple(bins_of(counted, edges))}


def bins_of(values: np.ndarray, edges: Sequence[float]) -> list[int]:
    """How many values lie in each bin: at most the first edge, above it, ..., above the last."""
    places = np.searchsorted(np.asarray(edges, np.float64), values, side="left")
    return np.bincount(places, minlength=len(edges) + 1).tolist()


def _categories(given: ColumnValues) -> dict[str, Any]:
    counts = Counter(category_names(given).tolist())
    ranked = [name for name, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0]))]
    named = tuple(name for name in ranked[:MOST_NAMED] if len(name) <= _LONGEST_NAME)
    seen = ranked[:MOST_SEEN]
    beyond = sum(counts[name] for name in ranked[MOST_SEEN:])
    return {
        "categories": named,
        "bins": (*(counts[name] for name in named), sum(counts.values()) - sum(counts[name] for name in named)),
        "seen": tuple(sorted({mark(name) for name in seen})),
        "outside": sum(counts[name] == 1 for name in seen) + beyond,
    }


def _texts(given: ColumnValues) -> dict[str, Any]:
    rows = [words(text) for text in given.present()]
    holding = Counter(_distinct(rows))
    ranked = sorted(holding, key=lambda word: (-holding[word], word))
    seen = set(ranked[:MOST_SEEN])
    alone = sum(any(holding[word] == 1 or word not in seen for word in row) for row in rows)
    lengths = np.array([len(row) for row in rows], np.float64)
    return {
        **_edges(np.sort(lengths), lengths),
        "low": float(lengths.min()),
        "high": float(lengths.max()),
        "seen": tuple(sorted({mark(word) for word in seen})),
        "outside": alone,
    }


def _distinct(rows: Iterable[Sequence[str]]) -> Iterable[str]:
    for row in rows:
        yield from set(row)
