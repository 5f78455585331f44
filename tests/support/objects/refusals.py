"""Mistakes people make in a Model, each with the field it is reported at and the sentence they read.

The API server (CEL) and the Python types must refuse the same: tests of both go through this table.
"""

from dataclasses import dataclass
from typing import Any

from tests.support.objects import monitorings, retrains
from tests.support.objects.placements import MISTAKES, RIGHT, SOURCE

ONE_SOURCE = 'write either version: "2" or alias: champion, and only one of them'
PERCENT = 'write a percentage such as "0.1%"'
BETWEEN = "a percentage must lie between 0% and 100%, both excluded: no service reaches either"
DURATION = 'write a duration above 0 with its unit, such as "100ms", "2s" or "10m"'
PERCENTILE = "write a percentile from 50 to 99.99, such as 99"
RANGE = "minReplicas is above maxReplicas: lower one or raise the other"
OBJECTIVE = "tune needs slo.latency: write what is to be kept, such as {percentile: 99, threshold: 50ms}"
ABOVE = (
    "serving.replicas is above scaling.maxReplicas: lower it (kubectl scale), raise maxReplicas, or give an autoscaler "
    "of the Model the same maximum"
)
REPLICAS = "write a number of replicas from 1 to 1000: a Model has one at least; delete it to have none"
AMOUNT = "write a Kubernetes quantity such as 500m, 2 or 1Gi"
ENTRY = "write the name of an entry as `modelyard entries` shows it, such as digits or sentence-embeddings"
VERSION = 'write a version as `modelyard entries` shows it, such as "2" or "2026-01-15"'
ALIAS = "write an alias as `modelyard entries` shows it, such as champion"
WEIGHT = "write a weight from 1 to 99, in percent: after the last step 100 comes by itself"
RISING = "weights of steps must rise from one to the next: the last step to 100 comes by itself"
USERS = "strategy AB needs rollout.ab: write ab: {weight: 50, header: x-user-id} or name a cookie"
STICKY = "write either header: or cookie:, the one that names a user, and only one of them"
NAME_OF_USERS = "write letters, digits, - and _ only, such as x-user-id"
AFTER_SHADOW = "steps, bake and feedback are for the canary after a shadow: write shadow: {then: Canary} or remove them"
LABELS = (
    "rollout.feedback compares labelled answers, and no labels are taken: write monitoring: {sample: auto, log: "
    '{columns: ["*"]}, feedback: {}}'
)
PATIENCE = 'write a duration from "1s" to "1h": an autoscaler remembers no longer than that'
BUDGET = 'write a duration from "30s" to "24h": less is over before anything was tried'
ONCE = "write each precision once, such as [fp32, int8]"
CACHE = 'write a size from "1MB" to "64GB", such as "64MB" or "64Mi"'
COMMAND_ID = 'write a new word without spaces as the id of a command, such as "2" or "2026-01-15T10:00"'


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


def _scaling(**fields: Any) -> dict[str, Any]:
    return _spec(scaling={"maxReplicas": 4, **fields})


def _rollout(strategy: str = "Canary", **fields: Any) -> dict[str, Any]:
    return _spec(rollout={"strategy": strategy, **fields})


def _labelled(strategy: str = "Canary", **fields: Any) -> dict[str, Any]:
    """A rollout of a Model that takes labels."""
    labels = {"sample": "auto", "log": {"columns": ["*"]}, "feedback": {}}
    return {**_rollout(strategy, **fields), "monitoring": labels}


def _steps(*weights: int) -> dict[str, Any]:
    return _rollout(steps=[{"weight": weight} for weight in weights])


def _ab(**fields: Any) -> dict[str, Any]:
    return _rollout("AB", ab=fields)


def _command(identity: str) -> dict[str, Any]:
    return _rollout(command={"id": identity, "action": "abort"})


