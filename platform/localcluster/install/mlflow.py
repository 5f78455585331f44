"""The add-on mlflow: MLflow's server with SQLite, and its files in the platform's store.

The platform's chart is told where it answers (`release.install`), and so are people's commands.
"""

from pathlib import Path
from typing import Any

import yaml

from localcluster.node.network import MLFLOW_PORT
from localcluster.paths import Paths
from localcluster.steps.task import Task
from localcluster.versions import local_image

from . import release
from .kubernetes import Kubernetes
from .prerequisites import PLATFORM_NAMESPACE, manifest, owned_folder

NAMESPACE = NAME = "mlflow"
_STORE = f"http://modelyard-store.{PLATFORM_NAMESPACE}:8333"
_START_SECONDS = 300.0
"""It imports for half a minute of CPU time and makes its tables before it answers."""


def install(kubernetes: Kubernetes, task: Task, paths: Paths) -> str:
    """MLflow, once it answers; what was registered there outlives its pod, and ends with the cluster."""
    folder = owned_folder(paths.state / NAME)
    kubernetes.apply(task, text=yaml.safe_dump_all(objects(folder, release.store_keys(kubernetes, task))))
    kubernetes.wait_available(task, NAME, NAMESPACE, _START_SECONDS)
    return f"port {MLFLOW_PORT}"


def objects(folder: Path, keys: dict[str, str]) -> list[dict[str, Any]]:
    """What is applied: the manifest, with its database in `folder`, and the Secret by which it reaches the store."""
    values = {"image": local_image(NAME), "folder": str(folder), "store": _STORE, "node_port": str(MLFLOW_PORT)}
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "mlflow-store", "namespace": NAMESPACE},
        "stringData": {name: keys[name] for name in ("accessKeyId", "secretAccessKey")},
    }
    return [*yaml.safe_load_all(manifest("mlflow.yaml", **values)), secret]
