"""Is an object as desired? The API server adds defaults, so the desired object has to be a subset of the observed.

Mappings: every desired key must be there with an equal value. Lists: the same length, item by item, but
for those that the API server merges with what others wrote: there every desired item must be found. A
field that is no longer desired shows through the digest annotation (`resources.with_spec_hash`).

InferenceServices are different: any edit of a live one restarts its pods. One is written when it is
missing, or when somebody changed its spec (generation above 1) although we still want just what we
once wrote (same digest); a newer Modelyard that would write it differently leaves it alone.
"""

from typing import Any

from .names import DESIRED_ANNOTATION
from .snapshot import Object

_MERGED = ("ownerReferences", "secrets")


def covers(observed: Any, desired: Any) -> bool:
    """True when `observed` holds everything in `desired`, both plain JSON. Most values are equal, which is quick."""
    if observed == desired:
        return True
    if isinstance(desired, dict):  # `Mapping` here and generators below took half of what a whole decision does
        if not isinstance(observed, dict):
            return False
        for key, value in desired.items():
            if key not in observed or not (_contains if key in _MERGED else covers)(observed[key], value):
                return False
        return True
    if not (isinstance(desired, list) and isinstance(observed, list)) or len(observed) != len(desired):
        return False
    return all(map(covers, observed, desired))


def _contains(observed: Any, desired: Any) -> bool:
    return all(any(covers(actual, expected) for actual in observed) for expected in desired)


def must_apply(desired: Object, observed: Object | None) -> bool:
    """True when `desired` has to be written: nothing is `observed`, or something in it differs from `desired`.

    False for an object that is being deleted, and for an InferenceService unless somebody edited its spec (see above).
    """
    if observed is None:
        return True
    if "deletionTimestamp" in observed["metadata"]:
        return False
    if desired["kind"] == "InferenceService":
        edited = observed["metadata"].get("generation", 1) > 1
        return edited and _digest(desired) == _digest(observed) and not covers(observed, desired)
    return not covers(observed, desired)


def _digest(manifest: Object) -> str | None:
    return manifest["metadata"].get("annotations", {}).get(DESIRED_ANNOTATION)
