"""The kind cluster: made when it is missing, started when it stands still, never changed when it has another shape."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from localcluster.errors import NotPossible
from localcluster.steps.task import Task

FILE = Path(__file__).with_name("cluster.yaml")
NAME = "modelyard"
NODE = f"{NAME}-control-plane"
DELETE = f"kind delete cluster --name {NAME}"
_START = "120s"


@dataclass(frozen=True)
class Shape:
    """What decides whether a cluster is ours: its nodes, their image, and ports of the machine as HOST:PORT -> PORT."""

    nodes: tuple[str, ...]
    image: str
    ports: dict[str, int]

    @classmethod
    def wanted(cls) -> "Shape":
        """As cluster.yaml says."""
        [node] = yaml.safe_load(FILE.read_text())["nodes"]
        mappings = node["extraPortMappings"]
        ports = {f"{each['listenAddress']}:{each['hostPort']}": each["containerPort"] for each in mappings}
        return cls((NODE,), node["image"], ports)


def exists(task: Task) -> bool:
    """Whether kind knows a cluster of our name."""
    return NAME in task.run("kind", "get", "clusters").split()


def ensure(task: Task, kubeconfig: Path) -> str:
    """A running cluster and its kubeconfig; raises NotPossible when one of that name has another shape."""
    if not exists(task):
        task.say("creating it")
        task.run(
            "kind", "create", "cluster", "--name", NAME, "--config", FILE, "--kubeconfig", kubeconfig, "--wait", _START,
            hint=f"Ports 30080 and 30833 of 127.0.0.1 must be free; `{DELETE}` removes what was half made.",
        )  # fmt: skip
        return "created"
    running = _require_shape(task)
    if not running:
        task.run("docker", "start", NODE)
    task.run("kind", "export", "kubeconfig", "--name", NAME, "--kubeconfig", kubeconfig)
    return "present" if running else "started"


def delete(task: Task) -> bool:
    """End the cluster with everything in it; False when there is none."""
    if not exists(task):
        return False
    task.run("kind", "delete", "cluster", "--name", NAME)
    return True


def _require_shape(task: Task) -> bool:
    """Whether the cluster's node runs; raises NotPossible with everything that differs from cluster.yaml."""
    nodes = tuple(sorted(task.run("kind", "get", "nodes", "--name", NAME).split()))
    [container] = json.loads(task.run("docker", "inspect", NODE)) if NODE in nodes else [{}]
    wanted = Shape.wanted()
    differences = against(wanted, Shape(nodes, _image(container), _ports(container)))
    if differences:
        raise NotPossible(
            f"The kind cluster {NAME} is not the one this command makes: {'; '.join(differences)}. If nobody needs "
            f"it, run `{DELETE}` and then this command again."
        )
    return container["State"]["Running"]


def against(wanted: Shape, actual: Shape) -> list[str]:
    """What is different, each as a phrase; a cluster may lead more ports than ours."""
    found = []
    if actual.nodes != wanted.nodes:
        found.append(f"its nodes are {', '.join(actual.nodes) or 'none'} and not {', '.join(wanted.nodes)}")
    elif actual.image != wanted.image:
        found.append(f"its node runs {actual.image} and not {wanted.image}")
    if actual.nodes == wanted.nodes:
        found += [
            f"{address} does not lead to its port {port}"
            for address, port in wanted.ports.items()
            if actual.ports.get(address) != port
        ]
    return found


def _image(container: dict[str, Any]) -> str:
    return container.get("Config", {}).get("Image", "")


def _ports(container: dict[str, Any]) -> dict[str, int]:
    """Ports from what `docker inspect` says: {"30080/tcp": [{"HostIp": "127.0.0.1", "HostPort": "30080"}]}."""
    bindings = (container.get("HostConfig", {}).get("PortBindings") or {}).items()
    return {
        f"{host['HostIp']}:{host['HostPort']}": int(port.partition("/")[0])
        for port, hosts in bindings
        for host in hosts or ()
    }
