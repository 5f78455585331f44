"""Alarms on the cluster: rows that changed, answers that labels call wrong; what is as it was raises none.

Needs the image of the recorder, so it is a proof. All Models serve the same entry and get the rows that its reference
was made of; one of them four times as bright, as a client sends that has forgotten to divide. Labels come through the
gateway: first those of the evaluation set, then others, as when what is right has changed its meaning.
"""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from tests.support.cluster.kubectl import environment, eventually, get, items, kubectl
from tests.support.cluster.local_cluster import localcluster
from tests.support.cluster.models import a_model, applied, condition, gateway, infer, until

pytestmark = pytest.mark.proof
PLATFORM = "modelyard-system"
ROWS = Path(__file__).resolve().parents[3] / "model-repo" / "digits" / "1" / "eval.npz"
QUIET, SHIFTED, LABELLED = "quiet", "shifted", "labelled"
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


def recorded_routes(namespace: str, number: int) -> None:
    """Returns when the gateway records so many routes."""
    recorded = "modelyard.dev/recorded=true"
    eventually(
        lambda: len(items("httproutes,grpcroutes", namespace, recorded)) == number, f"{number} routes recorded", 120
    )


def performance_of(namespace: str) -> dict[str, Any]:
    """`status.monitoring.performance`, empty before there is any."""
    model = get("model", LABELLED, namespace) or {}
    return model.get("status", {}).get("monitoring", {}).get("performance", {})


def judged(namespace: str, verdict: str) -> dict[str, Any]:
    """The performance once the evaluator has come to that."""
    return eventually(
        lambda: (found := performance_of(namespace)).get("verdict") == verdict and found, verdict, PROMISED_SECONDS, 5
    )


def answered(namespace: str, chance: np.random.Generator) -> dict[str, np.ndarray]:
    """Rows that were asked, and what the evaluation set says is right, by the id of the request."""
    with np.load(ROWS) as kept:
        rows, labels = kept["input:input"].astype(np.float32), kept["labels"]
    found: dict[str, np.ndarray] = {}
    for _ in range(BATCHES):
        drawn = chance.integers(0, len(rows), BATCH)
        answer = infer(LABELLED, namespace, "input", rows[drawn])
        assert answer.status_code == 200
        if "x-modelyard-sample" in answer.headers:
            found[answer.headers["x-request-id"]] = labels[drawn]
    return found


def evaluated() -> float:
    """The share of the evaluation set that its author's outputs have right."""
    with np.load(ROWS) as kept:
        return float((kept["output:logits"].argmax(axis=1) == kept["labels"]).mean())


def told(namespace: str, labels: Any, name: str = LABELLED) -> httpx.Response:
    return httpx.post(f"http://{gateway()}/{namespace}/{name}/feedback", json=labels, timeout=30)


def as_labels(truth: dict[str, np.ndarray], turned: int = 0) -> list[dict[str, Any]]:
    """Labels of all these rows; `turned` away from what is right."""
    return [
        {"requestId": request, "row": row, "label": int(label + turned) % 10}
        for request, labels in truth.items()
        for row, label in enumerate(labels)
    ]


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
    recorded_routes(namespace, 6)

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
    explained = verb("explain", SHIFTED, "-n", namespace)
    assert explained.returncode == 1
    assert "The data broke" in explained.stdout
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


def test_labels_that_call_answers_wrong_raise_the_alarm_and_right_ones_do_not(namespace: str) -> None:
    watched = {"sample": "100%", "log": {"columns": ["*"]}, "feedback": {}}
    applied(a_model(LABELLED, namespace, monitoring=watched))
    until(LABELLED, namespace, "Ready", "True")
    assert condition(get("model", LABELLED, namespace), "PerformanceHealthy")["reason"] == "NotEvaluated"
    recorded_routes(namespace, 3)
    chance = np.random.default_rng(7)
    truth = eventually(lambda: answered(namespace, chance), "answers are sampled", 120)

    for refused, code in (({"label": 1}, 422), ([{"requestId": "x", "label": None}], 422), ("{", 422)):
        assert told(namespace, refused).status_code == code
    assert told(namespace, as_labels(truth)[:1], "nobody").status_code == 404
    answer = told(namespace, as_labels(truth))
    assert (answer.status_code, answer.json()) == (202, {"accepted": BATCH * len(truth)})
    kept = judged(namespace, "PerformanceKept")
    accuracy = next(one for one in kept["measures"] if one["name"] == "accuracy")
    assert (kept["labels"], kept["learning"]) == (BATCH * len(truth), 0)
    assert accuracy["low"] <= accuracy["value"] <= accuracy["high"]
    assert accuracy["value"] == pytest.approx(evaluated(), abs=0.06)
    assert events(namespace, "PerformanceDecayed") == set()

    turned = answered(namespace, chance)
    assert told(namespace, as_labels(turned, turned=1)).status_code == 202
    decayed = judged(namespace, "PerformanceDecayed")
    assert decayed["worst"][0]["share"] > 0.3 > decayed["worst"][0]["reference"]
    model = get("model", LABELLED, namespace)
    assert condition(model, "PerformanceHealthy")["reason"] == "PerformanceDecayed"
    assert condition(model, "Ready")["status"] == "True"
    eventually(lambda: events(namespace, "PerformanceDecayed") == {LABELLED}, "one Event", 60)
    explained = verb("explain", LABELLED, "-n", namespace)
    assert explained.returncode == 1
    assert "Answers are worse than the reference" in explained.stdout
    shown = verb("quality", LABELLED, "-n", namespace)
    assert shown.returncode == 1
    assert "are wrong; of the reference" in " ".join(shown.stdout.split())
