"""The path of a Model through the operator, on a real API server, with the operator's own rights and no more."""

import urllib.error
import urllib.request
from collections.abc import Callable

import pytest

from modelyard.api.rollout_status import Phase
from modelyard.core.plan import Plan, Scale
from modelyard.core.snapshot import Ref
from modelyard.operator.cache.objects import Key
from modelyard.operator.reconciler.reconcile import SURE_SECONDS, TOGETHER_SECONDS
from tests.support.operator.bench import Bench, eventually
from tests.support.operator.crashing_operator import Hands

DIGITS = {"source": {"name": "digits", "version": "1"}}
NOW = 1_800_000_000.0
OBJECTS = ("Job", "Secret", "ServiceAccount", "InferenceService", "HTTPRoute", "HTTPRoute", "GRPCRoute")
QUICK = {"source": {"name": "digits", "version": "1"}, "rollout": {"strategy": "Immediate"}}
COMPARED = {"phase": Phase.SPLITTING, "stable": "digits-1", "candidate": "digits-2"}


def test_a_model_becomes_children_and_is_ready_once_it_answered(lively: Bench) -> None:
    lively.ask("digits", **DIGITS)
    with lively.operating():
        lively.until("digits", "Reconciling", "False", "Done")

    (revision,) = lively.names("InferenceService")
    assert lively.names("Secret") == ["digits--store"]
    assert lively.names("ServiceAccount") == ["digits--serving"]
    assert lively.names("HTTPRoute") == ["digits", "digits--path"]
    assert lively.names("GRPCRoute") == ["digits"]
    assert lively.status("digits")["revision"] == revision
    model = lively.get("Model", "digits")
    assert model is not None
    for kind, name in (("Secret", "digits--store"), ("InferenceService", revision), ("HTTPRoute", "digits")):
        child = lively.get(kind, name)
        assert child is not None
        assert child["metadata"]["labels"]["modelyard.dev/model"] == "digits"
        assert [owner["uid"] for owner in child["metadata"]["ownerReferences"]] == [model["metadata"]["uid"]]
    assert "finalizers" not in model["metadata"]
    assert not [name for name in model["metadata"].get("annotations", {}) if "kopf" in name]


def test_a_new_version_takes_over_and_the_old_revision_goes(lively: Bench) -> None:
    lively.ask("digits", **DIGITS)
    with lively.operating():
        lively.until("digits", "Reconciling", "False", "Done")
        first = lively.names("InferenceService")
        lively.ask("digits", source={"name": "digits", "version": "2"})
        lively.until("digits", "Reconciling", "False", "Done")
        second = eventually(
            lambda: found if len(found := lively.names("InferenceService")) == 1 else None, "one revision is left"
        )

    assert second != first
    assert lively.status("digits")["version"] == "2"


def test_a_revision_that_does_not_answer_takes_nothing_over(lively: Bench) -> None:
    lively.ask("digits", **DIGITS)
    with lively.operating():
        lively.until("digits", "Reconciling", "False", "Done")
        before = lively.status("digits")["revision"]
        lively.socket.silent = True
        lively.ask("digits", source={"name": "digits", "version": "2"})
        said = lively.until("digits", "Reconciling", "True", "WarmupFailed")
        assert lively.condition("digits", "Serving")["status"] == "True"
        assert lively.status("digits")["revision"] == before
        lively.socket.silent = False
        lively.until("digits", "Reconciling", "False", "Done")

    assert "503" in said["message"]
    assert lively.status("digits")["version"] == "2"


def test_an_alias_is_followed_when_it_moves(lively: Bench) -> None:
    lively.alias("digits", "champion", "1")
    lively.ask("digits", source={"name": "digits", "alias": "champion"})
    with lively.operating():
        lively.until("digits", "Reconciling", "False", "Done")
        assert lively.status("digits")["version"] == "1"
        lively.alias("digits", "champion", "2")
        eventually(lambda: lively.status("digits").get("version") == "2", "version 2 serves")


def test_a_failed_build_ends_in_the_builders_own_sentence(lively: Bench) -> None:
    words = {"reason": "UnsupportedModel", "message": "Operator NoSuchOp is unknown; export with opset 17."}
    lively.players.failures["2"] = words
    lively.ask("digits", source={"name": "digits", "version": "2"})
    with lively.operating() as operator:
        said = lively.until("digits", "Built", "False", "UnsupportedModel")
        lively.until("digits", "Stalled", "True")
        counted = operator.metrics.value("modelyard_build_seconds_count", outcome="failed")

    assert said["message"] == words["message"]
    assert lively.names("InferenceService") == []
    assert counted == 1


