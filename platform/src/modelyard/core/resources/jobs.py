"""What the pods of builds and of checks have in common: no rights, a sealed container, the store's write credentials.

A program leaves its last words in the container's termination message, where the operator reads them.
"""

from typing import Any

from modelyard.settings import Settings

CONFINED = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}
"""Security context of every container in these pods."""
_LOG = "/dev/termination-log"
_KEY_FOLDER = "/var/run/modelyard/build-key"


def job_pod(container: dict[str, Any], settings: Settings) -> dict[str, Any]:
    """The pod's spec around its one container, without rights and with the scratch and shared memory volumes."""
    return {
        "restartPolicy": "Never",
        "serviceAccountName": settings.build.service_account,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,  # they would read as settings: MODELYARD_STORE_SERVICE_PORT
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 1000,
            "runAsGroup": 1000,
            "fsGroup": 1000,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [container],
        "volumes": [
            {"name": "scratch", "emptyDir": {}},
            {"name": "shm", "emptyDir": {"medium": "Memory", "sizeLimit": "256Mi"}},
        ],
    }


def with_build_key(pod: dict[str, Any], settings: Settings) -> dict[str, Any]:
    """The pod's spec with the key that signs builds, mounted for the first container alone, which is the builder."""
    builder, *others = pod["containers"]
    items = [{"key": "private.pem", "path": "private.pem", "mode": 0o440}]
    volume = {"name": "build-key", "secret": {"secretName": settings.signing.build_secret, "items": items}}
    environment = [
        *builder["env"],
        {"name": "MODELYARD_SIGNING_KEY_FILE", "value": f"{_KEY_FOLDER}/private.pem"},
        {"name": "MODELYARD_BUILDER_IMAGE", "value": builder["image"]},
    ]
    mounts = [*builder["volumeMounts"], {"name": "build-key", "mountPath": _KEY_FOLDER, "readOnly": True}]
    signing = {**builder, "env": environment, "volumeMounts": mounts}
    return {**pod, "containers": [signing, *others], "volumes": [*pod["volumes"], volume]}


def job_container(
    name: str, command: list[str], settings: Settings, environment: list[dict[str, Any]] | None = None
) -> dict[str, Any]:
    """The container that runs `command` with the store's write credentials; its resources are the caller's to add."""
    store = settings.store
    return {
        "name": name,
        "image": settings.build.image,
        "command": command,
        "env": [
            {"name": "MODELYARD_STORE_ENDPOINT", "value": store.endpoint},
            {"name": "MODELYARD_STORE_BUCKET", "value": store.bucket},
            {"name": "MODELYARD_STORE_REGION", "value": store.region},
            _from_secret("MODELYARD_STORE_ACCESS_KEY_ID", store.writer_secret, "accessKeyId"),
            _from_secret("MODELYARD_STORE_SECRET_ACCESS_KEY", store.writer_secret, "secretAccessKey"),
            *(environment or []),
            {"name": "MODELYARD_TERMINATION_LOG", "value": _LOG},
            {"name": "HOME", "value": "/tmp"},
            {"name": "TMPDIR", "value": "/tmp"},
        ],
        "terminationMessagePath": _LOG,
        "securityContext": CONFINED,
        # Not elsewhere with TMPDIR: Triton's python backend makes its folder in /tmp, come what may.
        "volumeMounts": [{"name": "scratch", "mountPath": "/tmp"}, {"name": "shm", "mountPath": "/dev/shm"}],
    }


def _from_secret(variable: str, secret: str, key: str) -> dict[str, Any]:
    return {"name": variable, "valueFrom": {"secretKeyRef": {"name": secret, "key": key}}}
