"""Why no pods of a revision are made at all, in the cluster's own words.

A full quota, a LimitRange, Pod Security or another admission refuses pods, and the Deployment says so in its condition
ReplicaFailure at once; what the API server refuses as a whole, such as requests above limits, stands in a condition of
the InferenceService while there is no Deployment. None of it says anything about the model: whoever rules the namespace
may mend it any time, and Kubernetes then goes on by itself.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from modelyard.core.snapshot import Failure, Object

PODS_REFUSED = "PodsRefused"
_ONE_POD = re.compile(r'^pods "[^"]*" is forbidden: ')
"""Names another pod at every try."""


def refused_pods(served: Object | None, deployment: Object | None) -> Failure | None:
    """Why the pods of this InferenceService are not made, None when nothing refuses them; it passes by itself."""
    if deployment is None:
        told = next((text for text in _told(served, "False") if text), "")
        message = f"KServe makes no pods: {told}."
    else:
        told = next(_told(deployment, "True", "ReplicaFailure"), "")
        message = f"No more pods can be made: {told}; they start by themselves once that is mended."
    return Failure(PODS_REFUSED, message, retry=True) if told else None


def _told(thing: Object | None, status: str, kind: str = "") -> Iterator[str]:
    """What conditions with that status say; those of one `kind`, or of any."""
    conditions: list[Mapping[str, Any]] = (thing or {}).get("status", {}).get("conditions", [])
    for condition in conditions:
        if condition.get("status") == status and kind in ("", condition["type"]):
            yield _ONE_POD.sub("", condition.get("message", "")).rstrip(".")
