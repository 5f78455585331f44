"""Everything a Model left on a bench, as values by their path, without times, counts and the names of this bench."""

import json
from collections.abc import Iterator
from typing import Any

from tests.support.operator.bench import Bench

KINDS = (
    "Secret", "ServiceAccount", "InferenceService", "HTTPRoute", "GRPCRoute", "PodDisruptionBudget", "Deployment",
    "Service",
)  # fmt: skip
_TIMES = frozenset(
    {
        "lastTransitionTime", "stageStartTime", "programmedTime", "phaseStartTime", "startTime", "endTime",
        "lastAnalysisTime", "retainUntil", "nextAttemptTime", "time",
    }
)  # fmt: skip
_COUNTS = frozenset({"requests", "failedRequests", "evidence"})


def remains(bench: Bench, name: str = "digits") -> dict[str, Any]:
    """The children and the Model's status. An empty list is none: the server may keep either."""
    found = {f"{kind}/{item['metadata']['name']}": _essence(item) for kind in KINDS for item in bench.items_of(kind)}
    text = json.dumps({**found, "status": bench.status(name)})
    for own in (bench.namespace, bench.players.platform, bench.settings.store.bucket, bench.settings.gateway.url):
        text = text.replace(own, "OWN")
    return dict(_leaves("", json.loads(text)))


def _essence(thing: dict[str, Any]) -> dict[str, Any]:
    metadata = {key: thing["metadata"][key] for key in ("name", "labels")}
    spec = {key: value for key, value in thing.get("spec", {}).items() if not key.startswith("clusterIP")}
    return {"metadata": metadata, "spec": spec, "data": thing.get("data")}


def _leaves(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, one in value.items():
            if key not in _TIMES | _COUNTS or path.startswith(KINDS):
                yield from _leaves(f"{path}.{key}".lstrip("."), one)
    elif isinstance(value, list):
        for number, one in enumerate(value):
            yield from _leaves(f"{path}[{number}]", one)
    else:
        yield path, value
