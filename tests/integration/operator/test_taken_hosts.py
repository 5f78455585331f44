"""Two that claim one host on a real API server: the older keeps it untouched, the later says so and heals by itself."""

import json
from typing import Any

import pytest

from modelyard.api.model import Model
from modelyard.core.names import MODEL_LABEL
from modelyard.core.snapshot import Ref
from modelyard.operator.cache.objects import Key
from modelyard.operator.process import Operator
from tests.support.operator.bench import Bench, eventually

DIGITS = {"source": {"name": "digits", "version": "1"}}


def stranger(bench: Bench, name: str, labels: dict[str, str]) -> dict[str, Any]:
    """Somebody's route with the host of the Model digits, accepted by the gateway."""
    gateway = {"name": bench.settings.gateway.name, "namespace": bench.settings.gateway.namespace}
    host = f"digits.{bench.namespace}.{bench.settings.gateway.domain}"
    spec = {"parentRefs": [gateway], "hostnames": [host], "rules": [{"backendRefs": [{"name": "shop", "port": 80}]}]}
    metadata = {"name": name, "namespace": bench.namespace, "labels": labels}
    body = {"apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute", "metadata": metadata, "spec": spec}
    done = bench.api.run("kubectl", "create", "-f", "-", "-o", "json", stdin=json.dumps(body))
    assert done.returncode == 0, done.stderr
    made = json.loads(done.stdout)
    since = {"lastTransitionTime": "2026-01-01T00:00:00Z", "observedGeneration": made["metadata"]["generation"]}
    said = {"status": "True", "reason": "Accepted", "message": "", **since}
    parent = {"parentRef": gateway, "controllerName": "a/gateway", "conditions": [{"type": "Accepted", **said}]}
    ref = Ref("HTTPRoute", bench.namespace, name)
    bench.cluster.apply_status(ref, made["metadata"]["uid"], {"parents": [parent]})
    return bench.get("HTTPRoute", name) or {}


@pytest.mark.parametrize("labels", [{"team": "shop"}, {MODEL_LABEL: "shop"}], ids=["a stranger", "with our label"])
def test_the_later_one_waits_and_goes_on_when_the_host_is_free(lively: Bench, labels: dict[str, str]) -> None:
    before = stranger(lively, "site", labels)
    lively.ask("digits", **DIGITS)
    with lively.operating():
        said = lively.until("digits", "Stalled", "True", "HostTaken")
        assert f"HTTPRoute {lively.namespace}/site had the host" in said["message"]
        assert (lively.names("InferenceService"), lively.names("HTTPRoute")) == ([], ["site"])
        assert (lively.get("HTTPRoute", "site") or {})["metadata"]["uid"] == before["metadata"]["uid"]

        lively.delete("HTTPRoute", "site")
        lively.until("digits", "Reconciling", "False", "Done")


def test_the_first_one_serves_on_when_another_comes_later(lively: Bench) -> None:
    lively.ask("digits", **DIGITS)
    with lively.operating() as operator:
        lively.until("digits", "Reconciling", "False", "Done")
        before = (lively.get("HTTPRoute", "digits") or {})["spec"]
        # Times have whole seconds, and of two that are made in the same one the first by name keeps the host.
        stranger(lively, "zoo", {})
        model = Model.of(lively.get("Model", "digits") or {})
        eventually(lambda: operator.claims.of(model), "the claim is known")
        settled = looks(operator)
        operator.queue.add(Key(lively.namespace, "digits"))
        eventually(lambda: looks(operator) > settled, "a look since then")

        assert lively.condition("digits", "Ready")["status"] == "True"
        assert (lively.get("HTTPRoute", "digits") or {})["spec"] == before


def looks(operator: Operator) -> float:
    return operator.metrics.value("modelyard_reconcile_seconds_count", outcome="settled")
