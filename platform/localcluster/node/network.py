"""Addresses, and the one link between the host and the node.

    host  modelyard0 10.250.0.1/24  <── veth ──>  eth0 10.250.0.2/24  node (a network namespace of its own)

The API server and every NodePort answer on 10.250.0.2. The pair vanishes with the node's network namespace.
"""

from pathlib import Path

from localcluster.errors import NotPossible
from localcluster.steps.task import Task

HOST_LINK = "modelyard0"
PEER_LINK = "modelyard0p"
HOST_ADDRESS = "10.250.0.1"
NODE_ADDRESS = "10.250.0.2"
POD_RANGE = "10.244.0.0/24"
SERVICE_RANGE = "10.96.0.0/16"
KUBERNETES_SERVICE = "10.96.0.1"
DNS_SERVICE = "10.96.0.10"
GATEWAY_PORT = 30080
STORE_PORT = 30833
PROMETHEUS_PORT = 30090
API = f"https://{NODE_ADDRESS}:6443"


def link_exists(name: str = HOST_LINK) -> bool:
    """Whether the host has a link of this name."""
    return Path("/sys/class/net", name).exists()


def connect(task: Task, node_pid: int) -> None:
    """Make the pair and give its far end to the node; nothing happens when it is there."""
    inside = ["nsenter", "-t", str(node_pid), "-n"]
    if link_exists(PEER_LINK):
        task.run("ip", "link", "del", HOST_LINK)
    if not link_exists():
        task.run("ip", "link", "add", HOST_LINK, "type", "veth", "peer", "name", PEER_LINK)
        task.run("ip", "link", "set", PEER_LINK, "netns", str(node_pid), "name", "eth0")
    if not task.succeeds(*inside, "ip", "link", "show", "eth0"):
        raise NotPossible(f"The link {HOST_LINK} belongs to something else: remove it with `ip link del {HOST_LINK}`.")
    task.run("ip", "addr", "replace", f"{HOST_ADDRESS}/24", "dev", HOST_LINK)
    task.run("ip", "link", "set", HOST_LINK, "up")
    task.run(*inside, "ip", "link", "set", "lo", "up")
    task.run(*inside, "ip", "addr", "replace", f"{NODE_ADDRESS}/24", "dev", "eth0")
    task.run(*inside, "ip", "link", "set", "eth0", "up")
    task.run(*inside, "ip", "route", "replace", "default", "via", HOST_ADDRESS)


def disconnect(task: Task) -> None:
    """Remove the pair, if it is still there."""
    for link in (HOST_LINK, PEER_LINK):
        if link_exists(link):
            task.succeeds("ip", "link", "del", link)
