"""The platform's own chart in the local cluster, and the configuration file people's commands find."""

import json
from pathlib import Path
from typing import Any

import yaml

from localcluster.errors import CommandFailed
from localcluster.identity.certificates import write_private
from localcluster.image_builds.catalogue import RECORDER, TRAINER
from localcluster.node.network import GATEWAY_PORT, MLFLOW_PORT, NODE_ADDRESS, STORE_PORT
from localcluster.paths import PACKAGE, REPOSITORY
from localcluster.steps.task import Task
from localcluster.versions import local_image, platform_image

from . import tracing
from .kubernetes import Kubernetes
from .prerequisites import PLATFORM_NAMESPACE, secret

CHART = REPOSITORY / "charts" / "modelyard"
VALUES = PACKAGE / "values.yaml"
WRITER = "modelyard-store-writer"
DOMAIN = "models.local"
GATEWAY = f"http://{NODE_ADDRESS}:{GATEWAY_PORT}"
STORE = f"http://{NODE_ADDRESS}:{STORE_PORT}"
MLFLOW = f"http://{NODE_ADDRESS}:{MLFLOW_PORT}"
MLFLOW_INSIDE = "http://mlflow.mlflow:5000"
_IMAGE_ANNOTATION = "modelyard.dev/image"
_IN_HELM = _IMAGE_ANNOTATION.replace(".", r"\.")


def install(
    kubernetes: Kubernetes, task: Task, digests: dict[str, str], values: Path = VALUES, wait: str = "4m"
) -> None:
    """Install or upgrade the chart and wait; a new digest of the operator's image restarts its pods.

    Training is allowed, and there are a recorder and a sync with MLflow, when their images are among `digests`. The
    gateway can send traces when the collector is there.
    """
    image, trainer = digests.get(platform_image("operator"), ""), platform_image(TRAINER)
    recorders = int(platform_image(RECORDER) in digests)
    traced = str(tracing.installed(kubernetes, task)).lower()
    try:
        kubernetes.helm(
            task, "upgrade", "--install", "modelyard", CHART, "-n", PLATFORM_NAMESPACE, "--create-namespace",
            "-f", values, "--set-string", f"operator.podAnnotations.{_IN_HELM}={image}",
            "--set-string", f"config.build.trainImage={trainer if trainer in digests else ''}",
            "--set", f"recorder.replicas={recorders}", "--set", f"gateway.tracing.enabled={traced}",
            "--set-string", f"config.mlflow.url={MLFLOW_INSIDE if has_mlflow(digests) else ''}",
            "--wait", "--timeout", wait,
        )  # fmt: skip
    except CommandFailed as failure:
        failure.hint = diagnosis(kubernetes, task, PLATFORM_NAMESPACE)
        raise
    restart_outdated(kubernetes, task, digests)


def restart_outdated(kubernetes: Kubernetes, task: Task, digests: dict[str, str]) -> None:
    """Restarts the platform's Deployments, but for the operator's, whose image was made anew under the same name.

    Which image their pods have is written on the Deployment; one that says nothing has just been made.
    """
    if not digests:
        return
    space = ("-n", PLATFORM_NAMESPACE)
    deployments = json.loads(kubernetes.kubectl(task, "get", "deployments", *space, "-o", "json"))["items"]
    for deployment in deployments:
        template, name = deployment["spec"]["template"], deployment["metadata"]["name"]
        digest = digests.get(template["spec"]["containers"][0]["image"])
        if digest is None or _IMAGE_ANNOTATION in template["metadata"].get("annotations", {}):
            continue
        before = deployment["metadata"].get("annotations", {}).get(_IMAGE_ANNOTATION)
        if before not in (None, digest):
            kubernetes.kubectl(task, "rollout", "restart", f"deployment/{name}", *space)
            kubernetes.kubectl(task, "rollout", "status", f"deployment/{name}", *space, "--timeout=4m")
        if before != digest:
            written = f"{_IMAGE_ANNOTATION}={digest}"
            kubernetes.kubectl(task, "annotate", "--overwrite", "deployment", name, *space, written)


def has_mlflow(digests: dict[str, str]) -> bool:
    """Whether the add-on mlflow was chosen, by the images that were made."""
    return local_image("mlflow") in digests


def diagnosis(kubernetes: Kubernetes, task: Task, namespace: str) -> str:
    """What keeps pods of a namespace from being ready, with the end of their logs."""
    pods = json.loads(kubernetes.kubectl(task, "get", "pods", "-n", namespace, "-o", "json"))["items"]
    found = []
    for pod in pods:
        reasons = waiting_reasons(pod)
        if not reasons:
            continue
        name = pod["metadata"]["name"]
        try:
            said = kubernetes.kubectl(task, "logs", name, "-n", namespace, "--all-containers", "--tail=8")
        except CommandFailed:
            said = ""
        found.append(f"Pod {name}: {', '.join(reasons)}\n{said}")
    return "\n".join(found) or f"All pods in {namespace} are ready; run the same command again."


def waiting_reasons(pod: dict[str, Any]) -> list[str]:
    """Why a pod is not ready; empty when it is ready or has done its work."""
    statuses = pod["status"].get("containerStatuses", [])
    if pod["status"]["phase"] == "Succeeded":
        return []
    if not statuses:
        return [pod["status"]["phase"]]
    return sorted({_reason(one) for one in statuses if not one["ready"]})


def _reason(status: dict[str, Any]) -> str:
    """Why a container is not ready, in Kubernetes' own word."""
    kind, details = next(iter(status["state"].items()), ("unknown", {}))
    return (details or {}).get("reason", kind)


def configure(
    kubernetes: Kubernetes, task: Task, file: Path, gateway: str = GATEWAY, store: str = STORE, mlflow: str = ""
) -> None:
    """Write the settings by which a person's commands reach store, gateway and MLflow, if any, from this machine."""
    keys = store_keys(kubernetes, task)
    content = {
        "store": {
            "endpoint": store,
            "bucket": "modelyard",
            "accessKeyId": keys["accessKeyId"],
            "secretAccessKey": keys["secretAccessKey"],
        },
        "gateway": {"url": gateway, "publicUrl": gateway, "domain": DOMAIN},
        **({"mlflow": {"url": mlflow}} if mlflow else {}),
    }
    write_private(file, yaml.safe_dump(content, sort_keys=False).encode())


def store_keys(kubernetes: Kubernetes, task: Task) -> dict[str, str]:
    """The store's credentials that write, as soon as the chart has made them."""

    def there() -> bool:
        return bool(kubernetes.value(task, "secret", WRITER, ".metadata.name", PLATFORM_NAMESPACE))

    task.until("the store's credentials", there, 240)
    return secret(kubernetes, task, WRITER, PLATFORM_NAMESPACE)
