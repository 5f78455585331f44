"""A Model that decays gets a new version by itself: labels, alarm, Job, challenger, canary; and nobody else is moved.

Needs the images of recorder and trainer, the latter of gigabytes, so it is a proof. The entry is a tiny one of the
test's own, whose world has changed since it was trained: every second answer of it is wrong.
"""

import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from tests.support.cluster.kubectl import eventually, get, items, run
from tests.support.cluster.local_cluster import localcluster
from tests.support.cluster.models import Load, a_model, applied, gateway, infer, output, until
from tests.support.recording.retrained_rows import rows, write_entry

pytestmark = pytest.mark.proof
NAME = "loans"
ENTRY = f"loans-{random.randrange(10**8)}"
"""One that no run before has pushed, because a version never changes."""
JUDGED = {"metric": "accuracy", "bound": 0.8}
"""Measured by the build, so that labels are held to it from the first one on."""
PLATFORM = "modelyard-system"
BATCH, BATCHES = 20, 60
DECAY_SECONDS, TRAINED_SECONDS, CANARY_SECONDS = 600, 900, 600
SMALL = {"resources": {"requests": {"cpu": "100m", "memory": "256Mi"}, "limits": {"memory": "1Gi"}}}
SPEC: dict[str, Any] = {
    "serving": SMALL,
    "rollout": {"strategy": "Canary", "steps": [{"weight": 50}], "bake": "5s"},
    "slo": {"errorRate": "10%", "latency": {"percentile": 95, "threshold": "500ms"}},
    "monitoring": {"sample": "100%", "log": {"columns": ["*"]}, "feedback": {}},
    "retrain": {"when": ["decay"], "every": "1h", "budget": "2h", "recipe": "retrain.py:retrain"},
}


@pytest.fixture(scope="module", autouse=True)
def _allowed() -> Iterator[None]:
    localcluster("up", "--addons", "recording training")
    yield
    localcluster("up")


@pytest.fixture
def served(namespace: str, tmp_path: Path) -> str:
    """The namespace of the Model that follows `challenger`, which is version 1."""
    run("modelyard", "push", str(write_entry(tmp_path / "entry", name=ENTRY, evaluation=JUDGED)))
    run("modelyard", "alias", "set", ENTRY, "challenger", "1")
    run("modelyard", "alias", "set", ENTRY, "champion", "1")
    made = a_model(NAME, namespace, ENTRY, **SPEC)
    made["spec"]["source"] = {"name": ENTRY, "alias": "challenger"}
    applied(made)
    until(NAME, namespace, "Ready", "True")
    recorded = "modelyard.dev/recorded=true"
    eventually(lambda: len(items("httproutes,grpcroutes", namespace, recorded)) == 3, "requests are recorded", 120)
    return namespace


def asked_and_labelled(namespace: str, seed: int) -> int:
    """Rows of today's world are asked, and their labels handed in; how many."""
    x, y = rows(BATCH * BATCHES, seed, 1)
    labels = list[dict[str, Any]]()
    for at in range(0, len(x), BATCH):
        answer = infer(NAME, namespace, "x", x[at : at + BATCH])
        assert answer.status_code == httpx.codes.OK
        if "x-modelyard-sample" in answer.headers:
            request = answer.headers["x-request-id"]
            labels += [
                {"requestId": request, "row": row, "label": int(label)} for row, label in enumerate(y[at : at + BATCH])
            ]
    told = httpx.post(f"http://{gateway()}/{namespace}/{NAME}/feedback", json=labels, timeout=30)
    assert told.status_code == httpx.codes.ACCEPTED, told.text
    return len(labels)


def status(namespace: str) -> dict[str, Any]:
    return (get("model", NAME, namespace) or {}).get("status", {})


def right(namespace: str) -> float:
    """Share of right answers of what serves now."""
    x, y = rows(10 * BATCH, 99, 1)
    answers = [output(infer(NAME, namespace, "x", x[at : at + BATCH])) for at in range(0, len(x), BATCH)]
    return float((np.concatenate(answers).argmax(axis=1) == y).mean())


def test_a_decayed_model_is_retrained_and_its_challenger_canaried(served: str) -> None:
    assert right(served) < 0.6
    assert eventually(lambda: asked_and_labelled(served, 7), "answers are sampled", 120) > 500
    begun = eventually(
        lambda: (found := status(served).get("retraining", {})).get("run") and found, "it decayed", DECAY_SECONDS, 5
    )
    assert (begun["state"], begun["run"]["causes"], begun["run"]["version"]) == ("Running", ["decay"], "1")
    pods = eventually(lambda: items("pods", PLATFORM, "app.kubernetes.io/name=modelyard-retraining"), "it trains", 120)
    assert [one["name"] for one in pods[0]["spec"]["initContainers"]] == ["trainer"]

    load = Load("http", NAME, served, "x:1,2", 20)
    last = eventually(lambda: status(served).get("retraining", {}).get("last"), "it has ended", TRAINED_SECONDS, 5)
    assert (last["outcome"], last["made"]) == ("Pushed", "2"), last["message"]
    [record, *_] = eventually(
        lambda: status(served).get("rollout", {}).get("history"), "the challenger is promoted", CANARY_SECONDS, 5
    )
    count = load.ended()
    assert status(served)["version"] == "2"
    assert (record["outcome"], record["version"], record["strategy"]) == ("Promoted", "2", "Canary")
    assert (count["failures"], count["errors"]) == (0, [])
    assert right(served) > 0.8
    aliases = run("modelyard", "alias", "list", ENTRY).stdout
    assert f"{ENTRY}@champion is {ENTRY}:1" in aliases
    assert f"{ENTRY}@challenger is {ENTRY}:2" in aliases
    lineage = run("modelyard", "lineage", NAME, "-n", served).stdout
    assert f"{ENTRY}:1" in lineage
    time.sleep(5)
    assert status(served)["retraining"].get("run") is None, "one was enough"
