"""`modelyard lineage` against a real API server and a real store: from a request to the data, as far as recorded."""

import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
import yaml

from modelyard.clients.cluster.access import access
from modelyard.clients.cluster.api_server import Cluster
from modelyard.clients.store import S3Store
from modelyard.core.snapshot import Ref
from modelyard.core.storage.monitoring_keys import ROWS, MinuteKey
from modelyard.records.parquet import to_parquet
from modelyard.registry.bucket import BucketRegistry
from modelyard.settings import StoreSettings
from tests.support.artifacts.entries import an_entry
from tests.support.machine.command_line import Ran, modelyard
from tests.support.objects.rollout_statuses import a_record, a_revision, an_ended_rollout, conditions
from tests.support.operator.real_apiserver import RealApiServer
from tests.support.servers.store import StoreServer

pytestmark = pytest.mark.integration
OLD, NOW = "digits-aaaaaaaaaa", "digits-bbbbbbbbbb"
DATA = {"reference": "s3://data/digits", "digest": "sha256:" + "ab" * 32, "description": "three quarters"}


class Served:
    """A Model whose version 2 serves, with its history, and a store with both entries."""

    def __init__(self, api: RealApiServer, server: StoreServer, folder: Path) -> None:
        self.api, self.folder = api, folder
        self.store: StoreSettings = server.settings(server.new_bucket())
        self.ref = Ref("Model", "demo", f"digits-{uuid4().hex[:8]}")
        self.cluster = Cluster(access(api.kubeconfig))
        registry = BucketRegistry(S3Store(self.store))
        registry.push(an_entry(folder / "one", name="digits", version="1"))
        metrics: dict[str, Any] = {"metrics": {"accuracy": 0.97}, "trainingData": DATA, "licence": "MIT"}
        self.entry = registry.push(an_entry(folder / "two", name="digits", version="2", **metrics)).entry
        document = {
            "apiVersion": "modelyard.dev/v1alpha1",
            "kind": "Model",
            "metadata": {"name": self.ref.name, "namespace": "demo"},
            "spec": {"source": {"name": "digits", "version": "2"}},
        }
        done = api.run("kubectl", "apply", "-f", "-", stdin=yaml.safe_dump(document))
        assert done.returncode == 0, done.stderr
        cause = {"digest": self.entry.digest, "reason": "better recall", "changedBy": "alice"}
        records = [
            a_record("Promoted", revision=NOW, version="2", cause=cause),
            a_record("Promoted", revision=OLD, version="1"),
        ]
        found = self.cluster.get(self.ref)
        assert found is not None
        seen = {"observedGeneration": 1, "conditions": conditions(), "revision": NOW, "version": "2"}
        revisions = [a_revision(NOW, version="2")]
        status = {**seen, "revisions": revisions, "rollout": an_ended_rollout(*records)}
        self.cluster.apply_status(self.ref, found["metadata"]["uid"], status)

    def run(self, *words: str) -> Ran:
        how = {"store": self.store, "KUBECONFIG": str(self.api.kubeconfig), "NO_COLOR": "1"}
        return modelyard("lineage", self.ref.name, "-n", "demo", *words, cwd=self.folder, **how)

    def told(self, *words: str) -> dict[str, Any]:
        ran = self.run("-o", "json", *words)
        assert ran.code == 0, ran.err
        return json.loads(ran.out)


@pytest.fixture
def served(apiserver: RealApiServer, store_server: StoreServer, tmp_path: Path):
    made = Served(apiserver, store_server, tmp_path)
    yield made
    made.cluster.delete(made.ref)


def test_what_serves_is_followed_to_the_data(served: Served) -> None:
    told = served.told()

    assert told["revision"]["name"] == NOW
    assert (told["rollout"]["changedBy"], told["rollout"]["why"]) == ("alice", "better recall")
    assert (told["entry"]["digest"], told["entry"]["now"]) == (served.entry.digest, "as it was served")
    assert told["training"]["metrics"] == "accuracy 0.97"
    assert told["data"] == DATA


def test_a_recorded_request_names_its_revision(served: Served) -> None:
    key = MinuteKey("demo", served.ref.name, OLD, 1_790_000_040, "recorder-0").key(ROWS)
    S3Store(served.store).put(key, to_parquet({"request_id": np.array(["order-1", "order-2"], dtype=object)}))

    told = served.told("--request", "order-2")

    assert told["request"] == {"id": "order-2"}
    assert (told["revision"]["name"], told["revision"]["traffic"], told["entry"]["version"]) == (OLD, "none", "1")
    assert "not recorded" in served.run("--revision", OLD).out


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--revision", "digits-cccccccccc"), f"knows no revision digits-cccccccccc: it knows {NOW}, {OLD}"),
        (("--request", "order-9"), "there is no recorded row of request order-9"),
        (("--request", "a", "--revision", "b"), "say either --request or --revision"),
    ],
)
def test_what_nobody_knows_is_said(served: Served, words: tuple[str, ...], sentence: str) -> None:
    ran = served.run(*words)

    assert (ran.code, sentence in " ".join(ran.err.split())) == (2, True), ran.err


def test_an_entry_that_is_gone_or_another_is_noticed(served: Served) -> None:
    store = S3Store(served.store)
    store.delete("registry/digits/2/entry.json")
    assert served.told()["entry"]["now"] == "the registry has it no more"

    BucketRegistry(store).push(an_entry(served.folder / "other", name="digits", version="2", licence="Apache-2.0"))
    assert served.told()["entry"]["now"] == f"another one than was served ({served.entry.digest})"
