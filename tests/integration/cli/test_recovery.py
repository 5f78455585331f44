"""The drill of the runbook: a cluster and its store are lost, another cluster is empty, and a backup brings them back.

The API server and the stores are real; the Models are taken away and the bucket is another one.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import onnxruntime as ort
import pytest
import yaml

from modelyard.clients.cluster.access import access
from modelyard.clients.cluster.api_server import Cluster
from modelyard.clients.cluster.models import manifest
from modelyard.clients.store import S3Store
from modelyard.core.snapshot import Ref
from modelyard.registry.bucket import BucketRegistry
from modelyard.settings import StoreSettings
from tests.support.machine.command_line import Ran, modelyard
from tests.support.operator.real_apiserver import RealApiServer
from tests.support.servers.store import StoreServer

pytestmark = pytest.mark.integration
ENTRY = Path(__file__).resolve().parents[3] / "model-repo" / "digits" / "1"


class Site:
    """A namespace of the API server, and a store."""

    def __init__(self, api: RealApiServer, folder: Path, server: StoreServer) -> None:
        self.api, self.folder, self.server = api, folder, server
        self.namespace = f"recovery-{uuid4().hex[:6]}"
        self.cluster = Cluster(access(api.kubeconfig))
        self.ref = Ref("Model", self.namespace, "digits")
        api.namespace(self.namespace)

    def bucket(self) -> StoreSettings:
        return self.server.settings(self.server.new_bucket())

    def run(self, *words: str | Path, store: StoreSettings) -> Ran:
        return modelyard(*words, cwd=self.folder, store=store, KUBECONFIG=str(self.api.kubeconfig), NO_COLOR="1")

    def apply(self) -> None:
        spec = {"source": {"name": "digits", "alias": "champion"}, "slo": {"errorRate": "1%"}}
        metadata = {
            "name": "digits",
            "namespace": self.namespace,
            "labels": {"team": "vision"},
            "annotations": {"modelyard.dev/reason": "first release"},
        }
        document = {"apiVersion": "modelyard.dev/v1alpha1", "kind": "Model", "metadata": metadata, "spec": spec}
        done = self.api.run("kubectl", "apply", "-f", "-", stdin=yaml.safe_dump(document))
        assert done.returncode == 0, done.stderr
        command = {"id": "told-once", "action": "pause"}
        self.cluster.merge(self.ref, {"spec": {"rollout": {"command": command}}})

    def declared(self) -> dict[str, Any] | None:
        found = self.cluster.get(self.ref)
        return manifest(found) if found is not None else None


@pytest.fixture
def site(apiserver: RealApiServer, store_server: StoreServer, tmp_path: Path) -> Iterator[Site]:
    made = Site(apiserver, tmp_path, store_server)
    yield made
    made.cluster.delete(made.ref)


def answers(store: StoreSettings, folder: Path) -> np.ndarray:
    """What the entry that the alias names says of its own evaluation rows."""
    registry = BucketRegistry(S3Store(store))
    registry.fetch(registry.resolve("digits", alias="champion"), folder)
    rows = np.load(folder / "eval.npz")
    name = next(name for name in rows.files if name in ("input", "input:input"))
    session = ort.InferenceSession(folder / "model.onnx", providers=["CPUExecutionProvider"])
    return np.asarray(session.run(None, {"input": rows[name][:8]})[0])


def test_an_empty_cluster_declares_and_answers_what_the_lost_one_did(site: Site, tmp_path: Path) -> None:
    lost, empty, folder = site.bucket(), site.bucket(), tmp_path / "backup"
    BucketRegistry(S3Store(lost)).push(ENTRY)
    BucketRegistry(S3Store(lost)).set_alias("digits", "champion", "1")
    site.apply()
    declared = site.declared()

    saved = site.run("backup", folder, "-o", "json", store=lost)
    site.cluster.delete(site.ref)
    assert site.declared() is None
    restored = site.run("restore", folder, "-o", "json", store=empty)

    assert saved.code == 0, saved.err
    assert restored.code == 0, restored.err
    assert f"{site.namespace}/digits" in json.loads(restored.out)["models"]
    assert site.declared() == declared
    assert declared is not None
    assert "command" not in str(declared["spec"])
    assert np.array_equal(answers(empty, tmp_path / "new"), answers(lost, tmp_path / "old"))
    assert "secret" not in "".join(path.read_text() for path in folder.rglob("*.yaml")).lower()
    assert not [path for path in folder.rglob("*") if b"admin-secret" in (path.read_bytes() if path.is_file() else b"")]


def test_a_restore_on_a_living_cluster_changes_nothing(site: Site, tmp_path: Path) -> None:
    bucket, folder = site.bucket(), tmp_path / "backup"
    BucketRegistry(S3Store(bucket)).push(ENTRY)
    site.apply()
    assert site.run("backup", folder, store=bucket).code == 0
    site.cluster.merge(site.ref, {"spec": {"slo": {"errorRate": "2%"}}})
    before = site.cluster.get(site.ref)

    ran = site.run("restore", folder, store=bucket)

    assert ran.code == 0, ran.err
    assert "entries that were there already: digits:1" in ran.out
    assert f"{site.namespace}/digits" in ran.out.split("Models that were there already")[1]
    assert site.cluster.get(site.ref) == before


def test_models_alone_are_restored_where_the_bucket_lived_on(site: Site, tmp_path: Path) -> None:
    bucket, folder = site.bucket(), tmp_path / "backup"
    site.apply()
    assert site.run("backup", folder, "--models-only", store=bucket).code == 0
    site.cluster.delete(site.ref)

    ran = site.run("restore", folder, "--models-only", store=bucket)

    assert ran.code == 0, ran.err
    assert site.declared() is not None


def test_a_namespace_that_is_missing_is_named_before_anything_is_restored(site: Site, tmp_path: Path) -> None:
    bucket, empty, folder = site.bucket(), site.bucket(), tmp_path / "backup"
    BucketRegistry(S3Store(bucket)).push(ENTRY)
    site.apply()
    assert site.run("backup", folder, store=bucket).code == 0
    (folder / "models" / site.namespace).rename(folder / "models" / "elsewhere")
    file = folder / "models" / "elsewhere" / "digits.yaml"
    file.write_text(file.read_text().replace(site.namespace, "elsewhere"))

    ran = site.run("restore", folder, store=empty)

    assert (ran.code, "kubectl create namespace elsewhere" in ran.err) == (2, True), ran.err
    assert list(S3Store(empty).list("")) == []


def test_folders_that_are_something_else_are_left_alone(site: Site, tmp_path: Path) -> None:
    bucket = site.bucket()
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "cat.jpg").write_bytes(b"cat")

    saved = site.run("backup", tmp_path / "photos", store=bucket)
    restored = site.run("restore", tmp_path / "photos", store=bucket)

    assert (saved.code, "has other files in it" in saved.err) == (2, True)
    assert (restored.code, "is no backup of format 1" in restored.err) == (2, True)


def test_a_model_that_the_cluster_refuses_stops_it_before_anything_is_restored(site: Site, tmp_path: Path) -> None:
    bucket, empty, folder = site.bucket(), site.bucket(), tmp_path / "backup"
    BucketRegistry(S3Store(bucket)).push(ENTRY)
    site.apply()
    assert site.run("backup", folder, store=bucket).code == 0
    file = folder / "models" / site.namespace / "digits.yaml"
    other = yaml.safe_load(file.read_text())
    other["metadata"]["name"], other["spec"]["source"]["version"] = "zebra", "1"
    file.with_name("zebra.yaml").write_text(yaml.safe_dump(other))
    site.cluster.delete(site.ref)

    ran = site.run("restore", folder, store=empty)

    assert (ran.code, "and only one of them" in ran.err) == (1, True), ran.err
    assert site.declared() is None
    assert list(S3Store(empty).list("")) == []
