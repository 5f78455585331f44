"""Autoscalers on a real API server, with KEDA's own definition of ScaledObject and the rights that the chart gives."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from localcluster import paths
from localcluster.programs import binaries
from localcluster.steps.task import Task
from modelyard.clients.cluster import list_watch
from modelyard.core.names import predictor
from modelyard.operator.observer import scaling_means
from modelyard.settings import GatewaySettings
from tests.support.operator.bench import Bench, eventually
from tests.support.operator.real_apiserver import RealApiServer

pytestmark = pytest.mark.integration

DIGITS = {"source": {"name": "digits", "version": "1"}, "scaling": {"minReplicas": 1, "maxReplicas": 4}}
SCALED_OBJECTS = "scaledobjects.keda.sh"
METRICS = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {
        "name": "pods.metrics.k8s.io",
        "annotations": {"api-approved.kubernetes.io": "unapproved, what metrics-server serves, for a test"},
    },
    "spec": {
        "group": "metrics.k8s.io",
        "scope": "Namespaced",
        "names": {"kind": "PodMetrics", "plural": "pods", "singular": "pod"},
        "versions": [
            {"name": "v1beta1", "served": True, "storage": True, "schema": {"openAPIV3Schema": {"type": "object"}}}
        ],
    },
}


@pytest.fixture(autouse=True)
def looked_often(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the cluster has is asked for again and again."""
    monkeypatch.setattr(scaling_means, "EVERY_SECONDS", 0.3)
    monkeypatch.setattr(list_watch, "_ABSENT_SECONDS", 0.3)


@pytest.fixture
def definition(tmp_path: Path) -> Path:
    """The file in which KEDA defines ScaledObject."""
    source = binaries.source(paths.default(), Task(tmp_path / "keda.log"), "keda")
    return source / "config" / "crd" / "bases" / "keda.sh_scaledobjects.yaml"


@pytest.fixture
def undefined(apiserver: RealApiServer) -> Iterator[None]:
    """Afterwards the API server knows what it knew."""
    yield
    for name in (SCALED_OBJECTS, "pods.metrics.k8s.io"):
        apiserver.run("kubectl", "delete", "crd", name, "--ignore-not-found", "--timeout=30s")


def define(bench: Bench, text: str, name: str) -> None:
    """Somebody installs a kind."""
    done = bench.api.run("kubectl", "apply", "--server-side", "-f", "-", stdin=text)
    assert done.returncode == 0, done.stderr
    done = bench.api.run("kubectl", "wait", f"crd/{name}", "--for=condition=Established", "--timeout=30s")
    assert done.returncode == 0, done.stderr


def counted(bench: Bench) -> None:
    """The platform knows a Prometheus."""
    gateway = bench.settings.gateway.model_dump() | {"prometheus_url": "http://prometheus.monitoring:9090"}
    bench.settings = bench.settings.model_copy(update={"gateway": GatewaySettings(**gateway)})


def reason(bench: Bench, word: str) -> dict[str, Any]:
    """The status of scaling, once it has that reason."""

    def said() -> dict[str, Any] | None:
        scaling = bench.status("digits").get("scaling") or {}
        return scaling if scaling.get("reason") == word else None

    return eventually(said, f"scaling says {word}")


def autoscaler(bench: Bench, kind: str) -> dict[str, Any]:
    """The autoscaler of the revision that serves, once it is there."""
    return eventually(lambda: bench.get(kind, predictor(bench.status("digits").get("revision", "x"))), f"a {kind}")


