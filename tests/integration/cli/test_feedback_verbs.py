"""`modelyard feedback` and `quality` as a person types them: a Model on a real API server, its rows in a real store."""

import base64
import json
import time
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
import yaml

from modelyard.api.report import Report
from modelyard.clients.cluster.access import access
from modelyard.clients.cluster.api_server import Cluster
from modelyard.clients.store import S3Store
from modelyard.core.snapshot import Ref
from modelyard.core.storage.keys import build_report
from modelyard.core.storage.monitoring_keys import ROWS, MinuteKey
from modelyard.recorder.redaction import hashed, model_key
from modelyard.records.feedback.labels import label_files, read_labels
from modelyard.records.parquet import to_parquet
from modelyard.settings import StoreSettings
from tests.support.machine.command_line import Ran, modelyard_here
from tests.support.objects.reports import WRITTEN
from tests.support.operator.real_apiserver import RealApiServer
from tests.support.servers.store import StoreServer

pytestmark = pytest.mark.integration
DIGEST = "sha256:" + "6" * 64
PLATFORM = "feedback-platform"
FEEDBACK = {
    "sample": "100%",
    "log": {"columns": ["*"], "redact": ["doctor"]},
    "feedback": {},
}


class Labelled:
    """A Model, its recorded requests r0 to r9, and the command line of a person who reaches both."""

    def __init__(
        self, apiserver: RealApiServer, where: StoreSettings, folder: Path, monitoring: dict[str, Any]
    ) -> None:
        self.apiserver, self.where, self.folder = apiserver, where, folder
        self.name, self.store = f"loans-{uuid4().hex[:8]}", S3Store(where)
        spec = {"source": {"name": "loans", "version": "1"}, "monitoring": monitoring}
        frame = {"name": self.name, "namespace": "demo"}
        made = {"apiVersion": "modelyard.dev/v1alpha1", "kind": "Model", "metadata": frame, "spec": spec}
        done = apiserver.run("kubectl", "apply", "-f", "-", stdin=yaml.safe_dump(made))
        assert done.returncode == 0, done.stderr
        cluster, ref, revision = (
            Cluster(access(apiserver.kubeconfig)),
            Ref("Model", "demo", self.name),
            f"{self.name}-1",
        )
        serving = {"name": revision, "slot": "a", "digest": DIGEST, "version": "1", "runtime": "r", "stage": "Serving"}
        read = cluster.get(ref)
        assert read is not None
        cluster.apply_status(ref, read["metadata"]["uid"], {"revision": revision, "revisions": [serving]})
        ids = np.array([f"r{at}" for at in range(10)], object)
        now = int(time.time()) // 60 * 60
        marks = {"row": np.zeros(10, np.int32), "time": np.full(10, float(now)), "share": np.ones(10, np.int32)}
        rows = {"request_id": ids, **marks, "output.y": np.arange(10) % 2}
        self.store.put(MinuteKey("demo", self.name, revision, now, "w").key(ROWS), to_parquet(rows))

    def feedback(self, content: str, *flags: str) -> Ran:
        """Hands in a CSV file of that content."""
        file = self.folder / "labels.csv"
        file.write_text(content)
        return modelyard_here(
            "feedback", self.name, "-n", "demo", "--input", str(file), *flags, store=self.where, cwd=self.folder,
            KUBECONFIG=str(self.apiserver.kubeconfig), MODELYARD_OPERATOR_NAMESPACE=PLATFORM,
        )  # fmt: skip

    def labels(self) -> list[tuple[str, str, str]]:
        """Request, output and label of all that is in the store."""
        keys = list(label_files(self.store, "demo", self.name))
        return sorted((one.request_id, one.output, one.label) for one in read_labels(self.store, keys))


@pytest.fixture
def where(store_server: StoreServer) -> StoreSettings:
    return store_server.settings(store_server.new_bucket())


@pytest.fixture
def labelled(apiserver: RealApiServer, where: StoreSettings, tmp_path: Path) -> Labelled:
    return Labelled(apiserver, where, tmp_path, FEEDBACK)


