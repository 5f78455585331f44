"""Add-ons, built only when asked for: KEDA, monitoring, tracing, MLflow, torch (training), recorders.

The last two are only images (`training` gigabytes of it) and values of the platform's own chart (`release`).
"""

from collections.abc import Iterable

import yaml

from localcluster.errors import NotPossible
from localcluster.image_builds.catalogue import RECORDING, TRAINING
from localcluster.paths import Paths
from localcluster.programs import binaries
from localcluster.steps.graph import Step
from localcluster.steps.task import Task

from . import keda, mlflow, monitoring, tracing
from .kubernetes import Kubernetes

TRACING = "tracing"
BUILDS = {"keda": ("keda",), "monitoring": ("prometheus", "alertmanager"), TRACING: (tracing.COLLECTOR,)}
NAMES = (*BUILDS, mlflow.NAME, TRAINING, RECORDING)


def parsed(text: str) -> list[str]:
    """Names from `keda,monitoring`; raises NotPossible for an unknown one."""
    names = [name for name in text.replace(",", " ").split() if name]
    unknown = [name for name in names if name not in NAMES]
    if unknown:
        raise NotPossible(f"There is no add-on {unknown[0]!r}: choose from {', '.join(NAMES)}.")
    return names


def builds(chosen: Iterable[str]) -> list[str]:
    """Go builds that the chosen add-ons need."""
    return [build for name in chosen for build in BUILDS.get(name, ())]


def steps(chosen: Iterable[str], paths: Paths, kubernetes: Kubernetes) -> list[Step]:
    """Steps that install the chosen add-ons."""
    known = {
        "keda": Step(
            "keda",
            "Add-on: KEDA",
            lambda task: install_keda(kubernetes, task, paths),
            ("ready", "dns", "import-keda-operator", "import-keda-adapter"),
        ),
        "monitoring": Step(
            "monitoring",
            "Add-on: Prometheus, Alertmanager",
            lambda task: monitoring.install(kubernetes, task),
            ("ready", "dns", "import-prometheus", "import-alertmanager"),
        ),
        mlflow.NAME: Step(
            "mlflow",
            "Add-on: MLflow",
            lambda task: mlflow.install(kubernetes, task, paths),
            ("ready", "dns", "store-volume", "import-mlflow"),
        ),
        TRACING: Step(
            TRACING,
            "Add-on: OpenTelemetry Collector",
            lambda task: tracing.install(kubernetes, task),
            ("ready", "dns", f"import-{tracing.COLLECTOR}"),
        ),
    }
    return [known[name] for name in chosen if name in known]


def install_keda(kubernetes: Kubernetes, task: Task, paths: Paths) -> None:
    """KEDA from its own module, and wait until the external metrics API answers."""
    folder = binaries.source(paths, task, "keda") / "config" / "minimal"
    rendered = kubernetes.kubectl(task, "kustomize", folder)
    kubernetes.apply(task, text=yaml.safe_dump_all(keda.adapted(yaml.safe_load_all(rendered))))
    for deployment in (keda.OPERATOR, keda.ADAPTER):
        kubernetes.wait_available(task, deployment, keda.NAMESPACE)

    def answers() -> bool:
        field = '.status.conditions[?(@.type=="Available")].status'
        return kubernetes.value(task, "apiservice", "v1beta1.external.metrics.k8s.io", field) == "True"

    task.until("KEDA's metrics API", answers, 90)
