"""The container that trains, beside the builder: it runs Python of whoever may push entries, so it has no keys.

The one exception is a login at MLflow for its log, where the platform's values name one.

A native sidecar (an init container that goes on): it ends with the builder and does not keep the Job from being
complete. The two have one folder in common, over which jobs and results go; the author's code sees neither the
builder's files nor its environment.
"""

from typing import Any

from modelyard.settings import BuildSettings

from .jobs import CONFINED

FOLDER = "/train"
_VOLUME, _SCRATCH, _AUTHORITY = "training", "training-scratch", "mlflow-ca"
_AUTHORITY_FOLDER = "/etc/mlflow"
_LOGIN = {"USERNAME": "username", "PASSWORD": "password", "TOKEN": "token"}


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
    environment = {"HOME": "/tmp", "TMPDIR": "/tmp", "OMP_WAIT_POLICY": "PASSIVE"}
    mounts: list[dict[str, Any]] = [common, {"name": _SCRATCH, "mountPath": "/tmp"}]
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


def _login(build: BuildSettings) -> list[dict[str, Any]]:
    """MLflow's own variables, from the Secret, which has either a user or a token."""
    if not build.mlflow_secret:
        return []
    return [
        {
            "name": f"MLFLOW_TRACKING_{name}",
            "valueFrom": {"secretKeyRef": {"name": build.mlflow_secret, "key": key, "optional": True}},
        }
        for name, key in _LOGIN.items()
    ]
