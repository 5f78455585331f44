"""A tampered bucket on the cluster: the entry stops at the build, the build stops before the server starts."""

import base64
import shutil
import uuid
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import yaml

from modelyard.cli.connection import open_store
from modelyard.core.storage import keys as places
from modelyard.registry.bucket import BucketRegistry
from tests.support.cluster.kubectl import PLATFORM, ROOT, apply, eventually, get, kubectl, run
from tests.support.cluster.models import a_model, applied, condition, infer, output, until

IMAGE = np.zeros((1, 1, 8, 8), dtype=np.float32)


@dataclass(frozen=True)
class Author:
    """Somebody with a key, and two signed versions of an entry of their own."""

    name: str
    namespace: str
    folder: Path

    def ask(self, version: str) -> None:
        """Applies the Model, which trusts this author alone."""
        manifest = a_model(self.name, self.namespace, entry=self.name, version=version)
        manifest["spec"]["source"]["verify"] = {"keys": [{"configMap": {"name": "model-keys"}}]}
        applied(manifest)

    def until(self, kind: str, status: str, reason: str = "") -> dict:
        return until(self.name, self.namespace, kind, status, reason)


@pytest.fixture
def author(namespace: str, tmp_path: Path) -> Author:
    name = f"signed-{uuid.uuid4().hex[:8]}"
    run("modelyard", "keys", "new", "alice", "--folder", str(tmp_path))
    for version in ("1", "2"):
        entry = tmp_path / version
        shutil.copytree(ROOT / "model-repo" / "digits" / version, entry)
        described = yaml.safe_load((entry / "modelyard.yaml").read_text())
        (entry / "modelyard.yaml").write_text(yaml.safe_dump({**described, "name": name}))
        run("modelyard", "push", str(entry), "--key", str(tmp_path / "alice.key"))
    public = (tmp_path / "alice.pub").read_text()
    metadata = {"name": "model-keys", "namespace": namespace}
    apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"alice.pub": public}})
    return Author(name, namespace, tmp_path)


def flip(key: str) -> bytes:
    """Somebody with the store's write keys changes one bit of an object; what it was before."""
    store = open_store()
    before = store.get(key)
    assert before
    content = bytearray(before)
    content[len(content) // 2] ^= 1
    store.put(key, bytes(content))
    return before


def test_a_tampered_entry_or_build_is_caught_and_what_serves_goes_on(author: Author) -> None:
    author.ask("1")
    first = author.until("Reconciling", "False", "Done")["status"]["revision"]
    assert output(infer(author.name, author.namespace, "input", IMAGE)).shape == (1, 10)

    entry = BucketRegistry(open_store()).resolve(author.name, version="2")
    model = places.entry_file(author.name, "2", entry.digest, "model.onnx")
    flip(model)
    author.ask("2")
    told = condition(author.until("Stalled", "True"), "Built")
    assert (told["status"], told["reason"]) == ("False", "SignatureInvalid")
    assert "model.onnx" in told["message"]
    assert output(infer(author.name, author.namespace, "input", IMAGE)).shape == (1, 10)

    author.ask("1")
    serving = author.until("Reconciling", "False", "Done")["status"]
    assert serving["revision"] == first
    digest = serving["revisions"][0]["digest"]
    secret = get("secret", "modelyard-build-key", PLATFORM)
    assert secret is not None
    public = next(value for name, value in secret["data"].items() if name.endswith(".pub"))
    (author.folder / "builder.pub").write_bytes(base64.b64decode(public))
    run("modelyard", "verify", digest, "--key", str(author.folder / "builder.pub"))

    config = f"{places.build_repository(digest)}{author.name}/config.pbtxt"
    whole = flip(config)
    kubectl("delete", "pods", "-n", author.namespace, "-l", f"serving.kserve.io/inferenceservice={first}")
    refused = author.until("Ready", "False", "SignatureInvalid")
    assert f"{author.name}/config.pbtxt is not what" in condition(refused, "Ready")["message"]

    open_store().put(config, whole)
    kubectl("delete", "pods", "-n", author.namespace, "-l", f"serving.kserve.io/inferenceservice={first}")
    author.until("Ready", "True")
    eventually(
        lambda: output(infer(author.name, author.namespace, "input", IMAGE)).shape == (1, 10), "it answers again"
    )


def test_an_entry_that_only_a_stranger_has_signed_is_not_built(author: Author, tmp_path: Path) -> None:
    run("modelyard", "keys", "new", "stranger", "--folder", str(tmp_path))
    public = (tmp_path / "stranger.pub").read_text()
    metadata = {"name": "model-keys", "namespace": author.namespace}
    apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"alice.pub": public}})

    author.ask("1")

    told = condition(author.until("Stalled", "True"), "EntryResolved")
    assert told["reason"] == "SignatureMissing"
    assert "entry.json" in told["message"]
