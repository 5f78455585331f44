"""The platform is taken away, put back, changed and rolled back while Models serve: no request is lost.

Rotated credentials of the store reach the operator and every Model within a minute.
"""

import base64
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.cluster.kubectl import PLATFORM, eventually, get, items, kubectl
from tests.support.cluster.models import MODEL_LABEL, Load, a_model, applied, condition, until
from tests.support.cluster.release import helm, install, values
from tests.support.cluster.rollout_under_load import SMALL, TENSOR

READER = "modelyard-store-reader"
AWAY_SECONDS = 60


@contextmanager
def users(namespace: str) -> Iterator[None]:
    """A Model that serves under load over both protocols inside the block: by the same pods, and no request fails."""
    applied(a_model("digits", namespace, serving={"resources": SMALL}))
    until("digits", namespace, "Reconciling", "False", "Done")
    before = pods(namespace)
    loads = [Load(protocol, "digits", namespace, TENSOR, 10) for protocol in ("http", "grpc")]
    try:
        yield
    finally:
        counts = [load.ended() for load in loads]
    assert [(count["failures"], count["errors"]) for count in counts] == [(0, []), (0, [])]
    assert all(count["requests"] > 100 for count in counts)
    assert pods(namespace) == before


def pods(namespace: str) -> dict[str, int]:
    """Restarts of the Model's pods, by uid."""
    return {
        pod["metadata"]["uid"]: sum(status["restartCount"] for status in pod["status"]["containerStatuses"])
        for pod in items("pods", namespace, f"{MODEL_LABEL}=digits")
    }


def served_again(namespace: str) -> None:
    """The operator works: another Model is taken up and served."""
    applied(a_model("after", namespace, serving={"resources": SMALL}))
    until("after", namespace, "Ready", "True")
    kubectl("delete", "model", "after", "-n", namespace)


@pytest.mark.proof
def test_uninstall_install_and_upgrade_lose_no_request(namespace: str, tmp_path: Path) -> None:
    file = values(tmp_path)
    with users(namespace):
        helm("uninstall", "modelyard", "--wait")
        time.sleep(AWAY_SECONDS)
        assert items("deployments", PLATFORM) == []
        install("install", file)
        install("upgrade", file)
        model = until("digits", namespace, "Ready", "True")
    assert condition(model, "Reconciling")["reason"] == "Done"
    served_again(namespace)


@pytest.mark.proof
def test_an_upgrade_and_its_rollback_restart_no_model_and_lose_no_request(namespace: str, tmp_path: Path) -> None:
    """The upgrade changes the operator, the runtime that later revisions get, and Envoy's resources."""
    file = values(tmp_path)
    before = {runtime["metadata"]["name"] for runtime in items("clusterservingruntimes", "")}
    with users(namespace):
        changed = ("operator.logLevel=debug", "runtimes.cpu.sharedMemory=600Mi", "gateway.resources.requests.cpu=90m")
        install("upgrade", file, *(word for change in changed for word in ("--set", change)))
        added = {runtime["metadata"]["name"] for runtime in items("clusterservingruntimes", "")} - before
        assert added, "a changed value makes another runtime"
        until("digits", namespace, "Ready", "True")
        helm("rollback", "modelyard", "--wait", "--timeout", "4m")
        until("digits", namespace, "Ready", "True")
    for runtime in added:
        kubectl("delete", "clusterservingruntime", runtime)
    served_again(namespace)


@pytest.mark.proof
def test_a_rotated_key_of_the_store_is_taken_up_everywhere(namespace: str, tmp_path: Path) -> None:
    file = values(tmp_path)
    with users(namespace):
        old = key(READER, PLATFORM)
        kubectl("delete", "secret", READER, "-n", PLATFORM)
        install("upgrade", file)
        new = key(READER, PLATFORM)
        assert new != old
        eventually(lambda: key("digits--store", namespace) == new, "the Model's own copy follows", 90)
        served_again(namespace)


@pytest.mark.proof
def test_a_key_changed_by_hand_is_taken_up_everywhere(namespace: str, tmp_path: Path) -> None:
    """Whoever runs the platform gives readers the writer's key for a while, which the store knows as well."""
    old, writers = (secret(name) for name in (READER, "modelyard-store-writer"))
    with users(namespace):
        try:
            kubectl("patch", "secret", READER, "-n", PLATFORM, "--type=merge", "-p", _data(writers))
            eventually(
                lambda: key("digits--store", namespace) == _text(writers["accessKeyId"]), "the Model's copy follows", 90
            )
            served_again(namespace)
        finally:
            kubectl("patch", "secret", READER, "-n", PLATFORM, "--type=merge", "-p", _data(old))
        eventually(lambda: key("digits--store", namespace) == _text(old["accessKeyId"]), "and follows back", 90)


def secret(name: str) -> dict[str, str]:
    """The two keys of a Secret of the platform, as they are stored."""
    found = get("secret", name, PLATFORM)
    assert found is not None
    return {field: found["data"][field] for field in ("accessKeyId", "secretAccessKey")}


def _data(keys: dict[str, str]) -> str:
    fields = ", ".join(f'"{field}": "{value}"' for field, value in keys.items())
    return f'{{"data": {{{fields}}}}}'


def key(name: str, namespace: str) -> str:
    """The access key id in a Secret of the platform or of a Model; empty while there is none."""
    data = (get("secret", name, namespace) or {}).get("data", {})
    return _text(data.get("accessKeyId") or data.get("AWS_ACCESS_KEY_ID") or "")


def _text(stored: str) -> str:
    return base64.b64decode(stored).decode()
