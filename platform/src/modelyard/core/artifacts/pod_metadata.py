"""Labels and annotations of a Model that its pods get: those on the platform's lists, whom costs and teams are told by.

A revision keeps those the Model had when it was made. Labels stand in the pods' template, so a change of them restarts
pods; a team that is renamed must not. The next revision has the new ones.

Never copied, whatever the lists say: keys by which Modelyard, KServe and Knative know and steer pods, what kubectl
writes, keys that speak of a secret, and annotations too long to be a mark.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from modelyard.settings import PropagateSettings

MOST_KEYS, LONGEST_VALUE = 32, 1024
_RESERVED = frozenset({"app", "component", "app.kubernetes.io/managed-by"})
_RESERVED_DOMAINS = re.compile(
    r"(^|[.])(modelyard[.]dev|kserve[.]io|knative[.]dev|(kubectl|deployment)[.]kubernetes[.]io)$"
)
_SECRET = re.compile("secret|token|passw(or)?d|credential|(api|access|private)[-_.]?key", re.IGNORECASE)


class PodMetadata(NamedTuple):
    """Labels and annotations for pods; None where there are none."""

    labels: dict[str, str] | None
    annotations: dict[str, str] | None


def pod_metadata(metadata: Mapping[str, Any], allowed: PropagateSettings) -> PodMetadata:
    """What the pods of a new revision get of a Model's `metadata`, in the order of the keys."""
    return PodMetadata(
        _chosen(metadata.get("labels"), allowed.labels), _chosen(metadata.get("annotations"), allowed.annotations)
    )


def _chosen(marks: Mapping[str, str] | None, patterns: Sequence[str]) -> dict[str, str] | None:
    chosen = {
        key: value
        for key, value in sorted((marks or {}).items())
        if len(value) <= LONGEST_VALUE and not _kept_back(key) and any(_matches(key, pattern) for pattern in patterns)
    }
    return dict(list(chosen.items())[:MOST_KEYS]) or None


def _matches(key: str, pattern: str) -> bool:
    return key.startswith(pattern[:-1]) if pattern.endswith("*") else key == pattern


def _kept_back(key: str) -> bool:
    domain = key.rpartition("/")[0]
    return key in _RESERVED or bool(_RESERVED_DOMAINS.search(domain)) or bool(_SECRET.search(key))
