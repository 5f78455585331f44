"""`spec.optimize`: the plain artifact serves at once, variants are tried beside it, and the best takes over."""

import json
import random
from typing import Any

import numpy as np
import pytest

from tests.support.cluster.kubectl import ROOT, eventually, get, items, kubectl, run
from tests.support.cluster.models import Load, a_model, applied, condition, infer, output, until
from tests.support.cluster.optimize_jobs import PLATFORM, done, evict, pods
from tests.support.cluster.watch import Watch

TENSOR = "input:1,1,8,8"
SMALL = {"resources": {"requests": {"cpu": "100m", "memory": "256Mi"}, "limits": {"memory": "1Gi"}}}
WISH = {
    "goal": "size",
    "maxQualityLoss": f"2.{random.randrange(1000):03}%",
    "precisions": ["fp32", "int8"],
    "budget": "60s",
}
"""The smallest model is the same on a busy machine as on an idle one; the loss is one that no run before has asked for,
because what is in the store is not made again."""


def settled(model: dict[str, Any]) -> bool:
    """What is wished serves, and nothing else is left."""
    return condition(model, "Reconciling").get("reason") == "Done" and len(model["status"]["revisions"]) == 1


@pytest.fixture(scope="module")
def optimized(shared_namespace: str) -> dict[str, Any]:
    """A Model that has been optimized under load, while the pod that did it was evicted once; with what was seen."""
    manifest = a_model("digits", shared_namespace, serving=SMALL, optimize=WISH)
    applied(manifest)
    first = until("digits", shared_namespace, "Serving", "True")
    loads = [Load(protocol, "digits", shared_namespace, TENSOR, 10) for protocol in ("http", "grpc")]
    with Watch("model", "digits", shared_namespace) as watch:
        begun = watch.until(lambda model: model if done(model) >= 2 else None, "two variants have been tried")
        digest = begun["status"]["optimization"]["digest"]
        before = done(begun)
        evicted = pods(digest)[0]["metadata"]
        evict(evicted["name"])
        eventually(lambda: [one for one in pods(digest) if one["metadata"]["uid"] != evicted["uid"]], "another pod")
        ended = watch.until(lambda model: model if settled(model) else None, "the optimized one serves alone", 400)
        counts = [load.ended() for load in loads]
        after = [done(sight.thing) for sight in watch.seen[watch.seen.index(_sight(watch, begun)) :]]
    return {"first": first, "ended": ended, "counts": counts, "before": before, "after": after, "digest": digest}


def _sight(watch: Watch, model: dict[str, Any]) -> Any:
    return next(sight for sight in watch.seen if sight.thing is model)


def test_the_plain_artifact_serves_meanwhile_and_no_request_fails(optimized: dict[str, Any]) -> None:
    first, ended = optimized["first"]["status"], optimized["ended"]["status"]

    assert (condition(optimized["first"], "Built")["status"], condition(optimized["first"], "Built")["reason"]) == (
        "False",
        "Optimizing",
    )
    assert first["revisions"][0]["digest"] != optimized["digest"]
    assert [one["digest"] for one in ended["revisions"]] == [optimized["digest"]]
    for count in optimized["counts"]:
        assert (count["failures"], count["errors"]) == (0, [])
        assert set(count["revisions"]) == {first["revision"], ended["revision"]}


def test_after_an_eviction_it_goes_on_where_it_was(optimized: dict[str, Any]) -> None:
    told = [number for number in optimized["after"] if number >= 0]

    assert told == sorted(told), "what was tried is not tried again"
    assert min(told) >= optimized["before"]


def test_what_was_chosen_is_told_and_smaller_and_as_good(optimized: dict[str, Any], shared_namespace: str) -> None:
    found = optimized["ended"]["status"]["optimization"]
    assert found["variant"] != "original"
    assert float(found["sizeRatio"]) < 0.6
    assert found["variant"] in condition(optimized["ended"], "Built")["message"]
    assert found["variant"] in kubectl("get", "model", "digits", "-n", shared_namespace).stdout

    told = json.loads(run("modelyard", "report", "digits", "-n", shared_namespace, "-o", "json").stdout)
    assert told["chosen"]["name"] == found["variant"]

    rows = np.load(ROOT / "model-repo/digits/1/eval.npz")
    asked, expected = rows["input:input"][:60].astype(np.float32), rows["output:logits"][:60]
    answers = np.concatenate([output(infer("digits", shared_namespace, "input", row[None])) for row in asked])
    assert float(np.mean(answers.argmax(1) == expected.argmax(1))) >= 0.95


def test_what_is_in_the_store_is_served_at_once_by_whoever_waits_for_it(
    optimized: dict[str, Any], namespace: str
) -> None:
    applied(a_model("digits", namespace, serving=SMALL, optimize={**WISH, "wait": True}))
    ready = until("digits", namespace, "Reconciling", "False", "Done")

    assert [one["digest"] for one in ready["status"]["revisions"]] == [optimized["digest"]]
    assert [one["metadata"]["name"] for one in items("inferenceservices", namespace)] == [ready["status"]["revision"]]
    assert pods(optimized["digest"]) == [] or get("job", f"optimize-{optimized['digest'][7:23]}", PLATFORM) is None
