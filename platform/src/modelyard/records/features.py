"""Features of requests and answers: the columns of `columns`, and for outputs that name a class, which and how surely.

| output | features in the place of its columns |
|---|---|
| floats, one a label, or chances (at least 0, sum 1) | `name.class`, the place of the largest, `name.confidence` |
| any other | its columns |

Confidence is the largest of the numbers where they are chances, else of their softmax.
"""

from collections.abc import Container, Mapping
from typing import Any

import numpy as np

from modelyard.api.monitoring.profile import ReferenceProfile

from .columns import columns_of

CLASS, CONFIDENCE = ".class", ".confidence"
SUMMARY = (".norm", ".brightness", ".length")
_SUMS_TO_ONE = 0.01


def output_features(
    tensors: Mapping[str, Any], rows: int, labels: int = 0, dynamic: Container[str] = ()
) -> dict[str, Any]:
    """Features of outputs by name, by the table; `labels` is how many classes the model has names for."""
    features: dict[str, Any] = {}
    for name, array in tensors.items():
        wide = _classes(array, rows)
        if wide is not None and (wide.shape[1] == labels or _are_chances(wide)):
            features |= _decided(name, wide)
        else:
            features |= columns_of({name: array}, rows, dynamic)
    return features


def summed_up(profile: ReferenceProfile) -> frozenset[str]:
    """The tensors of which the reference has a summary, whatever their width in a request."""
    columns = [one.column for one in profile.features]
    return frozenset(name.removesuffix(end) for end in SUMMARY for name in columns if name.endswith(end))


def features_of(
    profile: ReferenceProfile, inputs: Mapping[str, Any], outputs: Mapping[str, Any], rows: int
) -> dict[str, Any]:
    """One-dimensional arrays of `rows` values by feature, as far as these tensors have what the profile has."""
    summed = summed_up(profile)
    columns = columns_of(inputs, rows, summed) | columns_of(outputs, rows, summed)
    for name, array in outputs.items():
        wide = _classes(array, rows)
        if wide is not None and any(one.column in (name + CLASS, name + CONFIDENCE) for one in profile.features):
            columns |= _decided(name, wide)
    return {one.name: columns[one.column] for one in profile.features if one.column in columns}


def _classes(array: Any, rows: int) -> Any:
    """The tensor as [rows, classes] when it can be read so, else None."""
    if array.dtype.kind != "f" or not rows or not array.ndim or array.shape[0] != rows or array.size < 2 * rows:
        return None
    return array.reshape(rows, -1).astype(np.float64) if array.size == max(array.shape[1:]) * rows else None


def _are_chances(wide: Any) -> bool:
    return bool((wide >= 0.0).all() and (abs(wide.sum(axis=1) - 1.0) < _SUMS_TO_ONE).all())


def _decided(name: str, wide: Any) -> dict[str, Any]:
    with np.errstate(invalid="ignore", over="ignore"):
        powers = wide if _are_chances(wide) else np.exp(wide - wide.max(axis=1, keepdims=True))
        confidence = powers.max(axis=1) / powers.sum(axis=1)
    unknown = np.isnan(confidence)
    places = np.where(unknown, np.nan, np.argmax(np.nan_to_num(wide), axis=1))
    return {name + CLASS: places, name + CONFIDENCE: confidence}
