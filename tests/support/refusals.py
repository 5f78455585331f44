"""Mistakes people make in a Model, each with the field it is reported at and the sentence they read.

The API server (CEL) and the Python types must refuse the same: tests of both go through this table.
"""

from dataclasses import dataclass
from typing import Any

SOURCE = {"name": "digits", "version": "1"}

ONE_SOURCE = 'write either version: "2" or alias: champion, and only one of them'
PERCENT = 'write a percentage such as "0.1%"'
BETWEEN = "a percentage must lie between 0% and 100%, both excluded: no service reaches either"
DURATION = 'write a duration above 0 with its unit, such as "100ms", "2s" or "10m"'
PERCENTILE = "write a percentile from 50 to 99.99, such as 99"
RANGE = "minReplicas is above maxReplicas: lower one or raise the other"
FIXED_OR_RANGE = "write either serving.replicas for a fixed number or scaling for a range, not both"
AMOUNT = "write a Kubernetes quantity such as 500m, 2 or 1Gi"
ENTRY = "write the name of an entry as `modelyard entries` shows it, such as digits or sentence-embeddings"
VERSION = 'write a version as `modelyard entries` shows it, such as "2" or "2026-01-15"'
ALIAS = "write an alias as `modelyard entries` shows it, such as champion"


@dataclass(frozen=True)
class Refusal:
    """A spec that must be refused at `field` with `sentence`; an empty sentence where pydantic words it itself."""

    name: str
    spec: dict[str, Any]
    field: str
    sentence: str


def _spec(**fields: Any) -> dict[str, Any]:
    return {"source": SOURCE, **fields}


def _latency(percentile: float = 99, threshold: str = "100ms") -> dict[str, Any]:
    return _spec(slo={"latency": {"percentile": percentile, "threshold": threshold}})


def _cpu(amount: Any) -> dict[str, Any]:
    return _spec(serving={"resources": {"requests": {"cpu": amount}}})


REFUSALS = (
    Refusal("both version and alias", {"source": {**SOURCE, "alias": "champion"}}, "spec.source", ONE_SOURCE),
    Refusal("neither version nor alias", {"source": {"name": "digits"}}, "spec.source", ONE_SOURCE),
    Refusal("an entry name in capitals", {"source": {**SOURCE, "name": "Digits"}}, "spec.source.name", ENTRY),
    Refusal("an empty version", {"source": {**SOURCE, "version": ""}}, "spec.source.version", VERSION),
    Refusal("an alias with a space", {"source": {"name": "d", "alias": "my best"}}, "spec.source.alias", ALIAS),
    Refusal("an error rate of 0 %", _spec(slo={"errorRate": "0%"}), "spec.slo.errorRate", BETWEEN),
    Refusal("an error rate of 100 %", _spec(slo={"errorRate": "100%"}), "spec.slo.errorRate", BETWEEN),
    Refusal("an error rate without %", _spec(slo={"errorRate": "0.1"}), "spec.slo.errorRate", PERCENT),
    Refusal("an availability of 100 %", _spec(slo={"availability": "100.0%"}), "spec.slo.availability", BETWEEN),
    Refusal("an availability of 0 %", _spec(slo={"availability": "0.00%"}), "spec.slo.availability", BETWEEN),
    Refusal("a percentile of 100", _latency(percentile=100), "spec.slo.latency.percentile", PERCENTILE),
    Refusal("a percentile of 0", _latency(percentile=0), "spec.slo.latency.percentile", PERCENTILE),
    Refusal("a threshold without unit", _latency(threshold="100"), "spec.slo.latency.threshold", DURATION),
    Refusal("a threshold of 0", _latency(threshold="0.0s"), "spec.slo.latency.threshold", DURATION),
    Refusal("min above max", _spec(scaling={"minReplicas": 3, "maxReplicas": 2}), "spec.scaling", RANGE),
    Refusal(
        "a fixed number and a range", _spec(serving={"replicas": 2}, scaling={"maxReplicas": 3}), "spec", FIXED_OR_RANGE
    ),
    Refusal("a unit Kubernetes lacks", _cpu("1GB"), "spec.serving.resources.requests[cpu]", AMOUNT),
    Refusal("a negative amount", _cpu(-1), "spec.serving.resources.requests[cpu]", AMOUNT),
)

ACCEPTED = {
    "the least there is": _spec(),
    "an alias": {"source": {"name": "sentence_embeddings.v2", "alias": "champion"}},
    "every promise": _spec(
        slo={
            "latency": {"percentile": 99.9, "threshold": "0.5s"},
            "errorRate": "0.1%",
            "availability": "99.99%",
        }
    ),
    "a range of replicas": _spec(scaling={"minReplicas": 2, "maxReplicas": 2}),
    "numbers as amounts": _spec(
        serving={"runtime": "gpu", "replicas": 3, "resources": {"limits": {"nvidia.com/gpu": 1, "memory": "8Gi"}}}
    ),
    "a strategy": _spec(rollout={"strategy": "Immediate"}),
}
