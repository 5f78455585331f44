"""Two nodes' links as the cluster makes them, tried out in a network of its own; JSON on stdout.

Run as `unshare --map-root-user --net --mount --propagation private python inside.py`: the network of this process
stands for the host, two processes that sleep hold those of the nodes, an address on each node's loopback is its pod's.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from localcluster.node import network
from localcluster.node.members import FIRST, Member
from localcluster.steps.task import Task

SECOND = Member(2)
PODS = {FIRST: "10.244.0.5", SECOND: "10.244.1.5"}
_LISTEN = """
import socket, sys
listener = socket.create_server((sys.argv[1], 7000))
print("listening", flush=True)
connection, peer = listener.accept()
connection.sendall(peer[0].encode())
"""
_ASK = """
import socket, sys
own = (sys.argv[2], 0) if sys.argv[2] else None
print(socket.create_connection((sys.argv[1], 7000), 3, own).recv(100).decode())
"""


def inside(pid: int | None, *words: str) -> list[str]:
    """A command line in a node's network, or in that of the host."""
    return [*(["nsenter", "-t", str(pid), "-n"] if pid else []), *words]


def seen(server: int | None, client: int | None, address: str, own: str = "") -> str:
    """From which address a server at `address` sees a client; the end of what went wrong where it does not."""
    listen = inside(server, sys.executable, "-c", _LISTEN, address)
    with subprocess.Popen(listen, stdout=subprocess.PIPE, text=True) as listener:
        assert listener.stdout is not None
        listener.stdout.readline()
        asking = inside(client, sys.executable, "-c", _ASK, address, own)
        asked = subprocess.run(asking, capture_output=True, text=True, check=False)
        listener.kill()
    return asked.stdout.strip() or asked.stderr.strip().splitlines()[-1]


@contextmanager
def a_network() -> Iterator[int]:
    """A process that holds a network which forwards, by pid."""
    words = ["sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward; echo held; exec sleep 60"]
    with subprocess.Popen(["unshare", "-n", *words], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        yield holder.pid
        holder.kill()


def masquerade(task: Task, pid: int, member: Member) -> None:
    """What the pods' bridge adds for a pod."""
    rule = ["-s", PODS[member], "!", "-d", member.pod_range, "-j", "MASQUERADE"]
    task.run(*inside(pid, "iptables", "-w", "-t", "nat", "-A", "POSTROUTING", *rule))


def main() -> None:
    subprocess.run(["mount", "-t", "sysfs", "sysfs", "/sys"], check=True)  # /sys/class/net is that of its mounter
    task = Task(Path(sys.argv[1]))
    with a_network() as first, a_network() as lost:
        network.connect(task, first)
        network.join(task, first, lost, SECOND)
        subprocess.run(inside(lost, "ip", "link", "set", "eth0", "down"), check=True)
        cut = seen(None, lost, network.HOST_ADDRESS)
        network.join(task, first, lost, SECOND)
        mended = seen(None, lost, network.HOST_ADDRESS)
        with a_network() as second:
            network.join(task, first, second, SECOND)  # takes the place of the lost one
            network.join(task, first, second, SECOND)
            for member, pid in ((FIRST, first), (SECOND, second)):
                task.run(*inside(pid, "ip", "addr", "add", f"{PODS[member]}/32", "dev", "lo"))
                masquerade(task, pid, member)
            facts = {
                "the host, cut off": cut,
                "the host, mended": mended,
                "a node, from the host": seen(second, None, SECOND.address),
                "the host, from a node": seen(None, second, network.HOST_ADDRESS),
                "the first node, from the second": seen(first, second, FIRST.address),
                "a pod, from the other's": seen(first, second, PODS[FIRST], PODS[SECOND]),
                "and back": seen(second, first, PODS[SECOND], PODS[FIRST]),
                "the host, from a pod": seen(None, second, network.HOST_ADDRESS, PODS[SECOND]),
            }
    print(json.dumps(facts))


main()
