"""What Prometheus learns of Models and revisions from the cached objects."""

from typing import Any

from prometheus_client import CollectorRegistry

from modelyard.core.conditions import timestamp
from modelyard.operator.cache.objects import ObjectCache
from modelyard.operator.metrics.models import ModelMetrics
from modelyard.settings import PriceSettings

DIGITS = {"namespace": "demo", "model": "digits"}
REVISION = {**DIGITS, "revision": "digits-1"}
GIB = 2.0**30
NO_PRICES = PriceSettings()


class Told:
    """A cache, and what is told of it."""

    def __init__(self, prices: PriceSettings = NO_PRICES) -> None:
        self.cache, self._registry, self._version = ObjectCache(), CollectorRegistry(), 0
        self._registry.register(ModelMetrics(self.cache, prices))

    def value(self, name: str, **labels: str) -> float | None:
        return self._registry.get_sample_value(f"modelyard_{name}", labels)

    def has(self, kind: str, name: str, **content: Any) -> "Told":
        self._version += 1
        meta = {"namespace": "demo", "name": name, "uid": name + kind, "resourceVersion": str(self._version)}
        self.cache.put({"kind": kind, "metadata": {**meta, "labels": {"modelyard.dev/model": "digits"}}, **content})
        return self

    def model(self, slo: Any = None, **status: Any) -> "Told":
        return self.has("Model", "digits", spec={} if slo is None else {"slo": slo}, status=status)


def a_revision(**changed: Any) -> dict[str, Any]:
    fixed = {"name": "digits-1", "slot": "a", "digest": "sha256:1", "version": "1", "runtime": "r", "stage": "Serving"}
    return {**fixed, "weight": 100, "stageStartTime": timestamp(1_000.0), **changed}


def test_a_model_is_ready_when_its_condition_says_so() -> None:
    def conditions(status: str) -> list[dict[str, str]]:
        return [{"type": "Progressing", "status": "True"}, {"type": "Ready", "status": status}]

    assert Told().model(conditions=conditions("True")).value("model_ready", **DIGITS) == 1
    assert Told().model(conditions=conditions("False")).value("model_ready", **DIGITS) == 0
    assert Told().model().value("model_ready", **DIGITS) == 0


def test_every_promise_is_told_with_what_it_allows_and_the_bucket_that_judges() -> None:
    slo = {"errorRate": "1%", "latency": {"percentile": 99, "threshold": "120ms"}, "availability": "99.9%"}
    told = Told().model(slo)

    shares = {name: told.value("slo_allowed_ratio", **DIGITS, objective=name) for name in ("errors", "latency")}
    assert shares == {"errors": 0.01, "latency": 0.01}
    assert round(told.value("slo_allowed_ratio", **DIGITS, objective="availability") or 0, 9) == 0.001
    assert told.value("slo_latency_bound", **DIGITS, le="100") == 1


def test_a_latency_below_every_bucket_is_not_judged() -> None:
    told = Told().model({"latency": {"percentile": 99, "threshold": "0.5ms"}})

    assert told.value("slo_allowed_ratio", **DIGITS, objective="latency") is None


def test_what_cannot_be_read_is_not_told_and_hides_nothing_else() -> None:
    told = Told().model({"errorRate": "many"}, revisions=[{"name": "digits-1"}])

    assert told.value("model_ready", **DIGITS) == 0
    assert told.value("slo_allowed_ratio", **DIGITS, objective="errors") is None
    assert told.value("revision_weight", **REVISION) is None


def test_a_revision_is_told_with_its_slot_since_when_and_its_weight() -> None:
    told = Told().model(revisions=[a_revision()])

    assert told.value("revision_slot", **REVISION, slot="a", version="1") == 1_000
    assert told.value("revision_weight", **REVISION) == 100
    assert told.value("revision_replicas", **REVISION, state="ready") is None


def test_replicas_reserve_what_their_pods_request_also_those_that_are_about_to_go() -> None:
    container = {"resources": {"requests": {"cpu": "500m", "memory": "1Gi"}, "limits": {"nvidia.com/gpu": 1}}}
    spec = {"replicas": 2, "template": {"spec": {"containers": [container]}}}
    told = Told().model(revisions=[a_revision()])
    told.has("Deployment", "digits-1-predictor", spec=spec, status={"replicas": 3, "readyReplicas": 1})

    assert [told.value("revision_replicas", **REVISION, state=state) for state in ("desired", "ready")] == [2, 1]
    reserved = [told.value("revision_reserved", **REVISION, resource=name) for name in ("cpu", "memory", "gpu")]
    assert reserved == [1.5, 3 * GIB, 3]


def test_prices_are_told_by_core_byte_and_gpu_and_not_where_they_are_not_known() -> None:
    told = Told(PriceSettings(cpu_core_hour=0.04, memory_gib_hour=0.005))

    assert told.value("price_per_hour", resource="cpu") == 0.04
    assert told.value("price_per_hour", resource="memory") == 0.005 / GIB
    assert told.value("price_per_hour", resource="gpu") is None