def test_labels_are_kept_once_and_people_are_told_what_became_of_them(labelled: Labelled) -> None:
    content = "request_id,label\nr0,0\nr1,1\nr1,1\nr2,1\nr2,0\nr99,1\nr3,\n"
    ran = labelled.feedback(content)
    assert ran.code == 0, ran.err
    assert ran.out.splitlines() == [
        "4 labels of labels.csv are in the store",
        "1 of them are of rows that are not recorded: not in the sample, not yet written, or no request's",
        "1 rows of the file repeat a label",
        "1 rows of the file contradict another; what was known last counts",
        "1 rows of the file have no label",
    ]
    assert len(labelled.labels()) == 6
    assert labelled.feedback(content).code == 0
    assert len(labelled.labels()) == 6, "the same file again is the same object"


def test_a_file_of_which_no_request_is_known_is_another_models(labelled: Labelled) -> None:
    ran = labelled.feedback("request_id,label\nq0,0\nq1,1\n")
    assert (ran.code, "none of the 2 labels is of a recorded request of demo/" in ran.err) == (2, True), ran.err
    assert labelled.labels() == []
    assert labelled.feedback("request_id,label\nq0,0\nq1,1\n", "--unknown").code == 0
    assert [request for request, _, _ in labelled.labels()] == ["q0", "q1"]


def test_labels_of_outputs_are_held_against_the_build_and_redacted(labelled: Labelled) -> None:
    key = base64.b64encode(b"secret").decode()
    labelled.apiserver.run("kubectl", "create", "namespace", PLATFORM)
    made = labelled.feedback("request_id,doctor\nr0,Ada\n")
    assert (made.code, "there is no Secret modelyard-recorder-key" in made.err) == (2, True), made.err
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "modelyard-recorder-key"},
        "data": {"key": key},
    }
    labelled.apiserver.run("kubectl", "apply", "-n", PLATFORM, "-f", "-", stdin=yaml.safe_dump(secret))
    hidden = hashed("Ada", model_key(b"secret", "demo", labelled.name))
    assert labelled.feedback("request_id,doctor\nr0,Ada\n").code == 0
    assert labelled.labels() == [("r0", "doctor", hidden)]
    labelled.store.put(
        build_report(DIGEST),
        Report.model_validate(WRITTEN | {"digest": DIGEST}).model_dump_json(by_alias=True).encode(),
    )
    other = labelled.feedback("request_id,price\nr0,3\n")
    assert (other.code, "has no output price" in other.err) == (2, True), other.err


def test_a_model_that_takes_no_labels_says_what_it_needs(
    apiserver: RealApiServer, where: StoreSettings, tmp_path: Path
) -> None:
    silent = Labelled(apiserver, where, tmp_path, {"sample": "100%"})
    ran = silent.feedback("request_id,label\nr0,0\n")
    assert (ran.code, "write spec.monitoring.feedback" in ran.err) == (2, True), ran.err
    asked = modelyard_here(
        "quality", silent.name, "-n", "demo", store=where, cwd=tmp_path, KUBECONFIG=str(apiserver.kubeconfig)
    )
    assert (asked.code, "write spec.monitoring.feedback" in asked.err) == (2, True), asked.err


def test_quality_is_told_by_the_labels_that_came(labelled: Labelled) -> None:
    def quality(*flags: str) -> Ran:
        return modelyard_here(
            "quality", labelled.name, "-n", "demo", *flags, store=labelled.where, cwd=labelled.folder,
            KUBECONFIG=str(labelled.apiserver.kubeconfig),
        )  # fmt: skip

    nothing = quality()
    assert (nothing.code, "no label of demo/" in nothing.err) == (2, True), nothing.err
    assert labelled.feedback("request_id,label\n" + "".join(f"r{at},{at % 2}\n" for at in range(8))).code == 0
    shown = quality()
    assert (shown.code, "accuracy" in shown.out, "492 labels more" in shown.out) == (0, True, True), shown
    [one] = json.loads(quality("-o", "json").out)["revisions"]
    assert (one["labels"], one["slices"]["all"][0]["value"]) == (8, 1.0)
