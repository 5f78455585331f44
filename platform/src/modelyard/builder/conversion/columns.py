"""What an estimator takes: one tensor for all columns, one for each column of a table, or texts.

    a ColumnTransformer comes first          an input for each column, named like it, of the type its own step wants
    a vectorizer of texts comes first        one input `text`, [n, 1]
    anything else                            one input `input`, [n, columns]

A missing text is an empty string to clients, a missing number is NaN.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["number", "integer", "text"]


@dataclass(frozen=True)
class Column:
    """A column of the table that the estimator takes, its type, and the fitted steps that read it first."""

    name: str
    kind: Kind
    steps: tuple[tuple[Any, int], ...] = ()
    """Each a fitted step with the place of the column in what it takes."""
    gap: tuple[Any, ...] = ()
    """What stood where a value was missing when the model was fitted; empty where none may be missing."""
    dropped: bool = False
    """Whether the estimator takes the column and never looks at it: clients do not send it."""


@dataclass(frozen=True)
class Layout:
    """How rows are given: `apart` with an input a column, as a `table` (a pandas DataFrame) or as plain `texts`."""

    columns: tuple[Column, ...]
    apart: bool = False
    table: bool = False
    texts: bool = False

    @property
    def inputs(self) -> tuple[tuple[str, Kind, int], ...]:
        """Name, type and number of columns of each input of the ONNX model."""
        if self.texts:
            return (("text", "text", 1),)
        if self.apart:
            return tuple((column.name, column.kind, 1) for column in self.columns if not column.dropped)
        return (("input", self.columns[0].kind, len(self.columns)),)


def layout_of(estimator: Any) -> Layout:
    """How the fitted `estimator` wants its rows; raises ValueError when it does not tell how many columns it takes."""
    first = first_step(estimator)
    if _reads_texts(first):
        return Layout((Column("text", "text", ((first, 0),)),), texts=True)
    names = getattr(estimator, "feature_names_in_", None)
    count = getattr(estimator, "n_features_in_", None)
    if count is None:
        count = getattr(first, "n_features_in_", None)
    if count is None:
        raise ValueError("it does not tell how many columns it takes (n_features_in_)")
    labels = [str(name) for name in names] if names is not None else [f"x{index}" for index in range(count)]
    if hasattr(first, "transformers_"):
        columns = tuple(_column(first, labels, place, named=names is not None) for place in range(count))
        apart = names is not None or len({column.kind for column in columns}) > 1
        return Layout(columns, apart=apart, table=names is not None)
    kind = _common([kind_for(first, place) for place in range(count)])
    gap = gap_of(list(steps_of(estimator)))
    steps = tuple(Column(label, kind, ((first, place),), gap) for place, label in enumerate(labels))
    return Layout(steps, table=names is not None)


def first_step(estimator: Any) -> Any:
    """The first fitted step that rows meet: that of a pipeline's first pipeline, of a search's best estimator."""
    if hasattr(estimator, "best_estimator_"):
        return first_step(estimator.best_estimator_)
    if hasattr(estimator, "steps"):
        steps = [step for _, step in estimator.steps if step not in (None, "passthrough")]
        return first_step(steps[0]) if steps else estimator
    if hasattr(estimator, "transformer_list"):
        return first_step(estimator.transformer_list[0][1])
    return estimator


def steps_of(estimator: Any) -> Iterator[Any]:
    """Every fitted step, from the first to the last, inner pipelines taken apart."""
    if hasattr(estimator, "best_estimator_"):
        yield from steps_of(estimator.best_estimator_)
    elif hasattr(estimator, "steps"):
        for _, step in estimator.steps:
            yield from steps_of(step)
    elif hasattr(estimator, "transformers_"):
        for _, step, _ in estimator.transformers_:
            yield from steps_of(step)
    elif hasattr(estimator, "transformer_list"):
        for _, step in estimator.transformer_list:
            yield from steps_of(step)
    elif not isinstance(estimator, str) and estimator is not None:
        yield estimator


def kind_for(step: Any, place: int) -> Kind:
    """The type of the column at `place` of what the fitted `step` takes."""
    import numpy as np

    if _reads_texts(step):
        return "text"
    known = getattr(step, "categories_", None)
    values = np.asarray(known[place]) if known is not None else np.asarray(getattr(step, "statistics_", [0.0])[:])
    if values.dtype.kind in "OUS":
        single = values if known is not None else values[place : place + 1]
        return "text" if any(isinstance(value, str) for value in single) else "number"
    return "integer" if known is not None and values.dtype.kind in "iu" else "number"


def gap_of(chain: list[Any]) -> tuple[Any, ...]:
    """What stood for a missing value in the columns that a chain of fitted steps was fitted on.

    An imputer that looks for NaN passes None on: then a category that is none tells which of both there was.
    """
    strange = [value for step in chain for value in missing_categories(step)]
    if strange:
        return (strange[0],)
    return (chain[0].missing_values,) if chain and hasattr(chain[0], "statistics_") else ()


def missing_categories(step: Any) -> list[Any]:
    """None or NaN among the categories of texts that an encoder was fitted on."""
    known = [values for values in getattr(step, "categories_", ()) if any(isinstance(value, str) for value in values)]
    return [value for values in known for value in values if not isinstance(value, str)]


def chains_of(estimator: Any) -> Iterator[list[Any]]:
    """The fitted steps that follow one another, for each branch of a ColumnTransformer apart."""
    first = first_step(estimator)
    if hasattr(first, "transformers_"):
        for _, step, _ in first.transformers_:
            yield list(steps_of(step))
    else:
        yield list(steps_of(estimator))


def _column(transformer: Any, labels: list[str], place: int, *, named: bool) -> Column:
    """A column of a ColumnTransformer: its type and the fitted steps that read it first."""
    read: list[tuple[Any, int]] = []
    gaps: list[tuple[Any, ...]] = []
    passed = False
    for _, step, chosen in transformer.transformers_:
        taken = places_of(chosen, labels)
        if place not in taken:
            continue
        if isinstance(step, str):
            passed |= step == "passthrough"
            continue
        read.append((first_step(step), taken.index(place)))
        gaps.append(gap_of(list(steps_of(step))))
    kind = _common([kind_for(step, at) for step, at in read])
    gap = gaps[0] if len(gaps) == 1 else ()
    return Column(labels[place], kind, tuple(read), gap, dropped=named and not read and not passed)


def places_of(chosen: Any, labels: list[str]) -> list[int]:
    """The places of the columns that a branch of a ColumnTransformer takes, by name, place, mask or slice."""
    import numpy as np

    if isinstance(chosen, str):
        return [labels.index(chosen)]
    if isinstance(chosen, slice) and isinstance(chosen.start or chosen.stop, str):
        first, last = (None if name is None else labels.index(name) for name in (chosen.start, chosen.stop))
        return list(range(len(labels)))[first : None if last is None else last + 1]
    if not isinstance(chosen, slice) and len(chosen) and all(isinstance(name, str) for name in chosen):
        return [labels.index(name) for name in chosen]
    return [int(place) for place in np.arange(len(labels))[chosen if isinstance(chosen, slice) else np.asarray(chosen)]]


def _common(kinds: list[Kind]) -> Kind:
    """The type that values of all `kinds` fit into; a text where one is, since no text is a number."""
    if "text" in kinds:
        return "text"
    return "integer" if set(kinds) == {"integer"} else "number"


def _reads_texts(step: Any) -> bool:
    from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer

    return isinstance(step, CountVectorizer | HashingVectorizer)
