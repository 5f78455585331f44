"""Whoever else hangs, decisions are made: registry, store, logs, Jobs' pods and warm-ups are never waited for."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from modelyard.core.names import MODEL_LABEL, REVISION_LABEL
from modelyard.core.snapshot import Ref
from modelyard.operator.process import Operator
from tests.support.operator.bench import Bench, eventually
from tests.support.operator.clocked_operator import Walk
from tests.support.operator.outsiders import POOLS, WORKERS, Outsiders
from tests.support.operator.simulated_controllers import LATER, NOW

DIGITS = {"source": {"name": "digits", "version": "1"}}
CANARY = {"strategy": "Canary", "steps": [{"weight": 50}], "bake": "1s", "abortScaleDownDelay": "1s"}
REFUSED = {"reason": "UnsupportedModel", "message": "Operator NoSuchOp is unknown; export with opset 17."}


@pytest.fixture
def outsiders(monkeypatch: pytest.MonkeyPatch) -> Iterator[Outsiders]:
    made = Outsiders(monkeypatch)
    yield made
    made.released.set()


def looks(operator: Operator) -> float:
    outcomes = ("settled", "changed")
    return sum(operator.metrics.value("modelyard_reconcile_seconds_count", outcome=outcome) for outcome in outcomes)


def crashing_pod(bench: Bench, revision: str) -> None:
    """A pod of a revision whose server ended with an error."""
    labels = {MODEL_LABEL: "digits", REVISION_LABEL: revision}
    spec = {"containers": [{"name": "kserve-container", "image": "triton"}]}
    metadata = {"name": f"{revision}-crashes", "namespace": bench.namespace, "labels": labels}
    pod = bench.cluster.apply({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})
    ended = {"exitCode": 1, "reason": "Error", "startedAt": NOW, "finishedAt": LATER}
    status = {"name": "kserve-container", "image": "t", "imageID": "t", "ready": False, "restartCount": 1}
    said = {"phase": "Running", "containerStatuses": [{**status, "state": {"terminated": ended}}]}
    bench.cluster.apply_status(Ref("Pod", bench.namespace, metadata["name"]), pod["metadata"]["uid"], said)


def test_no_worker_asks_anybody_anything(lively: Bench, outsiders: Outsiders) -> None:
    lively.players.failures["2"] = REFUSED
    lively.ask("digits", **DIGITS, optimize={})
    lively.ask("refused", source={"name": "digits", "version": "2"})
    with lively.operating():
        lively.until("refused", "Built", "False", "UnsupportedModel")
        lively.until("digits", "Ready", "True")
        crashing_pod(lively, lively.status("digits")["revision"])
        eventually(lambda: "Cluster.logs" in outsiders.called_by(POOLS), "its log is asked for")
        lively.ask("digits", source={"name": "digits", "version": "9"}, optimize={})
        lively.until("digits", "EntryResolved", "False", "UnknownEntry")

    asked = {"BucketRegistry.resolve", "S3Store.get", "S3Store.size", "S3Store.list", "Gateway.ask", "Cluster.items"}
    assert outsiders.called_by(POOLS) - {"Cluster.get"} == {*asked, "Cluster.pages", "Cluster.logs"}, "page by page"
    assert outsiders.called_by(WORKERS) == set()


def test_models_are_acted_on_and_the_operator_is_healthy_while_all_others_hang(
    lively: Bench, outsiders: Outsiders
) -> None:
    lively.ask("digits", **DIGITS)
    with lively.operating() as operator:
        lively.until("digits", "Ready", "True")
        (revision,) = lively.names("InferenceService")
        outsiders.hang = True
        before = looks(operator)
        for number in range(12):
            lively.ask(f"other-{number}", source={"name": "digits", "version": str(number)})
        eventually(lambda: looks(operator) >= before + 12, "all of them were looked at")
        lively.ask("digits", **DIGITS, serving={"replicas": 2})
        deployment = f"{revision}-predictor"
        eventually(lambda: lively.get("Deployment", deployment)["spec"]["replicas"] == 2, "two replicas")

        eventually(lambda: operator.queue.longest_taken() == 0.0, "no worker is held")
        assert operator.healthy() == (True, "ok")
        said = lively.until("other-11", "EntryResolved", "Unknown", "Unreachable")
        outsiders.released.set()
        lively.until("other-1", "Ready", "True")

    assert said["message"] == "the registry has not answered for 6 s; it is asked again."
    assert outsiders.called_by(WORKERS) == set()


@pytest.mark.parametrize("restarted", [False, True], ids=["at work", "restarted"])
def test_a_failing_candidate_is_out_as_fast_while_all_others_hang(
    a_calm_bench: Callable[[], Bench], restarted: bool
) -> None:
    def out(answering: bool) -> tuple[list[int], int, float, Any]:
        """Shares from then on, looks and seconds until the candidate has no traffic, and how the rollout ended."""
        bench = a_calm_bench()
        walk = Walk(bench, "digits", rate=20_000)
        asked = {"slo": {"errorRate": "1%"}, "rollout": CANARY}
        bench.ask("digits", **DIGITS, **asked)
        walk.until(lambda: bench.condition("digits", "Ready").get("status") == "True")
        bench.ask("digits", source={"name": "digits", "version": "2"}, **asked)
        walk.until(lambda: walk.share("2") == 50)
        if restarted:
            walk.restart()
        walk.answering, walk.users.bad["2"] = answering, 0.5
        walk.shares.clear()
        looks, began, out = walk.looks, walk.now, list[tuple[int, float]]()

        def note() -> None:
            if walk.share("2") == 0:
                out.append((walk.looks - looks, walk.now - began))

        walk.until(lambda: walk.share("2") == 0, note)
        ended = bench.status("digits")["rollout"]["history"][0]
        return walk.shares, *out[0], (ended["outcome"], ended["reason"])

    calm, hanging = out(answering=True), out(answering=False)

    assert hanging == calm
    assert calm[0][-1] == 0
    assert calm[3] == ("Aborted", "ErrorsGateFailed")
