"""Recorded rows made into the requests they were, to ask another revision the same.

A row has a value or some columns for each input (`records.columns`); rows of one request follow each other and are
numbered from 0. That way back is only there for inputs whose every value was kept:

| input | |
|---|---|
| up to 64 values a row, all of its columns kept | asked again |
| more values a row, or as many as the request likes | refused: only sums of it were kept |
| a column that is not kept, or kept as a hash | refused: add it to `log.columns` |

What was recorded last is asked first. A request with a missing value is passed over, unless it is a floating-point one,
where NaN is what was sent.
"""

from collections.abc import Iterator, Mapping, Sequence
from math import prod
from typing import Any, NamedTuple

import numpy as np

from modelyard.api.entry import Tensor
from modelyard.core.storage.object_store import Store
from modelyard.errors import InvalidInput

from .columns import MOST_COLUMNS, names_of
from .parquet import from_parquet
from .recorded import files_of
from .values import HASH

_SUMMED = (
    "input {name} cannot be asked again: it has more than {most} values a row, or as many as a request likes, and only "
    "sums of it are recorded. Compare on the entry's eval.npz instead."
)
_ABSENT = "column {name} of what was recorded is missing, and a request is not whole without: add it to log.columns."
_HASHED = (
    "column {name} is recorded as a hash, so a request cannot be asked again: move it from log.redact to log.columns, "
    "or compare on the entry's eval.npz instead."
)
_NONE = (
    "no request of {namespace}/{model} is recorded with its rows: spec.monitoring needs sample and log.columns, and "
    "the platform recorders; what was asked a minute ago is there."
)


class ReplayedRequests(NamedTuple):
    """Arrays by input name, one mapping a request, the latest first; `passed_over` had a value missing."""

    feeds: list[dict[str, Any]]
    passed_over: int


def replayed(
    store: Store, namespace: str, model: str, inputs: Sequence[Tensor], dtypes: Mapping[str, Any], most: int
) -> ReplayedRequests:
    """The latest `most` requests of a Model that can be asked again; `dtypes` are numpy's, by input name.

    Raises InvalidInput when none is recorded, or what was recorded cannot be asked again.
    """
    columns = {tensor.name: input_columns(tensor) for tensor in inputs}
    feeds: list[dict[str, Any]] = []
    passed_over = 0
    refused: InvalidInput | None = None
    for key in reversed(_by_time(files_of(store, namespace, model))):
        content = store.get(key)
        if content is None:
            continue
        table = from_parquet([content])
        try:
            sides = {tensor.name: input_side(table, columns[tensor.name], dtypes[tensor.name]) for tensor in inputs}
        except InvalidInput as bad:  # an earlier or later spec may have kept more
            refused = refused or bad
            continue
        for request in reversed(list(_requests(table["row"]))):
            feed = {tensor.name: _feed(sides[tensor.name], request, tensor.shape) for tensor in inputs}
            if any(array is None for array in feed.values()):
                passed_over += 1
            else:
                feeds.append(feed)
            if len(feeds) == most:
                return ReplayedRequests(feeds, passed_over)
    if not feeds:
        raise refused or InvalidInput(_NONE.format(namespace=namespace, model=model))
    return ReplayedRequests(feeds, passed_over)


def _by_time(keys: Iterator[str]) -> list[str]:
    """Of all revisions and writers together: the day and the clock are the end of a key."""
    return sorted(keys, key=lambda key: key.rsplit("/", 2)[1:])


def input_columns(tensor: Tensor) -> tuple[tuple[str, ...], ...]:
    """Names of the columns of an input with rows in dimension 0, else those of one that is a row as a whole.

    Raises InvalidInput where only sums are kept.
    """
    rows, whole = (names_of(tensor.name, tensor.datatype, shape) for shape in (tensor.shape[1:], tensor.shape))
    kept = tuple(names for names in (rows, whole) if names[0] in (tensor.name, f"{tensor.name}[0]"))
    if not kept:
        raise InvalidInput(_SUMMED.format(name=tensor.name, most=MOST_COLUMNS))
    return kept


def input_side(table: Mapping[str, Any], choices: Sequence[Sequence[str]], dtype: Any) -> Any:
    """One input of all rows, two-dimensional; masked where a value is missing, NaN where a number with a point is.

    Raises InvalidInput where a column is missing or kept as a hash.
    """
    columns = next((names for names in choices if f"input.{names[0]}" in table), choices[0])
    found = []
    for name in columns:
        values = table.get(f"input.{name}")
        if values is None:
            raise InvalidInput(_ABSENT.format(name=name))
        if _hashed(values, dtype):
            raise InvalidInput(_HASHED.format(name=name))
        found.append(np.ma.masked_array(np.ma.getdata(values), np.ma.getmaskarray(values)))
    side = np.ma.stack(found, axis=1)
    if dtype.kind == "f":
        return np.ma.masked_array(side.filled(np.nan).astype(dtype))
    return side.astype(dtype)


def _hashed(values: Any, dtype: Any) -> bool:
    """Whether these are the recorder's hashes: text for numbers, or nothing but texts of that form."""
    if np.ma.getdata(values).dtype != object:
        return False
    texts = np.ma.masked_array(values).compressed()
    return dtype.kind != "O" or (len(texts) > 0 and all(HASH.fullmatch(str(text)) for text in texts))


def _requests(rows: Any) -> Iterator[slice]:
    """Where each request's rows are."""
    begins = [*np.flatnonzero(np.ma.getdata(rows) == 0).tolist(), len(rows)]
    for at in range(len(begins) - 1):
        yield slice(begins[at], begins[at + 1])


def _feed(side: Any, request: slice, shape: Sequence[int]) -> Any:
    """The tensor of one request; None where a value is missing, or as many as the tensor never has."""
    values = side[request]
    wanted = tuple(len(values) if size < 0 else size for size in shape)
    if np.ma.getmaskarray(values).any() or prod(wanted) != values.size:
        return None
    return np.ma.getdata(values).reshape(wanted)