@pytest.mark.usefixtures("undefined")
def test_keda_may_come_and_go_while_models_serve(lively: Bench, definition: Path) -> None:
    counted(lively)
    with lively.operating() as operator:
        lively.ask("digits", **DIGITS)
        reason(lively, "NoAutoscaler")
        ready = operator.ready()
        define(lively, definition.read_text(), SCALED_OBJECTS)
        made = autoscaler(lively, "ScaledObject")
        reason(lively, "ScaledByRequests")
        lively.until("digits", "Reconciling", "False", "Done")
        lively.edit("ScaledObject", made["metadata"]["name"], {"spec": {"maxReplicaCount": 50}})
        eventually(
            lambda: autoscaler(lively, "ScaledObject")["spec"]["maxReplicaCount"] == 4, "somebody's edit is put right"
        )
        mended = autoscaler(lively, "ScaledObject")["metadata"]
        lively.ask("digits", **DIGITS, slo={"errorRate": "1%"})
        lively.until("digits", "Reconciling", "False", "Done")
        still = autoscaler(lively, "ScaledObject")["metadata"]
        lively.api.run("kubectl", "delete", "crd", SCALED_OBJECTS, "--timeout=60s")
        reason(lively, "NoAutoscaler")
        lively.until("digits", "Ready", "True")
        healthy = operator.healthy()

    assert ready == (True, "leading")
    assert healthy == (True, "ok")
    assert (mended["uid"], mended["resourceVersion"]) == (still["uid"], still["resourceVersion"])
    assert [owner["kind"] for owner in made["metadata"]["ownerReferences"]] == ["Model"]


@pytest.mark.usefixtures("undefined")
def test_by_cpu_where_the_api_server_has_metrics_and_one_of_somebody_else_is_the_only_one(lively: Bench) -> None:
    define(lively, yaml.safe_dump(METRICS), "pods.metrics.k8s.io")
    with lively.operating():
        lively.ask("digits", **DIGITS)
        made = autoscaler(lively, "HorizontalPodAutoscaler")
        lively.until("digits", "Reconciling", "False", "Done")
        again = autoscaler(lively, "HorizontalPodAutoscaler")
        target = {"apiVersion": "modelyard.dev/v1alpha1", "kind": "Model", "name": "digits"}
        mine = {
            "apiVersion": "autoscaling/v2",
            "kind": "HorizontalPodAutoscaler",
            "metadata": {"name": "mine", "namespace": lively.namespace},
            "spec": {"scaleTargetRef": target, "maxReplicas": 3},
        }
        assert lively.api.run("kubectl", "create", "-f", "-", stdin=json.dumps(mine)).returncode == 0
        said = reason(lively, "ScaledByOthers")
        eventually(lambda: lively.names("HorizontalPodAutoscaler") == ["mine"], "the platform's own is gone")
        lively.delete("HorizontalPodAutoscaler", "mine")
        reason(lively, "ScaledByCpu")
        autoscaler(lively, "HorizontalPodAutoscaler")

    assert made["spec"]["metrics"][0]["type"] == "ContainerResource"
    assert made["metadata"]["resourceVersion"] == again["metadata"]["resourceVersion"]
    assert said["message"].startswith("HorizontalPodAutoscaler mine scales it")


@pytest.mark.usefixtures("undefined")
def test_an_autoscaler_that_is_refused_keeps_nothing_else_back(lively: Bench) -> None:
    define(lively, yaml.safe_dump(METRICS), "pods.metrics.k8s.io")
    quota = {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "none", "namespace": lively.namespace},
        "spec": {"hard": {"count/horizontalpodautoscalers.autoscaling": "0"}},
        "status": {"hard": {"count/horizontalpodautoscalers.autoscaling": "0"}},
    }
    assert lively.api.run("kubectl", "create", "-f", "-", stdin=json.dumps(quota)).returncode == 0
    subresource = ("patch", "resourcequota", "none", "-n", lively.namespace, "--subresource=status", "--type=merge")
    used = {"status": {**quota["status"], "used": quota["status"]["hard"]}}
    assert lively.api.run("kubectl", *subresource, "-p", json.dumps(used)).returncode == 0
    with lively.operating():
        lively.ask("digits", **DIGITS)
        lively.until("digits", "Reconciling", "False", "Done")
        events = eventually(lambda: refusals(lively), "an Event says why")
        lively.ask("digits", **{**DIGITS, "source": {"name": "digits", "version": "2"}})
        lively.until("digits", "Reconciling", "False", "Done")
        eventually(lambda: lively.status("digits")["version"] == "2", "version 2 serves")

    assert "exceeded quota" in events[0]["message"]
    assert lively.names("HorizontalPodAutoscaler") == []


def refusals(bench: Bench) -> list[dict[str, Any]]:
    """The Events of autoscalers that were refused."""
    events = bench.cluster.items("Event", bench.namespace)
    return [event for event in events if event["reason"] == "AutoscalerRefused"]
