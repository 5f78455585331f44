"""`spec.optimize` on a real API server: a second Job, the wish that follows it, and no Job that nobody waits for."""

from collections.abc import Iterator

import pytest

from modelyard.api.optimization import Progress
from modelyard.core.names import build_digest
from modelyard.core.snapshot import Ref
from tests.support.operator.bench import Bench, eventually
from tests.support.operator.crashing_operator import settle

DIGITS = {"source": {"name": "digits", "version": "1"}}
GOOD = Progress(done=4, planned=9, best=3.1, best_name="openvino-int8", spent_seconds=60, at="2026-01-01T00:00:00Z")
TOO_SMALL = {"reason": "BudgetTooSmall", "message": "30s are over before anything was tried: raise the budget."}


@pytest.fixture
def trying(lively: Bench) -> Iterator[Bench]:
    """An operator at work on a Model whose plain artifact serves, and whose optimization does not end."""
    lively.players.tries = GOOD
    lively.ask("digits", **DIGITS, optimize={})
    with lively.operating():
        lively.until("digits", "Reconciling", "True", "Optimizing")
        yield lively


def jobs(bench: Bench) -> list[str]:
    return [one["metadata"]["name"] for one in bench.players.items("Job", bench.settings.operator.namespace)]


def served(bench: Bench) -> list[str]:
    """Builds of the revisions there are."""
    return [one["digest"] for one in bench.status("digits").get("revisions", [])]


def plain(bench: Bench) -> str:
    return build_digest(bench.push("digits", "1"), "digits", {})


def test_the_plain_artifact_serves_until_the_optimized_one_takes_over(trying: Bench) -> None:
    assert served(trying) == [plain(trying)]
    assert trying.condition("digits", "Serving")["status"] == "True"
    eventually(lambda: trying.status("digits")["optimization"].get("summary") == "4/9", "how far it is")
    said = trying.condition("digits", "Built")["message"]
    assert "tries variants: 4 of 9, best so far 3.1x (openvino-int8)" in said

    trying.players.tries = None
    trying.until("digits", "Reconciling", "False", "Done")

    assert trying.status("digits")["optimization"]["summary"] == "openvino-int8 3.1x"
    assert "optimized as openvino-int8: 3.1x faster" in trying.condition("digits", "Built")["message"]
    eventually(lambda: len(served(trying)) == 1, "one revision is left")
    assert served(trying) == [trying.status("digits")["optimization"]["digest"]]
    eventually(lambda: jobs(trying) == [], "no Job is left")


def test_what_has_been_optimized_is_not_optimized_again(trying: Bench) -> None:
    trying.players.tries = None
    trying.until("digits", "Reconciling", "False", "Done")
    optimized = eventually(lambda: found if len(found := served(trying)) == 1 else None, "one revision is left")
    trying.delete("Model", "digits")
    eventually(lambda: not trying.names("InferenceService"), "the revisions are gone")
    trying.players.failures["1 optimized"] = TOO_SMALL

    trying.ask("digits", **DIGITS, optimize={})
    trying.until("digits", "Reconciling", "False", "Done")

    assert served(trying) == optimized


def test_the_job_of_a_model_that_is_deleted_is_ended(trying: Bench) -> None:
    assert [name.partition("-")[0] for name in jobs(trying)] == ["optimize"]

    trying.delete("Model", "digits")

    eventually(lambda: jobs(trying) == [], "no Job is left")


def test_the_job_of_a_model_that_was_deleted_meanwhile_is_ended_by_the_next_operator(lively: Bench) -> None:
    lively.players.tries = GOOD
    lively.ask("digits", **DIGITS, optimize={})
    with lively.operating():
        lively.until("digits", "Reconciling", "True", "Optimizing")
    lively.delete("Model", "digits")
    assert len(jobs(lively)) == 1

    with lively.operating("two"):
        eventually(lambda: jobs(lively) == [], "no Job is left")


def test_the_job_ends_when_the_spec_asks_for_no_optimization_any_more(trying: Bench) -> None:
    trying.ask("digits", **DIGITS)

    trying.until("digits", "Reconciling", "False", "Done")

    eventually(lambda: jobs(trying) == [], "no Job is left")
    assert "optimization" not in trying.status("digits")
    assert served(trying) == [plain(trying)]


def test_the_job_two_models_wait_for_is_made_again_when_one_of_them_is_gone(trying: Bench) -> None:
    twin = f"{trying.namespace}-twin"
    trying.api.namespace(twin)
    there, trying.namespace = trying.namespace, twin
    trying.ask("digits", **DIGITS, optimize={})
    trying.until("digits", "Reconciling", "True", "Optimizing")
    [name] = jobs(trying)
    ref = Ref("Job", trying.settings.operator.namespace, name)
    before = trying.cluster.get(ref)
    assert before is not None
    assert before["metadata"]["labels"]["modelyard.dev/namespace"] == there

    trying.namespace = there
    trying.delete("Model", "digits")

    def taken_over() -> bool:
        found = trying.cluster.get(ref)
        return found is not None and found["metadata"]["labels"]["modelyard.dev/namespace"] == twin

    eventually(taken_over, "the Job is the twin's")
    trying.namespace = twin
    trying.delete("Model", "digits")
    eventually(lambda: jobs(trying) == [], "no Job is left")


def test_a_failed_optimization_leaves_the_plain_artifact_serving(lively: Bench) -> None:
    lively.players.failures["1 optimized"] = TOO_SMALL
    lively.ask("digits", **DIGITS, optimize={"budget": "30s"})
    with lively.operating():
        said = lively.until("digits", "Stalled", "True", "BudgetTooSmall")
        assert lively.condition("digits", "Serving")["status"] == "True"

    assert served(lively) == [plain(lively)]
    assert said["message"].startswith(TOO_SMALL["message"].rstrip("."))
    assert lively.status("digits")["optimization"]["failure"] == TOO_SMALL["message"]


def test_with_wait_nothing_serves_before_it_is_optimized(lively: Bench) -> None:
    lively.players.tries = GOOD
    lively.ask("digits", **DIGITS, optimize={"wait": True})
    with lively.operating():
        lively.until("digits", "Built", "False", "Optimizing")
        assert lively.names("InferenceService") == []
        lively.players.tries = None
        lively.until("digits", "Reconciling", "False", "Done")

    assert served(lively) == [lively.status("digits")["optimization"]["digest"]]


@pytest.mark.parametrize("writes", [1, 3])
def test_an_operator_that_is_stopped_after_every_write_ends_where_it_should(bench: Bench, writes: int) -> None:
    bench.push("digits", "1")
    bench.ask("digits", **DIGITS, optimize={})

    def over() -> bool:
        return bench.condition("digits", "Reconciling").get("reason") == "Done" and len(served(bench)) == 1

    stops = settle(bench, "digits", over, writes)

    assert stops > 2
    assert served(bench) == [bench.status("digits")["optimization"]["digest"]]
    assert jobs(bench) == []
