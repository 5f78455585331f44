"""Addresses, the one link between the host and the first node, and those between it and the other nodes.

    host    modelyard0 10.250.0.1/24  <── veth ──>  eth0 10.250.0.2/24  node 1 (a network namespace of its own)
    node 1  node2      10.250.0.2/32  <── veth ──>  eth0 10.250.0.3/32  node 2 (another one)

The API server and every NodePort answer on 10.250.0.2. Node 1 routes between host and nodes and between the pods of
different nodes, which see each other's own addresses. A pair vanishes with either of its network namespaces.
"""

from pathlib import Path

from localcluster.errors import NotPossible
from localcluster.steps.task import Task

from .members import CLUSTER_POD_RANGE, FIRST, Member

HOST_LINK = "modelyard0"
PEER_LINK = "modelyard0p"
HOST_ADDRESS = "10.250.0.1"
NODE_ADDRESS = FIRST.address
SERVICE_RANGE = "10.96.0.0/16"
KUBERNETES_SERVICE = "10.96.0.1"
DNS_SERVICE = "10.96.0.10"
GATEWAY_PORT = 30080
STORE_PORT = 30833
PROMETHEUS_PORT = 30090
ALERTMANAGER_PORT = 30093
MLFLOW_PORT = 30500
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


def join(task: Task, first_pid: int, node_pid: int, member: Member) -> None:
    """Link a further node to the first, by the pids of their first processes; also mends a link that was cut."""
    first = ["nsenter", "-t", str(first_pid), "-n"]
    inside = ["nsenter", "-t", str(node_pid), "-n"]
    link = f"node{member.number}"
    if not task.succeeds(*inside, "ip", "link", "show", "eth0"):
        task.succeeds(*first, "ip", "link", "del", link)  # what is left of a node that ended
        task.run(*first, "ip", "link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", str(node_pid))
    task.run(*first, "ip", "addr", "replace", f"{NODE_ADDRESS}/32", "dev", link)
    task.run(*first, "ip", "link", "set", link, "up")
    task.run(*inside, "ip", "link", "set", "lo", "up")
    task.run(*inside, "ip", "addr", "replace", f"{member.address}/32", "dev", "eth0")
    task.run(*inside, "ip", "link", "set", "eth0", "up")
    task.run(*inside, "ip", "route", "replace", NODE_ADDRESS, "dev", "eth0")
    task.run(*inside, "ip", "route", "replace", "default", "via", NODE_ADDRESS)
    task.run(*first, "ip", "route", "replace", member.address, "dev", link)
    task.run(*first, "ip", "route", "replace", member.pod_range, "via", member.address)
    task.run("ip", "route", "replace", member.address, "via", NODE_ADDRESS, "dev", HOST_LINK)
    for pid in (first_pid, node_pid):
        _keep_pod_addresses(task, pid)


def _keep_pod_addresses(task: Task, pid: int) -> None:
    """From pod to pod nothing is masqueraded, which the pods' bridge would do with all that leaves the node."""
    inside = ["nsenter", "-t", str(pid), "-n"]
    rule = ["POSTROUTING", "-d", CLUSTER_POD_RANGE, "-j", "RETURN"]
    if not task.succeeds(*inside, "iptables", "-w", "-t", "nat", "-C", *rule):
        task.run(*inside, "iptables", "-w", "-t", "nat", "-I", *rule)


def disconnect(task: Task) -> None:
    """Remove the pair, if it is still there."""
    for link in (HOST_LINK, PEER_LINK):
        if link_exists(link):
            task.succeeds("ip", "link", "del", link)
