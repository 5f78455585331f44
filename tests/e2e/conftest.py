"""The whole local cluster, brought up once for all end-to-end tests and taken down if it was not there before.

`MODELYARD_KEEP_CLUSTER=1` keeps it; `MODELYARD_CLUSTER=existing` uses the caller's instead.
"""

import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.kubectl import ROOT, apply, kubectl, run

ENTRIES = ("digits/1", "digits/2", "digits/3", "breast-cancer/1")


def localcluster(*arguments: str) -> None:
    path = os.pathsep.join([str(ROOT / "platform"), os.environ.get("PYTHONPATH", "")])
    subprocess.run(
        [sys.executable, "-m", "localcluster", *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": path},
        check=True,
        timeout=3600,
    )


@pytest.fixture(scope="session", autouse=True)
def cluster() -> Iterator[None]:
    """A running cluster with Modelyard installed and the example entries pushed."""
    state = Path(ROOT / ".modelyard" / "kubeconfig")
    was_there = state.exists() or os.environ.get("MODELYARD_CLUSTER") == "existing"
    localcluster("up")
    for entry in ENTRIES:
        run("modelyard", "push", f"model-repo/{entry}")
    yield
    if not was_there and not os.environ.get("MODELYARD_KEEP_CLUSTER"):
        localcluster("down")


@contextmanager
def a_namespace() -> Iterator[str]:
    """A namespace that is gone afterwards."""
    name = f"test-{uuid.uuid4().hex[:8]}"
    apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    try:
        yield name
    finally:
        kubectl("delete", "namespace", name, "--wait=false")


@pytest.fixture
def namespace() -> Iterator[str]:
    """A namespace of the test's own."""
    with a_namespace() as name:
        yield name


@pytest.fixture(scope="module")
def shared_namespace() -> Iterator[str]:
    """A namespace for the tests of one file."""
    with a_namespace() as name:
        yield name
