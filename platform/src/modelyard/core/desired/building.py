"""The Job that makes a build: the command a person would run, where the write credentials are.

It runs in the platform's namespace. A user's mistake (exit code 2) ends the Job at once; anything else is
tried three times. The Job belongs to the build, not to a Model: two namespaces that want the same
artifact share it.
"""

from typing import Any

from modelyard.core.names import BUILD_LABEL, MANAGED_BY, build_label, job_name
from modelyard.core.snapshot import ResolvedEntry
from modelyard.settings import Settings

from . import sealed

USER_ERROR = 2
_KEEP_SECONDS = 3600
_LOG = "/dev/termination-log"


def job(model: str, entry: ResolvedEntry, digest: str, target: str, settings: Settings) -> dict[str, Any]:
    """The build Job for one entry under one Triton model name."""
    labels = {BUILD_LABEL: build_label(digest), **MANAGED_BY, "app.kubernetes.io/name": "modelyard-builder"}
    stop_on_user_error = {
        "action": "FailJob",
        "onExitCodes": {"containerName": "build", "operator": "In", "values": [USER_ERROR]},
    }
    body = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": job_name(digest), "namespace": settings.operator.namespace, "labels": labels},
        "spec": {
            "backoffLimit": 2,
            "activeDeadlineSeconds": settings.build.timeout_seconds,
            "ttlSecondsAfterFinished": _KEEP_SECONDS,
            "podFailurePolicy": {"rules": [stop_on_user_error]},
            "template": {
                "metadata": {"labels": labels},
                "spec": {
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
                    "containers": [_container(model, entry, target, settings)],
                    "volumes": [
                        {"name": "scratch", "emptyDir": {}},
                        {"name": "shm", "emptyDir": {"medium": "Memory", "sizeLimit": "256Mi"}},
                    ],
                },
            },
        },
    }
    return sealed(body)


def _container(model: str, entry: ResolvedEntry, target: str, settings: Settings) -> dict[str, Any]:
    store, build = settings.store, settings.build
    command = ["modelyard", "build", f"{entry.name}:{entry.version}", "--name", model, "--target", target, "--publish"]
    return {
        "name": "build",
        "image": build.image,
        "command": command,
        "env": [
            {"name": "MODELYARD_STORE_ENDPOINT", "value": store.endpoint},
            {"name": "MODELYARD_STORE_BUCKET", "value": store.bucket},
            {"name": "MODELYARD_STORE_REGION", "value": store.region},
            _from_secret("MODELYARD_STORE_ACCESS_KEY_ID", store.writer_secret, "accessKeyId"),
            _from_secret("MODELYARD_STORE_SECRET_ACCESS_KEY", store.writer_secret, "secretAccessKey"),
            {"name": "MODELYARD_TERMINATION_LOG", "value": _LOG},
            {"name": "HOME", "value": "/tmp"},
            {"name": "TMPDIR", "value": "/tmp"},
        ],
        "terminationMessagePath": _LOG,
        "resources": {
            "requests": {"cpu": build.cpu, "memory": build.memory},
            "limits": {"memory": build.memory_limit},
        },
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        # Not elsewhere with TMPDIR: Triton's python backend makes its folder in /tmp, come what may.
        "volumeMounts": [{"name": "scratch", "mountPath": "/tmp"}, {"name": "shm", "mountPath": "/dev/shm"}],
    }


def _from_secret(variable: str, secret: str, key: str) -> dict[str, Any]:
    return {"name": variable, "valueFrom": {"secretKeyRef": {"name": secret, "key": key}}}
