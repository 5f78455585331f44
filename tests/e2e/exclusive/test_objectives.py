"""What an objective asks of the platform comes true on the cluster: tuned, made the cheapest, cached, with a price.

Every one of them is a build that takes minutes, so it is a proof. The machine is measured, and serves, at the same
time: what a replica takes on is asked to be there, not to be large.
"""

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from modelyard.api.quantity import shown
from tests.support.cluster.kubectl import ROOT, eventually, get, run
from tests.support.cluster.models import Load, a_model, applied, condition, infer, output, until
from tests.support.cluster.release import install, values
from tests.support.cluster.watch import Watch

pytestmark = pytest.mark.proof
TENSOR = "input:1,1,8,8"
SMALL = {"resources": {"requests": {"cpu": "100m", "memory": "256Mi"}, "limits": {"memory": "1Gi"}}}
PRICES = ("--set", "config.prices.cpuCoreHour=0.04", "--set", "config.prices.memoryGibHour=0.005")
DIGITS = np.load(ROOT / "model-repo/digits/1/eval.npz")


def slo() -> dict[str, Any]:
    """An objective that digits keeps; its threshold is one no run before has asked for, so that it is measured."""
    return {"latency": {"percentile": 95, "threshold": f"{random.randrange(100, 400)}ms"}, "errorRate": "1%"}


@pytest.fixture(scope="module", autouse=True)
def _prices(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What resources cost is told to the platform, and taken back."""
    before = values(tmp_path_factory.mktemp("release"))
    install("upgrade", before, *PRICES)
    yield
    install("upgrade", before)


def settled(model: dict[str, Any]) -> bool:
    """What is asked for serves, and nothing else is left."""
    return condition(model, "Reconciling").get("reason") == "Done" and len(model["status"]["revisions"]) == 1


def made_under_load(namespace: str, **spec: Any) -> dict[str, Any]:
    """The Model once what `spec` asks for serves alone; no request of its users failed meanwhile."""
    applied(a_model("digits", namespace, serving=SMALL, **spec))
    until("digits", namespace, "Serving", "True")
    loads = [Load(protocol, "digits", namespace, TENSOR, 5) for protocol in ("http", "grpc")]
    for load in loads:
        load.begun()
    with Watch("model", "digits", namespace) as watch:
        ended = watch.until(lambda model: model if settled(model) else None, "what is asked for serves alone", 560)
    counts = [load.ended() for load in loads]
    assert [count["failures"] for count in counts] == [0, 0], counts
    return ended


def report(namespace: str) -> dict[str, Any]:
    return json.loads(run("modelyard", "report", "digits", "-n", namespace, "-o", "json").stdout)


def right(namespace: str) -> None:
    """The entry's own answers come."""
    rows, expected = DIGITS["input:input"][:20].astype(np.float32), DIGITS["output:logits"][:20]
    answers = np.concatenate([output(infer("digits", namespace, "input", row[None])) for row in rows])
    assert float(np.mean(answers.argmax(1) == expected.argmax(1))) >= 0.95


def test_a_tuned_model_says_what_a_replica_takes_on_and_requests_have_a_price(namespace: str) -> None:
    objective = slo()
    model = made_under_load(namespace, slo=objective, tune={})
    capacity = model["status"]["capacity"]

    assert capacity["measured"] is True
    assert capacity["at"] == f"p95<{objective['latency']['threshold']}"
    assert capacity["requestsPerSecond"] > 0
    assert (
        shown(capacity["requestsPerSecond"])
        in run("modelyard", "capacity", "digits", "-n", namespace, "--rps", "50").stdout
    )
    right(namespace)

    load = Load("http", "digits", namespace, TENSOR, 20)
    load.begun()
    cost = eventually(
        lambda: (
            (found := (get("model", "digits", namespace) or {})["status"].get("cost", {})).get("perThousand") and found
        ),
        "what 1,000 requests cost",
        120,
    )
    assert load.ended()["failures"] == 0
    assert cost["perThousand"] > 0
    assert 0 <= cost["idleShare"] <= 1
    assert cost.get("guess", False) is False, "what a replica takes on has been measured"


def test_the_cheapest_that_keeps_the_objective_is_found_and_serves(namespace: str) -> None:
    optimize = {"goal": "cost", "precisions": ["fp32", "int8"], "budget": "60s", "maxQualityLoss": "2%"}
    model = made_under_load(namespace, slo=slo(), optimize=optimize)
    found = report(namespace)

    [chosen] = [one for one in found["costs"] if one.get("chosen")]
    assert found["chosen"]["name"] == chosen["variant"]
    assert model["status"]["optimization"]["variant"].removesuffix(", tuned") == chosen["variant"]
    kept = [one["coresPerThousand"] for one in found["costs"] if one.get("coresPerThousand")]
    assert chosen["coresPerThousand"] <= 1.05 * min(kept)
    assert chosen["perThousand"] > 0
    assert model["status"]["capacity"]["measured"] is True
    right(namespace)


def test_answers_come_from_memory_and_explain_says_how_often(namespace: str, tmp_path: Path) -> None:
    made_under_load(namespace, cache={"size": "16MB"})
    right(namespace)
    right(namespace)

    told = run("modelyard", "explain", "digits", "-n", namespace).stdout
    assert "questions were answered from memory" in told, told
    assert "\n0% of" not in told
