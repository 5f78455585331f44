"""A kubeconfig that cannot be used is called so, whatever is wrong inside it."""

from pathlib import Path

import pytest

from modelyard.clients.cluster.access import access
from modelyard.clients.cluster.context import DEFAULT, current_namespace
from modelyard.errors import InvalidSettings
from tests.support.artifacts.damaged import complaint, damaged

WRITTEN = b"""apiVersion: v1
kind: Config
current-context: a
clusters:
- {name: a, cluster: {server: 'https://127.0.0.1:1', insecure-skip-tls-verify: true}}
users:
- {name: a, user: {token: x}}
contexts:
- {name: a, context: {cluster: a, user: a, namespace: ours}}
"""


@pytest.fixture
def kubeconfig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "kubeconfig"
    path.write_bytes(WRITTEN)
    monkeypatch.setenv("KUBECONFIG", str(path))
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    return path


def test_a_whole_file_is_used(kubeconfig: Path) -> None:
    assert (access().host, current_namespace()) == ("https://127.0.0.1:1", "ours")


def test_a_damaged_file_is_used_or_refused(kubeconfig: Path) -> None:
    for content in damaged(WRITTEN):
        kubeconfig.write_bytes(content)
        said = complaint(access, InvalidSettings)

        assert current_namespace()
        assert not said or "correct KUBECONFIG" in said


def test_none_at_all_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KUBECONFIG", raising=False)
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)

    assert current_namespace() == DEFAULT
    with pytest.raises(InvalidSettings, match="set KUBECONFIG, or start one"):
        access()
