"""The platform's own chart in the local cluster, and the configuration file people's commands find."""

from pathlib import Path

import yaml

from .certificates import write_private
from .kubernetes import Kubernetes
from .network import GATEWAY_PORT, NODE_ADDRESS, STORE_PORT
from .paths import PACKAGE, REPOSITORY, Paths
from .prerequisites import PLATFORM_NAMESPACE, secret
from .task import Task

CHART = REPOSITORY / "charts" / "modelyard"
VALUES = PACKAGE / "values.yaml"
WRITER = "modelyard-store-writer"
DOMAIN = "models.local"


def install(kubernetes: Kubernetes, task: Task, paths: Paths, digests: dict[str, str]) -> str:
    """Install or upgrade the chart, then write the configuration file; `digests` names the images' contents."""
    if not (CHART / "Chart.yaml").exists():
        return "no chart yet"
    kubernetes.helm(
        task, "upgrade", "--install", "modelyard", CHART, "-n", PLATFORM_NAMESPACE, "--create-namespace",
        "-f", VALUES, "--wait", "--timeout", "4m",
    )  # fmt: skip
    write_configuration(kubernetes, task, paths.config)
    return "installed"


def write_configuration(kubernetes: Kubernetes, task: Task, file: Path) -> None:
    """The settings by which a person's commands reach store and gateway from this machine."""
    keys = secret(kubernetes, task, WRITER, PLATFORM_NAMESPACE)
    gateway = f"http://{NODE_ADDRESS}:{GATEWAY_PORT}"
    content = {
        "store": {
            "endpoint": f"http://{NODE_ADDRESS}:{STORE_PORT}",
            "bucket": "modelyard",
            "accessKeyId": keys["accessKeyId"],
            "secretAccessKey": keys["secretAccessKey"],
        },
        "gateway": {"url": gateway, "publicUrl": gateway, "domain": DOMAIN},
    }
    write_private(file, yaml.safe_dump(content, sort_keys=False).encode())
