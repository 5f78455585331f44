"""The add-on monitoring: Prometheus and Alertmanager, with the rules and the routes of the platform's chart.

Both are the chart's own ConfigMaps, rendered with the values of this cluster and put where Prometheus runs.
"""

from typing import Any

import yaml

from localcluster.node.network import ALERTMANAGER_PORT, PROMETHEUS_PORT
from localcluster.steps.task import Task
from localcluster.versions import local_image

from .kubernetes import Kubernetes
from .prerequisites import PLATFORM_NAMESPACE, manifest
from .release import CHART, VALUES

NAMESPACE = "monitoring"
_FROM_CHART = {"monitoring-rules.yaml": "rulesConfigMap", "monitoring-alertmanager.yaml": "alertmanagerConfig"}
"""Template of the chart -> the value of `monitoring` that enables it."""


def install(kubernetes: Kubernetes, task: Task) -> str:
    """Prometheus and Alertmanager with services that answer inside the cluster and on the node."""
    images = {name: local_image(name) for name in ("prometheus", "alertmanager")}
    ports = {"node_port": str(PROMETHEUS_PORT), "alerts_port": str(ALERTMANAGER_PORT)}
    kubernetes.apply(task, text=manifest("monitoring.yaml", **images, **ports))
    kubernetes.apply(task, text=yaml.safe_dump_all(from_chart(kubernetes, task)))
    for deployment in images:
        kubernetes.wait_available(task, deployment, NAMESPACE)
    return f"ports {PROMETHEUS_PORT}, {ALERTMANAGER_PORT}"


def from_chart(kubernetes: Kubernetes, task: Task) -> list[dict[str, Any]]:
    """The chart's ConfigMaps with rules and routes, for the namespace of Prometheus."""
    found = []
    for template, value in _FROM_CHART.items():
        text = kubernetes.helm(
            task, "template", "modelyard", CHART, "-n", PLATFORM_NAMESPACE, "-f", VALUES, "-s", f"templates/{template}",
            "--set", f"monitoring.{value}.enabled=true",
        )  # fmt: skip
        made = yaml.safe_load(text)
        made["metadata"]["namespace"] = NAMESPACE
        found.append(made)
    return found
