"""The few things of the host that a node touches outside its namespaces, and how they are put back.

The kubelet writes kernel settings that have no namespace: they are read before it starts and written back once the
node is ready, because it writes them only once. Pods need more inotify instances than Debian allows a user: that
one is put back when the cluster goes down. Pods' cgroups lie below one folder of our own in every hierarchy.
"""

import json
import subprocess
from pathlib import Path

SYSTEM = Path("/proc/sys")
CGROUPS = Path("/sys/fs/cgroup")
CGROUP = "modelyard"
INOTIFY = "fs/inotify/max_user_instances"
INOTIFY_NEEDED = 8192
WRITTEN_BY_KUBELET = (
    "vm/overcommit_memory",
    "vm/panic_on_oom",
    "kernel/panic",
    "kernel/panic_on_oops",
    "kernel/keys/root_maxkeys",
    "kernel/keys/root_maxbytes",
)
KERNEL_MODULES = ("overlay", "br_netfilter", "nf_tables", "veth")


def settings(root: Path = SYSTEM) -> dict[str, str]:
    """The host's present values of everything a node changes."""
    return {
        name: (root / name).read_text().strip() for name in (*WRITTEN_BY_KUBELET, INOTIFY) if (root / name).exists()
    }


def remember(file: Path, root: Path = SYSTEM) -> None:
    """Note the values once; a second start must not take the changed ones for the host's."""
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(settings(root), indent=1))


def restore(file: Path, names: tuple[str, ...], root: Path = SYSTEM) -> None:
    """Write back the remembered values of `names` that differ now."""
    if not file.exists():
        return
    before = json.loads(file.read_text())
    now = settings(root)
    for name in names:
        if name in before and before[name] != now.get(name):
            (root / name).write_text(before[name])


def allow_inotify(root: Path = SYSTEM) -> None:
    """Raise the number of inotify instances when it is too low for this many pods."""
    file = root / INOTIFY
    if int(file.read_text()) < INOTIFY_NEEDED:
        file.write_text(str(INOTIFY_NEEDED))


def load_modules() -> None:
    """Load kernel modules that are not built in; what fails here shows up as a missing feature later."""
    for name in KERNEL_MODULES:
        subprocess.run(["modprobe", "-q", name], check=False, capture_output=True)


def unified() -> bool:
    """Whether this host has only cgroup v2."""
    return (CGROUPS / "cgroup.controllers").exists()


def make_cgroups(root: str = f"/{CGROUP}") -> None:
    """The folders of a kubelet's cgroup root, such as /modelyard/node-2, in every hierarchy."""
    for hierarchy in [CGROUPS] if unified() else _hierarchies():
        folder = hierarchy
        for part in Path(root).parts[1:]:
            parent, folder = folder, folder / part
            _make_cgroup(parent, folder)
        if unified():
            _delegate(folder)


def _make_cgroup(parent: Path, folder: Path) -> None:
    """A cgroup that may use what its parent may."""
    if unified():
        _delegate(parent)
    folder.mkdir(exist_ok=True)
    for name in ("cpuset.cpus", "cpuset.mems") if not unified() else ():
        if (folder / name).exists() and not (folder / name).read_text().strip():
            (folder / name).write_text((parent / name).read_text())


def _delegate(folder: Path) -> None:
    """Let children of a cgroup v2 folder use every controller the folder has."""
    for controller in (folder / "cgroup.controllers").read_text().split():
        (folder / "cgroup.subtree_control").write_text(f"+{controller}")


def _hierarchies() -> list[Path]:
    mounted = [line.split() for line in Path("/proc/mounts").read_text().splitlines()]
    return [Path(fields[1]) for fields in mounted if fields[2] == "cgroup"]


def cgroup_folders() -> list[Path]:
    """Our folder in every hierarchy where it exists."""
    roots = [CGROUPS] if unified() else [*_hierarchies(), CGROUPS / "unified"]
    return [root / CGROUP for root in roots if (root / CGROUP).exists()]


def remove_cgroups() -> bool:
    """Remove our folders, deepest first; False while a process is still in one."""
    for top in cgroup_folders():
        folders = [top, *(path for path in top.rglob("*") if path.is_dir())]
        for folder in sorted(folders, key=lambda path: len(path.parts), reverse=True):
            try:
                folder.rmdir()
            except FileNotFoundError:
                continue
            except OSError:
                return False
    return True
