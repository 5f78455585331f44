"""A stream whose rows changed raises the alarm on the cluster, and one like the reference does not.

Needs the image of the recorder, so it is a proof. Both Models serve the same entry and get the rows that its reference
was made of; one of them as they are, the other four times as bright, as a client sends that has forgotten to divide.
"""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support.cluster.kubectl import environment, eventually, get, items, kubectl
from tests.support.cluster.local_cluster import localcluster
from tests.support.cluster.models import a_model, applied, condition, infer, until

pytestmark = pytest.mark.proof
PLATFORM = "modelyard-system"
ROWS = Path(__file__).resolve().parents[3] / "model-repo" / "digits" / "1" / "eval.npz"
QUIET, SHIFTED = "quiet", "shifted"
BATCH, BATCHES = 16, 40
PROMISED_SECONDS = 480
"""The minute's end, two minutes until it has settled, a look of the evaluator, one of the operator; twice that."""


@pytest.fixture(scope="module", autouse=True)
def _recorder() -> Iterator[None]:
    localcluster("up", "--addons", "recording")
    yield
    localcluster("up")


def data_of(name: str, namespace: str) -> dict[str, Any]:
    """`status.monitoring.data`, empty before there is any."""
    model = get("model", name, namespace) or {}
    return model.get("status", {}).get("monitoring", {}).get("data", {})


def sent(namespace: str, seed: int) -> None:
    """Some hundred rows to both Models, drawn from those of the reference."""
    chance = np.random.default_rng(seed)
    with np.load(ROWS) as kept:
        rows = kept["input:input"]
    for _ in range(BATCHES):
        drawn = rows[chance.integers(0, len(rows), BATCH)].astype(np.float32)
        for name, values in ((QUIET, drawn), (SHIFTED, drawn * 4.0)):
            assert infer(name, namespace, "input", values).status_code == 200


def verb(*words: str) -> subprocess.CompletedProcess[str]:
    """`modelyard ...` as a person types it."""
    return subprocess.run(
        [sys.executable, "-m", "modelyard.cli.main", *words], capture_output=True, text=True, env=environment(),
        timeout=120, check=False,
    )  # fmt: skip


def events(namespace: str, reason: str) -> set[str]:
    """Names of the Models that an Event with that reason is about."""
    return {one["involvedObject"]["name"] for one in items("events", namespace) if one["reason"] == reason}


def test_changed_rows_raise_the_alarm_and_usual_ones_do_not(namespace: str) -> None:
    for name in (QUIET, SHIFTED):
        applied(a_model(name, namespace, monitoring={"sample": "100%"}))
    for name in (QUIET, SHIFTED):
        until(name, namespace, "Ready", "True")
    recorded = "modelyard.dev/recorded=true"
    eventually(lambda: len(items("httproutes,grpcroutes", namespace, recorded)) == 6, "the gateway records", 120)

    for minute in range(3):
        sent(namespace, minute)
        time.sleep(30)
    broken = eventually(lambda: (found := data_of(SHIFTED, namespace)).get("broken", 0) > 0 and found, "the alarm",
                        PROMISED_SECONDS, 5)  # fmt: skip
    assert broken["verdict"] == "DataBroken"
    assert broken["worst"][0]["kind"] == "outside"
    assert broken["worst"][0]["shift"] > 0.1
    assert condition(get("model", SHIFTED, namespace), "DataHealthy")["reason"] == "DataBroken"
    assert condition(get("model", SHIFTED, namespace), "Ready")["status"] == "True"
    eventually(lambda: events(namespace, "DataBroken") == {SHIFTED}, "one Event", 60)
    told = verb("explain", SHIFTED, "-n", namespace)
    assert told.returncode == 1
    assert "The data broke" in told.stdout
    assert verb("drift", SHIFTED, "-n", namespace).returncode == 1

    def quiet_is_known() -> bool:
        return condition(get("model", QUIET, namespace), "DataHealthy").get("reason") == "AsReference"

    eventually(quiet_is_known, "rows like the reference", PROMISED_SECONDS, 5)
    assert data_of(QUIET, namespace)["features"] == 66
    assert verb("drift", QUIET, "-n", namespace).returncode == 0

    kubectl("delete", "pod", "-n", PLATFORM, "-l", "app.kubernetes.io/component=evaluator")
    kubectl("rollout", "status", "-n", PLATFORM, "deploy/modelyard-evaluator", "--timeout=120s")
    sent(namespace, 99)
    time.sleep(240)
    assert data_of(SHIFTED, namespace)["broken"] > 0, "a restart forgets nothing"
    assert data_of(QUIET, namespace)["broken"] == data_of(QUIET, namespace)["drifted"] == 0
