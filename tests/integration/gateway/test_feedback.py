"""Labels that are POSTed to a recorder's process are in a real store once it ends, and nothing of a bad body is."""

import signal
from pathlib import Path

import httpx
import pytest

from modelyard.api.monitoring.labels import AnswerLabel
from modelyard.clients.store import S3Store
from modelyard.records.feedback.labels import label_files, read_labels
from tests.support.recording.gateway import MODEL, NAMESPACE, recorder
from tests.support.servers.store import StoreServer

pytestmark = pytest.mark.integration


def test_labels_are_in_the_store_when_a_recorder_has_ended(tmp_path: Path, store_server: StoreServer) -> None:
    settings = store_server.settings(store_server.new_bucket())
    with recorder(settings, tmp_path / "recorder.log", redact="doctor") as running:
        with httpx.Client(base_url=f"http://127.0.0.1:{running.feedback_port}", timeout=20, trust_env=False) as client:
            path = f"/{NAMESPACE}/{MODEL}/feedback"
            good = [{"requestId": "r1", "label": 1}, {"requestId": "r2", "labels": {"doctor": "Ada"}}]
            assert client.post(path, json=good).status_code == 202
            assert client.post(path, json=[*good, {"requestId": "r3"}]).status_code == 422
            assert client.post(f"/{NAMESPACE}/nobody/feedback", json=good).status_code == 404
        assert running.metric('feedback_requests_total{outcome="accepted"}') == 1
        assert running.metric('labels_total{outcome="accepted"}') == 2
        assert running.metric("waiting_label_bytes") > 0
        running.process.send_signal(signal.SIGTERM)
        assert running.process.wait(30) == 0
    store = S3Store(settings)
    labels = read_labels(store, list(label_files(store, NAMESPACE, MODEL)))
    assert [(label.request_id, label.output) for label in labels] == [("r1", ""), ("r2", "doctor")]
    assert labels[0] == AnswerLabel("r1", 0, "", "1", labels[0].told, labels[0].told)
    assert labels[1].label != "Ada"
