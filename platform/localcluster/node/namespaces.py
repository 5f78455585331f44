"""What runs first inside the node's namespaces: mounts, then the process that keeps them open.

Started as `unshare ... python -m localcluster.node.namespaces STATE PAUSE FD`. /var becomes an overlay whose changes go
to the state folder, /run an empty tmpfs, so nothing the node writes reaches the host. It reports "ready" on FD and
then becomes the pause program under the name `modelyard-node STATE`, by which `node.find` knows it.
"""

import os
import socket
import subprocess
import sys
from pathlib import Path

from .components import NODE_NAME

PROCESS_NAME = "modelyard-node"
# Only these belong to the new network namespace; nothing of the host changes.
_SETTINGS = {
    "net/ipv4/ip_forward": "1",
    "net/bridge/bridge-nf-call-iptables": "1",
}


def _mount(*words: str | Path) -> None:
    subprocess.run(["mount", *(str(word) for word in words)], check=True)


def prepare(state: Path) -> None:
    """Lay the node's own /var and /run over the host's, inside this mount namespace."""
    upper, work, kubelet = state / "var" / "upper", state / "var" / "work", state / "kubelet"
    for folder in (upper, work, kubelet):
        folder.mkdir(parents=True, exist_ok=True)
    _mount("-t", "overlay", "overlay", "-o", f"lowerdir=/var,upperdir={upper},workdir={work}", "/var")
    for folder in ("/var/lib/kubelet", "/var/log/pods", "/var/log/containers", "/var/lib/cni"):
        Path(folder).mkdir(parents=True, exist_ok=True)
    _mount("--bind", kubelet, "/var/lib/kubelet")
    _mount("--make-rshared", "/var/lib/kubelet")
    _mount("-t", "tmpfs", "-o", "mode=755", "tmpfs", "/run")
    socket.sethostname(NODE_NAME)
    for name, value in _SETTINGS.items():
        setting = Path("/proc/sys", name)
        if setting.exists():
            setting.write_text(value)


def main() -> None:
    """Prepare, report, become the pause program."""
    state, pause, report = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    prepare(state)
    os.write(report, b"ready")
    os.close(report)
    os.chdir("/")
    os.execv(pause, [PROCESS_NAME, str(state)])  # noqa: S606 - becoming it is the point


if __name__ == "__main__":
    main()
