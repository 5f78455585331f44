"""What runs first inside the node's namespaces: mounts, then the process that keeps them open.

Started as `unshare ... python -m localcluster.node.namespaces STATE PAUSE FD NUMBER FOLDER`. /var becomes an overlay
whose changes go to the node's FOLDER, /run an empty tmpfs, so nothing the node writes reaches the host. It reports
"ready" on FD and then becomes the pause program under the name `modelyard-node STATE NUMBER`, by which `process.find`
knows it.
"""

import os
import socket
import subprocess
import sys
from pathlib import Path

from .members import Member

PROCESS_NAME = "modelyard-node"
# Only these belong to the new network namespace; nothing of the host changes.
_SETTINGS = {
    "net/ipv4/ip_forward": "1",
    "net/bridge/bridge-nf-call-iptables": "1",
}


def _mount(*words: str | Path) -> None:
    subprocess.run(["mount", *(str(word) for word in words)], check=True)


def prepare(folder: Path, name: str) -> None:
    """Lay the node's own /var and /run over the host's, inside this mount namespace, and take its name."""
    upper, work, kubelet = folder / "var" / "upper", folder / "var" / "work", folder / "kubelet"
    for each in (upper, work, kubelet):
        each.mkdir(parents=True, exist_ok=True)
    _mount("-t", "overlay", "overlay", "-o", f"lowerdir=/var,upperdir={upper},workdir={work}", "/var")
    for place in ("/var/lib/kubelet", "/var/log/pods", "/var/log/containers", "/var/lib/cni"):
        Path(place).mkdir(parents=True, exist_ok=True)
    _mount("--bind", kubelet, "/var/lib/kubelet")
    _mount("--make-rshared", "/var/lib/kubelet")
    _mount("-t", "tmpfs", "-o", "mode=755", "tmpfs", "/run")
    socket.sethostname(name)
    for name, value in _SETTINGS.items():
        setting = Path("/proc/sys", name)
        if setting.exists():
            setting.write_text(value)


def main() -> None:
    """Prepare, report, become the pause program."""
    state, report, number, folder = sys.argv[1], int(sys.argv[3]), int(sys.argv[4]), Path(sys.argv[5])
    pause = sys.argv[2]
    prepare(folder, Member(number).name)
    os.write(report, b"ready")
    os.close(report)
    os.chdir("/")
    os.execv(pause, [PROCESS_NAME, state, str(number)])  # noqa: S606 - becoming it is the point


if __name__ == "__main__":
    main()
