"""`optimize.train` on the cluster: the entry's own recipe is run beside the builder, and what it made is served.

Takes an image of gigabytes, so it is a proof. The platform is put back to where nothing is trained.
"""

import json
import random
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from tests.support.cluster.kubectl import ROOT, kubectl, run
from tests.support.cluster.local_cluster import localcluster
from tests.support.cluster.models import Load, a_model, applied, condition, infer, output, until
from tests.support.cluster.optimize_jobs import PLATFORM, done, evict, pods
from tests.support.cluster.watch import Watch

pytestmark = pytest.mark.proof
NAME = "resnet18-digits"
ENTRY = ROOT / "model-repo" / NAME / "1"
TENSOR = "input:1,1,32,32"
SMALL = {"resources": {"requests": {"cpu": "100m", "memory": "256Mi"}, "limits": {"memory": "1Gi"}}}
LOSS = f"2.{random.randrange(1000):03}%"
"""One that no run before has asked for, because what is in the store is not made again."""
WISH = {"goal": "size", "maxQualityLoss": LOSS, "precisions": ["fp32", "int8"], "budget": "3m", "train": True}


@pytest.fixture(scope="module")
def pushed() -> None:
    assert (ENTRY / "model.onnx").exists(), "type `make entries`, which makes resnet18-digits"
    run("modelyard", "push", str(ENTRY))


@pytest.fixture
def refused(pushed: None, shared_namespace: str) -> dict[str, Any]:
    """The Model while the platform does not allow training."""
    applied(a_model(NAME, shared_namespace, entry=NAME, serving=SMALL, optimize=WISH))
    model = until(NAME, shared_namespace, "Stalled", "True")
    assert pods(model["status"]["optimization"]["digest"]) == []
    return model


@pytest.fixture
def allowed() -> Iterator[None]:
    """The platform with an image that trains."""
    localcluster("up", "--addons", "training")
    yield
    localcluster("up")


def test_an_entry_is_pruned_and_distilled_beside_the_builder_and_served(
    refused: dict[str, Any], allowed: None, shared_namespace: str
) -> None:
    assert condition(refused, "Built")["reason"] == "TrainingOff"
    assert condition(refused, "Serving")["status"] == "True"

    load = Load("http", NAME, shared_namespace, TENSOR, 5)
    with Watch("model", NAME, shared_namespace) as watch:
        training = watch.until(
            lambda model: model if "training pruned-distilled" in condition(model, "Built")["message"] else None,
            "the recipe is run",
            600,
        )
        [pod] = pods(training["status"]["optimization"]["digest"])
        trying = watch.until(lambda model: model if done(model) >= 2 else None, "variants are tried", 600)
        logged = kubectl("logs", pod["metadata"]["name"], "-n", PLATFORM, "-c", "trainer").stdout
        evict(pod["metadata"]["name"])
        ended = watch.until(
            lambda model: model if condition(model, "Ready")["status"] == "True" else None, "it is served", 1800
        )
        seen = [sight.thing for sight in watch.seen]
    count = load.ended()
    later = [condition(model, "Built")["message"] for model in seen[seen.index(trying) :]]
    [trainer] = pod["spec"]["initContainers"]

    assert (count["failures"], count["errors"]) == (0, [])
    assert (trainer["name"], trainer["restartPolicy"]) == ("trainer", "Always")
    assert not [message for message in later if "training pruned" in message], "what was trained is not trained again"
    assert "train" in logged
    assert "ended with 0" in logged
    found = ended["status"]["optimization"]
    assert found["variant"].startswith("pruned-distilled")
    assert float(found["sizeRatio"]) < 0.25
    told = json.loads(run("modelyard", "report", NAME, "-n", shared_namespace, "-o", "json").stdout)
    chosen = next(one for one in told["variants"] if one["name"] == found["variant"])
    assert {"torch-prune", "torch-distill"} <= set(chosen["passes"])
    assert chosen["qualityLoss"] <= 0.03

    rows = np.load(ENTRY / "eval.npz")
    asked, expected = rows["input:input"][:60].astype(np.float32), rows["output:logits"][:60]
    answers = np.concatenate([output(infer(NAME, shared_namespace, "input", row[None])) for row in asked])
    assert float(np.mean(answers.argmax(1) == expected.argmax(1))) >= 0.9
