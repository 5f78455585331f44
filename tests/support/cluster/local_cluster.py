"""The local cluster as the end-to-end tests need it: brought up once for all their processes, gone after the last."""

import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from localcluster.cache import locked
from tests.support.cluster.kubectl import KUBECONFIG, PLATFORM, ROOT, apply, kubectl, run

RESTRICTED = "pod-security.kubernetes.io/enforce=restricted"
ENTRIES = ("digits/1", "digits/2", "digits/3", "breast-cancer/1")


def localcluster(*arguments: str) -> None:
    """`localcluster` as a person runs it; fails when it does."""
    path = os.pathsep.join([str(ROOT / "platform"), os.environ.get("PYTHONPATH", "")])
    subprocess.run(
        [sys.executable, "-m", "localcluster", *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": path},
        check=True,
        timeout=3600,
    )


@contextmanager
def running_cluster(shared: Path, nodes: str = "", addons: str = "") -> Iterator[None]:
    """A cluster with Modelyard installed and the example entries pushed; of so many `nodes`, with these `addons`, if
    that matters.

    `shared` is a folder of this run's test processes: the first of them brings the cluster up while the others wait,
    and the last one ends it, unless it was there before or `MODELYARD_KEEP_CLUSTER=1` keeps it. With
    `MODELYARD_CLUSTER_IS_UP=1` whoever runs the tests has brought it up and will end it. Whatever the platform starts
    in its own namespace, the Jobs of builds and checks too, has to meet the Pod Security level "restricted" there.
    """
    users, found = shared / "cluster-users", shared / "cluster-was-there"
    with locked(shared / "cluster.lock"):
        if not users.exists():
            if KUBECONFIG.exists() or os.environ.get("MODELYARD_CLUSTER") == "existing":
                found.touch()
            if not os.environ.get("MODELYARD_CLUSTER_IS_UP"):
                options = {"--nodes": nodes, "--addons": addons}
                localcluster("up", *(word for option in options.items() if option[1] for word in option))
            kubectl("label", "--overwrite", "namespace", PLATFORM, RESTRICTED)
            for entry in ENTRIES:
                run("modelyard", "push", f"model-repo/{entry}")
            users.mkdir()
        mine = users / str(os.getpid())
        mine.touch()
    try:
        yield
    finally:
        with locked(shared / "cluster.lock"):
            mine.unlink()
            if not any(users.iterdir()):
                users.rmdir()
                if not found.exists() and not os.environ.get("MODELYARD_KEEP_CLUSTER"):
                    localcluster("down")


@contextmanager
def a_namespace(length: int = 13, **labels: str) -> Iterator[str]:
    """A namespace that nobody else has, of so many characters, gone afterwards."""
    name = f"test-{uuid.uuid4().hex}-{uuid.uuid4().hex}"[:length]
    apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}})
    try:
        yield name
    finally:
        kubectl("delete", "namespace", name, "--wait=false")
