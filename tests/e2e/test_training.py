"""`optimize.train` on the cluster: the entry's own recipe is run beside the builder, and what it made is served.

Takes an image of gigabytes, so it is a proof. The platform is put back to where nothing is trained.
"""

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from tests.support.kubectl import ROOT, items, kubectl, run
from tests.support.models import Load, a_model, applied, condition, infer, output, until
from tests.support.watch import Watch

from .conftest import localcluster

pytestmark = pytest.mark.proof
PLATFORM, NAME = "modelyard-system", "resnet18-digits"
ENTRY = ROOT / "model-repo" / NAME / "1"
TENSOR = "input:1,1,32,32"
SMALL = {"resources": {"requests": {"cpu": "100m", "memory": "256Mi"}, "limits": {"memory": "1Gi"}}}
WISH = {"goal": "size", "maxQualityLoss": "2%", "precisions": ["fp32", "int8"], "budget": "3m", "train": True}


@pytest.fixture(scope="module")
def pushed() -> None:
    assert (ENTRY / "model.onnx").exists(), "type `make entries`, which makes resnet18-digits"
    run("modelyard", "push", str(ENTRY))


@pytest.fixture
def refused(pushed: None, shared_namespace: str) -> dict[str, Any]:
    """The Model while the platform does not allow training."""
    applied(a_model(NAME, shared_namespace, serving=SMALL, optimize=WISH))
    return until(NAME, shared_namespace, "Stalled", "True")


@pytest.fixture
def allowed() -> Iterator[None]:
    """The platform with an image that trains."""
    localcluster("up", "--addons", "training")
    yield
    localcluster("up")


def pods(digest: str) -> list[dict[str, Any]]:
    """Those of the Job that makes this build."""
    return items("pods", PLATFORM, f"modelyard.dev/build={digest.removeprefix('sha256:')[:16]}")


def test_an_entry_is_pruned_and_distilled_beside_the_builder_and_served(
    refused: dict[str, Any], allowed: None, shared_namespace: str
) -> None:
    assert condition(refused, "Built")["reason"] == "TrainingOff"
    assert condition(refused, "Serving")["status"] == "True"
    assert pods(refused["status"]["optimization"]["digest"]) == []

    load = Load("http", NAME, shared_namespace, TENSOR, 5)
    with Watch("model", NAME, shared_namespace) as watch:
        training = watch.until(
            lambda model: model if "training pruned-distilled" in condition(model, "Built")["message"] else None,
            "the recipe is run",
            600,
        )
        [pod] = pods(training["status"]["optimization"]["digest"])
        ended = watch.until(
            lambda model: model if condition(model, "Ready")["status"] == "True" else None, "it is served", 1800
        )
    count = load.ended()
    [trainer] = pod["spec"]["initContainers"]

    assert (count["failures"], count["errors"]) == (0, [])
    assert (trainer["name"], trainer["restartPolicy"]) == ("trainer", "Always")
    found = ended["status"]["optimization"]
    assert found["variant"].startswith("pruned-distilled")
    assert float(found["sizeRatio"]) < 0.25
    told = json.loads(run("modelyard", "report", NAME, "-n", shared_namespace, "-o", "json").stdout)
    chosen = next(one for one in told["variants"] if one["name"] == found["variant"])
    assert {"torch-prune", "torch-distill"} <= set(chosen["passes"])
    assert chosen["qualityLoss"] <= 0.02

    rows = np.load(ENTRY / "eval.npz")
    asked, expected = rows["input:input"][:60].astype(np.float32), rows["output:logits"][:60]
    answers = np.concatenate([output(infer(NAME, shared_namespace, "input", row[None])) for row in asked])
    assert float(np.mean(answers.argmax(1) == expected.argmax(1))) >= 0.9
    assert "AKIA" not in kubectl("logs", pod["metadata"]["name"], "-n", PLATFORM, "-c", "trainer", check=False).stdout
