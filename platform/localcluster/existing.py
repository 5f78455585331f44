"""A cluster somebody else runs (`MODELYARD_CLUSTER=existing`): only looked at, never changed.

`problems` asks the cluster of the caller's KUBECONFIG for what the platform needs and answers with one sentence and
one command for each thing that is missing.
"""

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import CommandFailed, NotPossible
from .install.kubernetes import Kubernetes
from .steps.task import Task
from .versions import version

VARIABLE = "MODELYARD_CLUSTER"
KINDS_OF_CLUSTER = ("local", "existing", "kind")
OLDEST_KSERVE = (0, 17)
_GATEWAY_KINDS = ("gatewayclasses", "gateways", "httproutes", "grpcroutes")
_CHARTS = "oci://ghcr.io/kserve/charts"


@dataclass(frozen=True)
class Problem:
    """What is missing, and the command that installs it."""

    sentence: str
    remedy: str


@dataclass(frozen=True)
class Facts:
    """What the cluster says: names of CRDs, GatewayClasses accepted, KServe's image and deployment mode."""

    definitions: frozenset[str]
    accepted_classes: tuple[str, ...]
    kserve_image: str
    kserve_mode: str


def selected() -> str:
    """Which cluster the caller wants: local, existing or kind; raises NotPossible for any other value."""
    value = os.environ.get(VARIABLE, "local")
    if value not in KINDS_OF_CLUSTER:
        raise NotPossible(f"{VARIABLE}={value} is none of {', '.join(KINDS_OF_CLUSTER)}; correct or unset it.")
    return value


def chosen() -> bool:
    """Whether the caller wants an existing cluster; raises NotPossible for a value there is not."""
    return selected() == "existing"


def kubeconfig() -> Path:
    """The caller's kubeconfig; raises NotPossible when there is none."""
    file = Path(os.environ.get("KUBECONFIG") or Path.home() / ".kube" / "config")
    if not file.is_file():
        raise NotPossible(f"There is no kubeconfig at {file}: set KUBECONFIG to the file of your cluster.")
    return file


def facts(kubernetes: Kubernetes, task: Task) -> Facts:
    """Ask the cluster; raises NotPossible when it does not answer."""
    try:
        definitions = _items(kubernetes, task, "crd")
        classes = _items(kubernetes, task, "gatewayclass", ignored=True)
        deployments = _items(kubernetes, task, "deployment", "-A", "-l", "control-plane=kserve-controller-manager")
        settings = _items(kubernetes, task, "configmap", "-A", "--field-selector=metadata.name=inferenceservice-config")
    except CommandFailed as failure:
        raise NotPossible(
            f"The cluster of {kubernetes.kubeconfig} does not answer: correct KUBECONFIG.", failure.log
        ) from failure
    containers = [c for one in deployments for c in one["spec"]["template"]["spec"]["containers"]]
    deploy = json.loads(settings[0]["data"].get("deploy", "{}")) if settings else {}
    return Facts(
        definitions=frozenset(one["metadata"]["name"] for one in definitions),
        accepted_classes=tuple(one["metadata"]["name"] for one in classes if _accepted(one)),
        kserve_image=next((c["image"] for c in containers if c["name"] == "manager"), ""),
        kserve_mode=deploy.get("defaultDeploymentMode", ""),
    )


def problems(found: Facts) -> list[Problem]:
    """Everything the platform needs and the cluster lacks."""
    checks = (_kserve, _kserve_version, _kserve_mode, _gateway_api, _gateway_class)
    return [problem for check in checks if (problem := check(found))]


def remedy(found: list[Problem]) -> str:
    """One command line that installs everything that is missing."""
    return " && ".join(dict.fromkeys(problem.remedy for problem in found))


def _kserve(found: Facts) -> Problem | None:
    if "inferenceservices.serving.kserve.io" in found.definitions and found.kserve_image:
        return None
    number = version("kserve")
    install = f"helm install {{0}} {_CHARTS}/{{0}} --version v{number} -n kserve --create-namespace"
    mode = "--set kserve.controller.deploymentMode=Standard"
    remedy = f"{install.format('kserve-crd')} && {install.format('kserve-resources')} {mode}"
    return Problem("KServe is not installed (it needs cert-manager first).", remedy)


def _kserve_version(found: Facts) -> Problem | None:
    match = re.search(r":v?(\d+)\.(\d+)", found.kserve_image)
    if not match or (int(match[1]), int(match[2])) >= OLDEST_KSERVE:
        return None
    oldest = ".".join(map(str, OLDEST_KSERVE))
    return Problem(
        f"KServe is {match[1]}.{match[2]}, the platform needs {oldest} or newer.",
        f"helm upgrade kserve-resources {_CHARTS}/kserve-resources --version v{version('kserve')} -n kserve",
    )


def _kserve_mode(found: Facts) -> Problem | None:
    if not found.kserve_image or found.kserve_mode in ("Standard", "RawDeployment"):
        return None
    return Problem(
        f"KServe's deployment mode is {found.kserve_mode or 'unknown'}, the platform needs Standard.",
        "helm upgrade kserve-resources --reuse-values --set kserve.controller.deploymentMode=Standard "
        f"{_CHARTS}/kserve-resources --version v{version('kserve')} -n kserve",
    )


def _gateway_api(found: Facts) -> Problem | None:
    missing = [kind for kind in _GATEWAY_KINDS if f"{kind}.gateway.networking.k8s.io" not in found.definitions]
    if not missing:
        return None
    return Problem(f"The Gateway API lacks {', '.join(missing)}.", _envoy_gateway_command())


def _gateway_class(found: Facts) -> Problem | None:
    envoy = "envoyproxies.gateway.envoyproxy.io" in found.definitions
    if found.accepted_classes or envoy:
        return None
    return Problem("No Gateway API controller has accepted a GatewayClass.", _envoy_gateway_command())


def _envoy_gateway_command() -> str:
    chart = f"oci://docker.io/envoyproxy/gateway-helm --version v{version('envoy-gateway')}"
    return f"helm install envoy-gateway {chart} -n envoy-gateway-system --create-namespace"


def _items(kubernetes: Kubernetes, task: Task, kind: str, *words: str, ignored: bool = False) -> list[dict[str, Any]]:
    try:
        return json.loads(kubernetes.kubectl(task, "get", kind, *words, "-o", "json"))["items"]
    except CommandFailed:
        if ignored:
            return []
        raise


def _accepted(item: dict[str, Any]) -> bool:
    conditions = item.get("status", {}).get("conditions") or []
    return any(one["type"] == "Accepted" and one["status"] == "True" for one in conditions)