def _unfit(field: str, value: Any, strategy: str, fit: str, **needed: Any) -> Refusal:
    sentence = f"rollout.{field} is for strategy {fit}: remove it or change the strategy"
    return Refusal(f"{field} with {strategy}", _rollout(strategy, **needed, **{field: value}), "spec.rollout", sentence)


_COOKIE = {"ab": {"cookie": "user"}}
_ROLLOUT_REFUSALS = (
    _unfit("steps", [{"weight": 5}], "Immediate", "Canary or Shadow"),
    _unfit("steps", [{"weight": 5}], "AB", "Canary or Shadow", **_COOKIE),
    _unfit("bake", "10m", "Recreate", "BlueGreen, Canary or Shadow"),
    _unfit("bake", "10m", "AB", "BlueGreen, Canary or Shadow", **_COOKIE),
    _unfit("maxDuration", "2h", "Immediate", "AB, BlueGreen, Canary or Shadow"),
    _unfit("maxRegression", "25%", "Immediate", "AB, BlueGreen, Canary or Shadow"),
    _unfit("abortScaleDownDelay", "10m", "Recreate", "AB, BlueGreen, Canary or Shadow"),
    _unfit("onInconclusive", "Hold", "AB", "BlueGreen, Canary or Shadow", **_COOKIE),
    _unfit("loadTest", {}, "Immediate", "AB, BlueGreen, Canary or Shadow"),
    _unfit("preview", {}, "Canary", "BlueGreen"),
    _unfit("shadow", {}, "Canary", "Shadow"),
    _unfit("ab", {"header": "x-user-id"}, "Canary", "AB"),
    Refusal("a step to 100", _steps(5, 100), "spec.rollout.steps[1].weight", WEIGHT),
    Refusal("a step to 0", _steps(0), "spec.rollout.steps[0].weight", WEIGHT),
    Refusal("falling steps", _steps(5, 50, 25), "spec.rollout", RISING),
    Refusal("equal steps", _steps(5, 5), "spec.rollout", RISING),
    Refusal("a bake without unit", _rollout(bake="10"), "spec.rollout.bake", DURATION),
    Refusal("a bake of days", _rollout(bake="1d"), "spec.rollout.bake", DURATION),
    Refusal("a bake of no time", _rollout(bake="0h0m"), "spec.rollout.bake", DURATION),
    Refusal("a duration beyond dates", _rollout(maxDuration="9999999h"), "spec.rollout.maxDuration", DURATION),
    Refusal(
        "a hold in words", _rollout(steps=[{"weight": 5, "hold": "2 min"}]), "spec.rollout.steps[0].hold", DURATION
    ),
    Refusal("a regression without %", _rollout(maxRegression="0.25"), "spec.rollout.maxRegression", PERCENT),
    Refusal(
        "a load test of no time", _rollout(loadTest={"duration": "0s"}), "spec.rollout.loadTest.duration", DURATION
    ),
    Refusal(
        "a disagreement of 100 %",
        _rollout("Shadow", shadow={"maxDisagreement": "100%"}),
        "spec.rollout.shadow.maxDisagreement",
        BETWEEN,
    ),
    Refusal("steps behind a shadow that ends", _rollout("Shadow", steps=[{"weight": 5}]), "spec.rollout", AFTER_SHADOW),
    Refusal("a bake behind a shadow that ends", _rollout("Shadow", bake="5m", shadow={}), "spec.rollout", AFTER_SHADOW),
    Refusal(
        "labels of a blue-green",
        _labelled("BlueGreen", feedback={}),
        "spec.rollout",
        "rollout.feedback is for strategy Canary or Shadow: remove it or change the strategy",
    ),
    Refusal("labels behind a shadow that ends", _labelled("Shadow", feedback={}), "spec.rollout", AFTER_SHADOW),
    Refusal("a gate on labels that nobody takes", _rollout(feedback={}), "spec", LABELS),
    Refusal("a margin of 100 %", _labelled(feedback={"margin": "100%"}), "spec.rollout.feedback.margin", BETWEEN),
    Refusal("an A/B test of nobody", _rollout("AB"), "spec.rollout", USERS),
    Refusal("an A/B test that knows no user", _ab(weight=50), "spec.rollout.ab", STICKY),
    Refusal("an A/B test that knows users twice", _ab(header="x-user", cookie="user"), "spec.rollout.ab", STICKY),
    Refusal("a cookie with a space", _ab(cookie="my user"), "spec.rollout.ab.cookie", NAME_OF_USERS),
    Refusal("an A/B test of everybody", _ab(weight=100, header="x-user"), "spec.rollout.ab.weight", WEIGHT),
    Refusal("a command without a word", _command(""), "spec.rollout.command.id", COMMAND_ID),
    Refusal("a command in two words", _command("a b"), "spec.rollout.command.id", COMMAND_ID),
)

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
    Refusal("a tuning to nothing", _spec(tune={}), "spec", OBJECTIVE),
    Refusal("min above max", _spec(scaling={"minReplicas": 3, "maxReplicas": 2}), "spec.scaling", RANGE),
    Refusal("a delay too long", _scaling(scaleDownDelay="61m"), "spec.scaling.scaleDownDelay", PATIENCE),
    Refusal("a delay of nearly nothing", _scaling(scaleDownDelay="10ms"), "spec.scaling.scaleDownDelay", PATIENCE),
    Refusal("a delay without unit", _scaling(scaleDownDelay="300"), "spec.scaling.scaleDownDelay", DURATION),
    Refusal("a utilization without %", _scaling(targetUtilization="75"), "spec.scaling.targetUtilization", PERCENT),
    Refusal("a utilization of 100", _scaling(targetUtilization="100%"), "spec.scaling.targetUtilization", BETWEEN),
    Refusal("a number above its range", _spec(serving={"replicas": 4}, scaling={"maxReplicas": 3}), "spec", ABOVE),
    Refusal("no replica", _spec(serving={"replicas": 0}), "spec.serving.replicas", REPLICAS),
    Refusal("too many replicas", _spec(serving={"replicas": 1001}), "spec.serving.replicas", REPLICAS),
    Refusal("a unit Kubernetes lacks", _cpu("1GB"), "spec.serving.resources.requests[cpu]", AMOUNT),
    Refusal("an exponent without a number", _cpu("1e"), "spec.serving.resources.requests[cpu]", AMOUNT),
    Refusal("a negative amount", _cpu(-1), "spec.serving.resources.requests[cpu]", AMOUNT),
    Refusal("a budget too short", _spec(optimize={"budget": "29s"}), "spec.optimize.budget", BUDGET),
    Refusal("a budget too long", _spec(optimize={"budget": "24h1ms"}), "spec.optimize.budget", BUDGET),
    Refusal("a budget without a unit", _spec(optimize={"budget": "600"}), "spec.optimize.budget", DURATION),
    Refusal("a loss without %", _spec(optimize={"maxQualityLoss": "0.01"}), "spec.optimize.maxQualityLoss", PERCENT),
    Refusal(
        "everything may be lost", _spec(optimize={"maxQualityLoss": "100%"}), "spec.optimize.maxQualityLoss", BETWEEN
    ),
    Refusal("a precision twice", _spec(optimize={"precisions": ["int8", "int8"]}), "spec.optimize.precisions", ONCE),
    *(
        Refusal(f"a cache of {size}", _spec(cache={"size": size}), "spec.cache.size", CACHE)
        for size in ("1kB", "999k", "65Gi", "99999999M", "0MB", "64", "1.5GB")
    ),
    *_ROLLOUT_REFUSALS,
    *(
        Refusal(name, _spec(serving=serving), f"spec.serving.{field}", sentence)
        for name, (serving, field, sentence) in MISTAKES.items()
    ),
    *(
        Refusal(name, _spec(monitoring=monitoring), f"spec.monitoring.{field}".rstrip("."), sentence)
        for name, (monitoring, field, sentence) in monitorings.MISTAKES.items()
    ),
    *(
        Refusal(name, _spec(**fields), f"spec.{field}".rstrip("."), sentence)
        for name, (fields, field, sentence) in retrains.MISTAKES.items()
    ),
)

