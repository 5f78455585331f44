"""Rows for an estimator that came without any, in the ranges it was fitted on, where it holds them.

    support vectors, neighbours, centres      rows it has seen, or their means
    a scaler's mean and scale, a range        drawn around them
    thresholds of trees                       drawn around them
    categories                                drawn from them, sometimes another where it allows that
    an imputer                                drawn around what it puts in, unless that was chosen; sometimes nothing

Where a column is in none of these (a linear model keeps weights and no range), there are no rows: random numbers around
zero would say little, since most models never met any.
"""

from collections.abc import Iterator
from typing import Any

from .boosted import splits_of
from .columns import Column, Layout, steps_of

COUNT = 2000
_MISSING, _UNKNOWN, _NOISE = 0.05, 0.02, 0.3


def made_up(layout: Layout, estimator: Any) -> list[Any] | None:
    """COUNT values for each column, as the estimator takes them: numbers, texts, None or NaN where one is missing.

    None where it does not tell of some column what it met there.
    """
    import numpy as np

    random = np.random.default_rng(0)
    if layout.texts:
        texts = _texts(random, layout.columns[0].steps[0][0])
        return None if texts is None else [texts]
    if not layout.apart and layout.columns[0].kind == "number":
        seen = _seen(random, estimator, len(layout.columns))
        if seen is not None:
            return list(_with_gaps(random, seen, layout).T)
    values = [_values(random, column) for column in layout.columns]
    return None if any(drawn is None for drawn in values) else values


def _seen(random: Any, estimator: Any, width: int) -> Any:
    """COUNT rows like those the first steps that know any were fitted on; None when none of them does."""
    import numpy as np

    for step in _readers(estimator):
        known = _known_rows(step, width)
        if known is None:
            continue
        rows, spread = known
        return rows[random.integers(len(rows), size=COUNT)] + spread * random.normal(size=(COUNT, width))
    thresholds = _thresholds(estimator, width)
    if thresholds is None:
        return None
    drawn = np.empty((COUNT, width))
    for place, values in enumerate(thresholds):
        scale = np.std(values) if len(values) > 1 else max(1.0, abs(values[0]))
        drawn[:, place] = random.choice(values, COUNT) + _NOISE * scale * random.normal(size=COUNT)
    return drawn


def _readers(estimator: Any) -> Iterator[Any]:
    """The steps that meet the rows as they are: the first ones, as long as they are only imputers."""
    for step in steps_of(estimator):
        yield step
        if not hasattr(step, "statistics_"):
            return


def _known_rows(step: Any, width: int) -> tuple[Any, Any] | None:
    """Rows [n, width] and how far rows lie from them by column, as a fitted step remembers; None when it does not."""
    import numpy as np

    if not width:
        return None
    for name in ("support_vectors_", "_fit_X", "cluster_centers_", "theta_", "means_"):
        rows = getattr(step, name, None)
        if isinstance(rows, np.ndarray) and rows.ndim == 2 and rows.shape[1] == width and len(rows):
            return rows, _NOISE * (rows.std(axis=0) + 1e-9)
    for centre, scale in (("mean_", "scale_"), ("center_", "scale_"), ("mean_", "var_")):
        middle: Any = getattr(step, centre, ())
        spread: Any = getattr(step, scale, ())
        if np.shape(middle) == (width,) and np.shape(spread) == (width,):
            return np.asarray(middle)[None], np.sqrt(spread) if scale == "var_" else np.asarray(spread)
    low: Any = getattr(step, "data_min_", ())
    high: Any = getattr(step, "data_max_", ())
    if np.shape(low) == (width,) and np.shape(high) == (width,):
        return (np.asarray(low) + high)[None] / 2, (np.asarray(high) - low) / 4 + 1e-9
    return None


def _thresholds(estimator: Any, width: int) -> list[Any] | None:
    """By column, where the trees of an estimator part rows; None when there are no trees."""
    import numpy as np

    found: list[list[float]] = [[] for _ in range(width)]
    for features, values in splits_of(list(steps_of(estimator))[-1]):
        for feature, value in zip(features, values, strict=True):
            if 0 <= feature < width:
                found[feature].append(value)
    if not any(found):
        return None
    every = [value for places in found for value in places]
    return [np.asarray(values or every) for values in found]


def _with_gaps(random: Any, rows: Any, layout: Layout) -> Any:
    import numpy as np

    gap = layout.columns[0].gap
    return np.where(random.random(rows.shape) < _MISSING, gap[0], rows) if gap else rows


def _values(random: Any, column: Column) -> Any:
    import numpy as np

    values: Any = np.zeros(COUNT) if column.dropped else None
    for step, place in column.steps:
        values = _of_step(random, step, place, values)
    if values is None:
        return None
    values = np.asarray(values, {"text": object, "integer": np.int64, "number": np.float64}[column.kind])
    if column.gap and column.kind != "integer":
        values[random.random(COUNT) < _MISSING] = column.gap[0]
    return values


def _of_step(random: Any, step: Any, place: int, before: Any) -> Any:
    """Values that the fitted `step` has met in its column at `place`; `before` when it does not tell."""
    import numpy as np

    categories = getattr(step, "categories_", None)
    if categories is not None:
        known: list[Any] = [
            value for value in categories[place] if isinstance(value, str) or (value is not None and value == value)
        ]
        drawn = np.asarray(known, object)[random.integers(len(known), size=COUNT)]
        strange = "a word it never met" if isinstance(known[0], str) else max(known) + 1
        lenient = getattr(step, "handle_unknown", "error") != "error"
        return np.where(lenient & (random.random(COUNT) < _UNKNOWN), strange, drawn)
    if hasattr(step, "vocabulary_"):
        return _texts(random, step)
    if hasattr(step, "statistics_"):
        if getattr(step, "strategy", "") == "constant":
            return before
        centre = step.statistics_[place]
        if isinstance(centre, str):
            return np.full(COUNT, centre, object)
        return centre + max(1.0, abs(centre)) * random.normal(size=COUNT)
    width = getattr(step, "n_features_in_", 0)
    around = _known_rows(step, width)
    if around is None:
        return before
    rows, spread = around
    return rows[random.integers(len(rows), size=COUNT), place] + spread[place] * random.normal(size=COUNT)


def _texts(random: Any, step: Any) -> Any:
    """Texts of one to eight words it knows, with a stranger, a letter, an accent and a sign in between; or None."""
    import numpy as np

    known = sorted(getattr(step, "vocabulary_", ()))
    if not known:
        return None
    words = np.asarray([*known, "Stranger", "a", "café", "x-y", "don't"], object)
    return np.array([" ".join(random.choice(words, random.integers(1, 9))) for _ in range(COUNT)], object)
