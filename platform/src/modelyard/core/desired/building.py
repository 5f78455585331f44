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
from .jobs import container, pod

USER_ERROR = 2
_KEEP_SECONDS = 3600


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
                "spec": pod(_container(model, entry, target, settings), settings),
            },
        },
    }
    return sealed(body)


def _container(model: str, entry: ResolvedEntry, target: str, settings: Settings) -> dict[str, Any]:
    build = settings.build
    command = ["modelyard", "build", f"{entry.name}:{entry.version}", "--name", model, "--target", target, "--publish"]
    resources = {"requests": {"cpu": build.cpu, "memory": build.memory}, "limits": {"memory": build.memory_limit}}
    return {**container("build", command, settings), "resources": resources}
