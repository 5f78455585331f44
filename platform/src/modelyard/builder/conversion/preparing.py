"""A copy of an estimator that answers alike and that the converter understands.

a search                      is its best estimator
pipelines in pipelines        are one, without steps that pass rows on
columns by mask or slice      are chosen by name or place
a missing text                is an empty one: tensors of texts hold nothing else that could stand for it
"""

import copy
from typing import Any

from .columns import Layout, chains_of, first_step, missing_categories, places_of, steps_of

_NEVER = "\x00"


def prepared(estimator: Any, layout: Layout) -> Any:
    """The copy; the estimator itself stays as it is."""
    copied = _flat(copy.deepcopy(estimator))
    first = first_step(copied)
    if hasattr(first, "transformers_"):
        labels = [column.name for column in layout.columns]
        first.transformers_ = [
            (name, _flat(step), _chosen(columns, labels, layout.table)) for name, step, columns in first.transformers_
        ]
    for step in steps_of(copied):
        if hasattr(step, "flatten_transform"):
            step.flatten_transform = False  # the converter knows no other, and predict() does not read it
    for chain in chains_of(copied):
        _give_gaps_a_text(chain)
    return copied


def filled_with(estimator: Any) -> list[Any]:
    """What the imputers of numbers put in, an array each: as many digits as they hold."""
    import numpy as np

    found = [getattr(step, "statistics_", None) for chain in chains_of(estimator) for step in chain]
    return [np.asarray(values, np.float64) for values in found if values is not None and values.dtype.kind == "f"]


def _flat(estimator: Any) -> Any:
    if hasattr(estimator, "best_estimator_"):
        return _flat(estimator.best_estimator_)
    if hasattr(estimator, "steps"):
        steps = [_flat(step) for _, step in estimator.steps if step not in (None, "passthrough")]
        inner = [one for step in steps for one in ([s for _, s in step.steps] if hasattr(step, "steps") else [step])]
        if not inner:
            return "passthrough"
        estimator.steps = [(f"step{place}", step) for place, step in enumerate(inner)]
    return estimator


def _chosen(columns: Any, labels: list[str], named: bool) -> Any:
    """The columns of a branch as names or places; a single name stays one, as a vectorizer of texts wants it."""
    if isinstance(columns, str):
        return columns
    places = places_of(columns, labels)
    return [labels[place] for place in places] if named else places


def _give_gaps_a_text(chain: list[Any]) -> None:
    import numpy as np

    passed_on = any(missing_categories(step) for step in chain)
    for step in chain:
        filled = np.asarray(getattr(step, "statistics_", ()), object)
        if any(isinstance(value, str) for value in filled):
            step.missing_values = _NEVER if passed_on else ""
        if missing_categories(step):
            step.categories_ = [_without_missing(values) for values in step.categories_]


def _without_missing(values: Any) -> Any:
    import numpy as np

    if values.dtype.kind != "O" or not any(isinstance(value, str) for value in values):
        return values
    return np.array([value if isinstance(value, str) else "" for value in values], object)
