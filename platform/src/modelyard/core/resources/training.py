"""The container that trains, beside the builder: it runs Python of whoever may push entries, so it has no keys.

The one exception is a login at MLflow or Weights & Biases for its log, where the platform's values name one.

A native sidecar (an init container that goes on): it ends with the builder and does not keep the Job from being
complete. The two have one folder in common, over which jobs and results go; the author's code sees neither the
builder's files nor its environment.
"""

from collections.abc import Mapping
from typing import Any

from modelyard.settings import BuildSettings

from .jobs import CONFINED

FOLDER = "/train"
_VOLUME, _SCRATCH, _AUTHORITY = "training", "training-scratch", "mlflow-ca"
_AUTHORITY_FOLDER = "/etc/mlflow"
_LOGIN = {"USERNAME": "username", "PASSWORD": "password", "TOKEN": "token"}
_WANDB = {"API_KEY": "apiKey", "BASE_URL": "baseUrl"}


def with_trainer_sidecar(pod: dict[str, Any], build: BuildSettings) -> dict[str, Any]:
    """The pod's spec with the trainer as a sidecar; the first container of `pod` is the builder."""
    builder, *others = pod["containers"]
    common = {"name": _VOLUME, "mountPath": FOLDER}
    volumes = [*pod["volumes"], {"name": _VOLUME, "emptyDir": {}}, {"name": _SCRATCH, "emptyDir": {}}]
    if build.mlflow_ca_config_map:
        volumes.append({"name": _AUTHORITY, "configMap": {"name": build.mlflow_ca_config_map}})
    return {
        **pod,
        "initContainers": [_trainer(build, common)],
        "containers": [{**builder, "volumeMounts": [*builder["volumeMounts"], common]}, *others],
        "volumes": volumes,
    }


def _trainer(build: BuildSettings, common: dict[str, str]) -> dict[str, Any]:
    environment = {"HOME": "/tmp", "TMPDIR": "/tmp", "OMP_WAIT_POLICY": "PASSIVE", "MODELYARD_TRACK": _tracker(build)}
    mounts: list[dict[str, Any]] = [common, {"name": _SCRATCH, "mountPath": "/tmp"}]
    if build.wandb_secret:
        environment["WANDB_DIR"] = "/tmp"
    if build.mlflow_tracking_uri:
        environment["MLFLOW_TRACKING_URI"] = build.mlflow_tracking_uri
    if build.mlflow_ca_config_map:
        environment["MLFLOW_TRACKING_SERVER_CERT_PATH"] = f"{_AUTHORITY_FOLDER}/ca.crt"
        mounts.append({"name": _AUTHORITY, "mountPath": _AUTHORITY_FOLDER, "readOnly": True})
    return {
        "name": "trainer",
        "image": build.train_image,
        "restartPolicy": "Always",
        "args": ["serve", FOLDER],
        "env": [*({"name": name, "value": value} for name, value in environment.items()), *_login(build)],
        "resources": {
            "requests": {"cpu": build.train_cpu, "memory": build.train_memory},
            "limits": {"memory": build.train_memory_limit},
        },
        "securityContext": CONFINED,
        "volumeMounts": mounts,
    }


def _tracker(build: BuildSettings) -> str:
    """Where its trainings are logged, in the programs' words."""
    if build.wandb_secret:
        return "wandb"
    return "mlflow" if build.mlflow_tracking_uri else "none"


def _login(build: BuildSettings) -> list[dict[str, Any]]:
    """The trackers' own variables, from their Secrets; MLflow's has either a user or a token."""
    return [
        *_from_secret(build.mlflow_secret, "MLFLOW_TRACKING_", _LOGIN),
        *_from_secret(build.wandb_secret, "WANDB_", _WANDB),
    ]


def _from_secret(secret: str, prefix: str, keys: Mapping[str, str]) -> list[dict[str, Any]]:
    """Variables from those keys of a Secret that it has; none without one."""
    references = {name: {"name": secret, "key": key, "optional": True} for name, key in keys.items() if secret}
    return [{"name": prefix + name, "valueFrom": {"secretKeyRef": one}} for name, one in references.items()]