ACCEPTED = {
    **{name: _spec(monitoring=monitoring) for name, monitoring in monitorings.RIGHT.items()},
    **{name: _spec(**fields) for name, fields in retrains.RIGHT.items()},
    "a tuning": _spec(tune={"cpus": 2}, slo={"latency": {"percentile": 99, "threshold": "50ms"}}),
    "an optimization with every default": _spec(optimize={}),
    "an optimization with everything": _spec(
        optimize={
            "goal": "size",
            "maxQualityLoss": "0.5%",
            "precisions": ["int4", "fp32", "fp16", "bf16", "int8"],
            "budget": "24h",
            "wait": True,
        }
    ),
    "the shortest optimization": _spec(optimize={"precisions": ["fp32"], "budget": "30s"}),
    **{f"a quantity such as {text}": _cpu(text) for text in ("1e3", "0.5", "1Pi", "100m", "+1", ".5", "2.", "5e-1", 2)},
    **{f"a cache of {size}": _spec(cache={"size": size}) for size in ("1MB", "977Ki", "64GB", "64Gi")},
    "the least there is": _spec(),
    "an alias": {"source": {"name": "sentence_embeddings.v2", "alias": "champion"}},
    "every promise": _spec(
        slo={
            "latency": {"percentile": 99.9, "threshold": "0.5s"},
            "errorRate": "0.1%",
            "availability": "99.99%",
        }
    ),
    "a number inside its range": _spec(serving={"replicas": 3}, scaling={"minReplicas": 2, "maxReplicas": 4}),
    "a number below its range": _spec(serving={"replicas": 1}, scaling={"minReplicas": 2, "maxReplicas": 4}),
    "a range of replicas": _spec(scaling={"minReplicas": 2, "maxReplicas": 2}),
    "a way to choose": _scaling(targetUtilization="62.5%", scaleDownDelay="1h"),
    "numbers as amounts": _spec(
        serving={"runtime": "gpu", "replicas": 3, "resources": {"limits": {"nvidia.com/gpu": 1, "memory": "8Gi"}}}
    ),
    **{name: _spec(serving=serving) for name, serving in RIGHT.items()},
    "a strategy": _spec(rollout={"strategy": "Immediate"}),
    "a canary without a strategy": _spec(rollout={"steps": [{"weight": 1}, {"weight": 99}]}),
    "a canary with everything": _rollout(
        steps=[{"weight": 5, "hold": "2m"}, {"weight": 50, "pause": True}],
        bake="1h30m",
        maxDuration="2h",
        maxRegression="25%",
        abortScaleDownDelay="0.5h",
        onInconclusive="Promote",
        loadTest={"scenario": "steady", "requestsPerSecond": 50, "duration": "60s"},
        command={"id": "2026-01-15T10:00:00Z", "action": "pause"},
    ),
    "a canary with labels": _labelled(feedback={"labels": 500, "margin": "2%"}),
    "a canary with labels by the defaults": _labelled(feedback={}),
    "blue-green with a preview": _rollout("BlueGreen", preview={"hold": "10m", "pause": True}, bake="30m"),
    "a shadow": _rollout("Shadow", shadow={"percent": 100, "maxDisagreement": "2%", "tolerance": {"absolute": 0.01}}),
    "a shadow by default": _rollout("Shadow"),
    "a shadow and then a canary": _rollout("Shadow", shadow={"then": "Canary"}, steps=[{"weight": 10}], bake="5m"),
    "an A/B test by header": _ab(header="x-user-id", weight=30, duration="168h"),
    "an A/B test by cookie": _ab(cookie="user_id"),
    "a strategy without fields but with a command": _rollout("Recreate", command={"id": "1", "action": "retry"}),
}
