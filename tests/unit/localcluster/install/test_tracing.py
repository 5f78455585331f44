"""The collector is where the platform's chart looks for one, and the chart is told of one that is there."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from localcluster.install import release
from localcluster.install.kubernetes import Kubernetes
from localcluster.install.prerequisites import manifest
from localcluster.install.tracing import COLLECTOR, NAMESPACE, PORT
from localcluster.steps.task import Task
from tests.support.repository.charts import one

PLACES = {"prometheus": "image:1", "alertmanager": "image:2", "node_port": "30090", "alerts_port": "30093"}


def objects(file: str = "tracing.yaml", **places: str) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all(manifest(file, **(places or {"collector": "image:1"}))))


@dataclass(frozen=True)
class NotedHelm(Kubernetes):
    """A cluster whose collector's Service has this port, if any; notes what Helm is told."""

    port: str = ""
    words: list[str] = field(default_factory=list)

    def value(self, task: Task, kind: str, name: str, path: str, namespace: str = "default") -> str:
        return self.port if (kind, name, namespace) == ("service", COLLECTOR, NAMESPACE) else ""

    def helm(self, task: Task, *words: str | Path) -> str:
        self.words.extend(map(str, words))
        return ""


def test_the_collector_is_where_the_chart_sends_traces_by_default() -> None:
    values = yaml.safe_load((release.CHART / "values.yaml").read_text())

    assert values["gateway"]["tracing"]["collector"] == {"name": COLLECTOR, "namespace": NAMESPACE, "port": PORT}
    service = one(objects(), "Service", COLLECTOR)
    assert service["metadata"]["namespace"] == NAMESPACE
    assert PORT in {port["port"] for port in service["spec"]["ports"]}


def test_what_it_listens_at_are_the_ports_of_its_pod() -> None:
    [container] = one(objects(), "Deployment", COLLECTOR)["spec"]["template"]["spec"]["containers"]
    config = yaml.safe_load(one(objects(), "ConfigMap", COLLECTOR)["data"]["collector.yaml"])
    [reader] = config["service"]["telemetry"]["metrics"]["readers"]
    receivers = config["receivers"]["otlp"]["protocols"].values()

    listened = {int(receiver["endpoint"].rpartition(":")[2]) for receiver in receivers}
    listened.add(reader["pull"]["exporter"]["prometheus"]["port"])
    assert {port["containerPort"] for port in container["ports"]} == listened
    targets = {port["targetPort"] for port in one(objects(), "Service", COLLECTOR)["spec"]["ports"]}
    assert targets < {port["name"] for port in container["ports"]}


def test_it_shares_its_namespace_with_the_add_on_monitoring() -> None:
    assert one(objects(), "Namespace", NAMESPACE) == one(objects("monitoring.yaml", **PLACES), "Namespace", NAMESPACE)


@pytest.mark.parametrize(("port", "told"), [(str(PORT), "true"), ("", "false")], ids=["there", "missing"])
def test_the_gateway_can_send_traces_where_there_is_a_collector(port: str, told: str, tmp_path: Path) -> None:
    cluster = NotedHelm(tmp_path / "kubeconfig", port)

    release.install(cluster, Task(tmp_path / "log"), {})

    assert f"gateway.tracing.enabled={told}" in cluster.words
