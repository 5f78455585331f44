"""What Prometheus is told about Models and their revisions, computed from the cache when it is asked for.

| metric | labels | meaning |
|---|---|---|
| model_ready | namespace, model | 1 while condition Ready is True, else 0 |
| slo_allowed_ratio | namespace, model, objective | share (0..1) that may be bad, of each promise of spec.slo |
| slo_latency_bound | namespace, model, le | 1 for the bucket, in ms, that judges the promised latency |
| revision_slot | namespace, model, revision, slot, version | since when it is where it is, epoch seconds |
| revision_weight | namespace, model, revision | share of the traffic in percent |
| revision_replicas | namespace, model, revision, state | replicas: desired, ready |
| revision_reserved | namespace, model, revision, resource | what its replicas request: cpu cores, memory bytes, gpu |
| price_per_hour | resource | of one core, one byte of memory, one GPU (config.prices); absent where it is not known |

Every replica of the operator says the same: ask for their `max`. The rules of `modelyard.core.prometheus_rules` join on
these.
"""

from collections.abc import Iterable, Iterator

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from pydantic import TypeAdapter, ValidationError

from modelyard.api.model import Slo
from modelyard.api.quantity import amount
from modelyard.api.status import RevisionStatus
from modelyard.core.autoscaling.node_room import requested
from modelyard.core.names import predictor
from modelyard.core.slo.objectives import PromisedObjective, promised
from modelyard.core.snapshot import Object, Ref
from modelyard.operator.cache.objects import ObjectCache
from modelyard.settings import PriceSettings

from .rollouts import seconds_of

_MODEL = ["namespace", "model"]
_REVISION = [*_MODEL, "revision"]
_GIB = float(amount("1Gi"))
_REVISIONS = TypeAdapter(list[RevisionStatus])


class ModelMetrics(Collector):
    """A collector over the cache."""

    def __init__(self, cache: ObjectCache, prices: PriceSettings) -> None:
        self._cache, self._prices = cache, prices

    def collect(self) -> Iterable[Metric]:
        models = self._cache.models()
        yield _readiness(models)
        yield from _promises(models)
        yield from self._revisions(models)
        yield self._price_list()

    def _revisions(self, models: Iterable[Object]) -> Iterator[Metric]:
        slots = GaugeMetricFamily("modelyard_revision_slot", "Since when.", labels=[*_REVISION, "slot", "version"])
        weights = GaugeMetricFamily("modelyard_revision_weight", "Share in percent.", labels=_REVISION)
        replicas = GaugeMetricFamily("modelyard_revision_replicas", "Replicas.", labels=[*_REVISION, "state"])
        reserved = GaugeMetricFamily("modelyard_revision_reserved", "Requests.", labels=[*_REVISION, "resource"])
        for model in models:
            for revision in _revisions(model):
                place = [*_place(model), revision.name]
                slots.add_metric([*place, revision.slot, revision.version], seconds_of(revision.stage_start_time))
                weights.add_metric(place, revision.weight)
                deployment = self._cache.get(Ref("Deployment", place[0], predictor(revision.name)))
                if deployment is not None:
                    _add_replicas(place, deployment, replicas, reserved)
        yield from (slots, weights, replicas, reserved)

    def _price_list(self) -> Metric:
        family = GaugeMetricFamily("modelyard_price_per_hour", "Price of one unit for an hour.", labels=["resource"])
        prices = self._prices
        units = {"cpu": prices.cpu_core_hour, "memory": prices.memory_gib_hour / _GIB, "gpu": prices.gpu_hour}
        for resource, price in units.items():
            if price:
                family.add_metric([resource], price)
        return family


def _add_replicas(
    place: list[str], deployment: Object, replicas: GaugeMetricFamily, reserved: GaugeMetricFamily
) -> None:
    spec = deployment["spec"]
    desired, status = spec.get("replicas", 1), deployment.get("status") or {}
    replicas.add_metric([*place, "desired"], desired)
    replicas.add_metric([*place, "ready"], status.get("readyReplicas", 0))
    size = requested(spec["template"]["spec"])
    there = max(desired, status.get("replicas", 0))
    for resource, each in (("cpu", size.cores), ("memory", size.memory), ("gpu", size.gpus)):
        reserved.add_metric([*place, resource], there * float(each))


def _readiness(models: Iterable[Object]) -> Metric:
    family = GaugeMetricFamily("modelyard_model_ready", "1 while the Model answers its users.", labels=_MODEL)
    for model in models:
        conditions = (model.get("status") or {}).get("conditions", [])
        ready = any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)
        family.add_metric(_place(model), float(ready))
    return family


def _promises(models: Iterable[Object]) -> Iterator[Metric]:
    allowed = GaugeMetricFamily("modelyard_slo_allowed_ratio", "Share that may be bad.", labels=[*_MODEL, "objective"])
    bounds = GaugeMetricFamily(
        "modelyard_slo_latency_bound", "The bucket that judges the latency.", labels=[*_MODEL, "le"]
    )
    for model in models:
        for objective in _promised(model):
            if objective.countable:
                allowed.add_metric([*_place(model), objective.promise.value], objective.allowed)
            if objective.bound is not None:
                bounds.add_metric([*_place(model), f"{objective.bound:g}"], 1)
    yield from (allowed, bounds)


def _promised(model: Object) -> tuple[PromisedObjective, ...]:
    """The promises in a Model's spec; none where an older API server took what cannot be read now."""
    try:
        written = (model.get("spec") or {}).get("slo")
        return promised(None if written is None else Slo.model_validate(written))
    except ValidationError:
        return ()


def _revisions(model: Object) -> list[RevisionStatus]:
    try:
        return _REVISIONS.validate_python((model.get("status") or {}).get("revisions") or [])
    except ValidationError:
        return []


def _place(model: Object) -> list[str]:
    return [model["metadata"]["namespace"], model["metadata"]["name"]]