def test_an_unknown_entry_is_said_and_nothing_is_made(lively: Bench) -> None:
    lively.ask("digits", source={"name": "digitz", "version": "1"})
    with lively.operating():
        said = lively.until("digits", "EntryResolved", "False", "UnknownEntry")

    assert "did you mean digits?" in said["message"]
    assert lively.names("Secret") == []
    assert lively.cluster.items("Job", lively.settings.operator.namespace) == []


def test_every_fact_on_the_way_is_an_event_once(lively: Bench) -> None:
    lively.ask("digits", **DIGITS)
    with lively.operating():
        lively.until("digits", "Reconciling", "False", "Done")
    with lively.operating("two") as operator:
        eventually(lambda: operator.watches.complete, "the cache is complete")
        operator.queue.add(Key(lively.namespace, "digits"))
        looked = {"outcome": "settled"}
        eventually(lambda: operator.metrics.value("modelyard_reconcile_seconds_count", **looked) > 0, "a look")

    events = lively.cluster.items("Event", lively.namespace)
    about = [one for one in events if one["involvedObject"]["name"] == "digits"]
    assert sorted(one["reason"] for one in about) == ["Building", "Serving", "Starting"]
    assert {one["count"] for one in about} == {1}
    secret = lively.settings.store.secret_access_key.get_secret_value()
    assert secret not in str(about)
    assert secret not in str(lively.status("digits"))


def test_probes_and_metrics_are_served(lively: Bench) -> None:
    lively.ask("digits", **DIGITS)
    with lively.operating() as operator:
        lively.until("digits", "Reconciling", "False", "Done")
        base = f"http://127.0.0.1:{operator.endpoints.port}"
        answers = {path: _get(base + path) for path in ("/healthz", "/readyz", "/metrics", "/nothing")}

    assert answers["/healthz"] == (200, "ok\n")
    assert answers["/readyz"] == (200, "leading\n")
    assert answers["/nothing"][0] == 404
    code, text = answers["/metrics"]
    assert code == 200
    lines = text.splitlines()
    assert "modelyard_leader 1.0" in lines
    assert 'modelyard_models{condition="Ready",status="True"} 1.0' in lines
    assert 'modelyard_build_seconds_count{outcome="succeeded"} 1.0' in lines
    assert any(line.startswith("modelyard_queue_depth ") for line in lines)


def _get(url: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.read().decode()


def test_a_new_model_takes_fourteen_writes_and_a_restart_none(a_calm_bench: Callable[[], Bench]) -> None:
    bench = a_calm_bench()
    bench.ask("digits", **QUICK)
    hands = Hands(bench, now=lambda: NOW)
    for _ in range(10):
        hands.look("digits")
        bench.players.step()
    assert bench.condition("digits", "Reconciling")["reason"] == "Done"

    def wrote(verb: str, kind: str, by: Hands = hands) -> float:
        return by.metrics.value("modelyard_writes_total", verb=verb, kind=kind)

    assert (wrote("status", "Model"), wrote("create", "Event"), wrote("delete", "Job")) == (3, 3, 1)
    assert sum(wrote("apply", kind) for kind in set(OBJECTS)) == len(OBJECTS)

    anew = Hands(bench, writes=0)
    assert anew.look("digits").word == "settled"


@pytest.mark.parametrize(
    ("rollout", "again"), [({}, SURE_SECONDS), (COMPARED | {"stable": ""}, SURE_SECONDS), (COMPARED, 0.0)]
)
def test_after_a_change_only_a_comparison_goes_on_at_once(
    a_calm_bench: Callable[[], Bench], rollout: dict[str, str], again: float
) -> None:
    bench = a_calm_bench()
    bench.ask("digits", **QUICK)
    ref, model = Ref("Model", bench.namespace, "digits"), bench.get("Model", "digits")
    assert model is not None
    bench.cluster.apply_status(ref, model["metadata"]["uid"], {"rollout": rollout} if rollout else {})
    plan = Plan(scale=(Scale(Ref("Deployment", bench.namespace, "none"), 1),))

    assert Hands(bench, decides=lambda snapshot, settings: plan).look("digits").again == again


def test_a_name_that_was_asked_about_is_decided_on_soon(a_calm_bench: Callable[[], Bench]) -> None:
    bench = a_calm_bench()
    bench.ask("digits", **QUICK)
    plan = Plan(rechecks=(Ref("Secret", bench.namespace, "none"),))

    assert Hands(bench, decides=lambda snapshot, settings: plan).look("digits").again == TOGETHER_SECONDS
