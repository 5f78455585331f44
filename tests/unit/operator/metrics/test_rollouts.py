"""What Prometheus learns of rollouts from the status of the cached Models."""

from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from modelyard.api.rollout_status import GateStatus, GateVerdict, Outcome, Phase, RolloutRecord, RolloutStatus
from modelyard.core.conditions import timestamp
from modelyard.core.snapshot import Ref
from modelyard.operator.cache.objects import ObjectCache
from modelyard.operator.metrics.controller import ControllerMetrics
from modelyard.operator.metrics.rollouts import RolloutMetrics

DIGITS = {"namespace": "demo", "model": "digits"}
BEGAN = 1_000_000.0


class Replica:
    """One replica that began at BEGAN: its cache, whether it leads, and what it is asked."""

    def __init__(self) -> None:
        self.cache, self.leads, self._version = ObjectCache(), True, 0
        self._registry = CollectorRegistry()
        self._registry.register(RolloutMetrics(self.cache, lambda: self.leads, lambda: BEGAN))

    def learns(self, rollout: RolloutStatus | None, name: str = "digits", uid: str = "m1") -> None:
        """A Model with that rollout in its status arrives."""
        self.cache.put(self._model(rollout, name, uid))

    def value(self, name: str, **labels: str) -> float | None:
        """A sample, or None."""
        return self._registry.get_sample_value(f"modelyard_rollout_{name}", labels)

    def series(self, name: str) -> set[tuple[str, ...]]:
        """Label values, behind namespace and model, of a family's series."""
        families = {family.name: family for family in self._registry.collect()}
        return {tuple(sample.labels.values())[2:] for sample in families[f"modelyard_rollout_{name}"].samples}

    def ended(self, outcome: str) -> tuple[float | None, float | None]:
        """Number and seconds of the rollouts that ended like that."""
        return self.value("duration_seconds_count", outcome=outcome), self.value(
            "duration_seconds_sum", outcome=outcome
        )

    def _model(self, rollout: RolloutStatus | None, name: str, uid: str) -> dict[str, Any]:
        self._version += 1
        metadata = {"namespace": "demo", "name": name, "uid": uid, "resourceVersion": str(self._version)}
        said = {} if rollout is None else {"rollout": rollout.model_dump(mode="json", by_alias=True, exclude_none=True)}
        return {"kind": "Model", "metadata": metadata, "status": said}


@pytest.fixture
def replica() -> Replica:
    return Replica()


def a_gate(name: str = "errors", **numbers: Any) -> GateStatus:
    return GateStatus(name=name, verdict=GateVerdict.CONTINUE, **numbers)


def a_record(number: int = 1, seconds: float = 90, ended: float = BEGAN + 100, **said: Any) -> RolloutRecord:
    return RolloutRecord(
        **{
            "revision": f"digits-{number}",
            "version": str(number),
            "strategy": "Canary",
            "outcome": Outcome.ABORTED,
            "reason": "ErrorsGateFailed",
            "message": "Too many errors.",
            "startTime": timestamp(ended - seconds),
            "endTime": timestamp(ended),
            **said,
        }
    )


def test_the_phase_is_told_with_its_reason_and_the_one_before_is_gone(replica: Replica) -> None:
    replica.learns(RolloutStatus(phase=Phase.ADVANCING, reason="Advancing"))
    replica.learns(RolloutStatus(phase=Phase.HOLDING, reason="NoTraffic"))

    assert replica.value("phase", phase="Holding", reason="NoTraffic", **DIGITS) == 1
    assert replica.series("phase") == {("Holding", "NoTraffic")}


def test_the_wanted_share_stands_beside_the_one_that_was_observed(replica: Replica) -> None:
    share = a_gate("sampleRatio", requests=30, stable_requests=70)
    replica.learns(RolloutStatus(phase=Phase.ADVANCING, weight=25, gates=[share]))

    assert replica.value("weight", kind="desired", **DIGITS) == 25
    assert replica.value("weight", kind="observed", **DIGITS) == 30


def test_a_share_nobody_has_counted_is_not_told(replica: Replica) -> None:
    replica.learns(RolloutStatus(phase=Phase.ADVANCING, weight=5, gates=[a_gate("sampleRatio"), a_gate(requests=9)]))

    assert replica.series("weight") == {("desired",)}


def test_candidates_requests_are_summed_over_all_weights(replica: Replica) -> None:
    gates = [a_gate("latency", requests=500), a_gate(requests=400, failed_requests=3)]
    replica.learns(RolloutStatus(phase=Phase.ADVANCING, requests=100, failed_requests=1, gates=gates))

    assert replica.value("requests_total", result="good", **DIGITS) == 496
    assert replica.value("requests_total", result="bad", **DIGITS) == 4


def test_evidence_is_told_beside_what_it_takes_by_gates_that_weigh_it(replica: Replica) -> None:
    errors = a_gate(evidence_against=2.5, fail_threshold=200, evidence_for=7, pass_threshold=20)
    replica.learns(RolloutStatus(phase=Phase.BAKING, gates=[errors, a_gate("health")]))

    assert replica.value("gate_e_value", gate="errors", evidence="against", **DIGITS) == 2.5
    assert replica.value("gate_threshold", gate="errors", evidence="against", **DIGITS) == 200
    assert replica.value("gate_e_value", gate="errors", evidence="for", **DIGITS) == 7
    assert replica.value("gate_threshold", gate="errors", evidence="for", **DIGITS) == 20
    assert {gate for gate, _ in replica.series("gate_e_value")} == {"errors"}


def test_without_a_rollout_only_the_phase_and_the_last_end_are_told(replica: Replica) -> None:
    old = a_record(1, ended=BEGAN - 500, outcome=Outcome.PROMOTED, reason="Promoted")
    replica.learns(RolloutStatus(phase=Phase.IDLE, reason="ErrorsGateFailed", history=[a_record(2), old]))

    last = {"outcome": "Aborted", "reason": "ErrorsGateFailed"}
    assert replica.value("ended_timestamp_seconds", **last, **DIGITS) == BEGAN + 100
    assert replica.series("ended_timestamp_seconds") == {("Aborted", "ErrorsGateFailed")}
    assert replica.series("phase") == {("Idle", "ErrorsGateFailed")}
    for family in ("weight", "requests", "gate_e_value"):
        assert replica.series(family) == set()


def test_series_go_with_the_model(replica: Replica) -> None:
    replica.learns(
        RolloutStatus(phase=Phase.ADVANCING, weight=5, gates=[a_gate(fail_threshold=200)], history=[a_record()])
    )
    replica.cache.remove(Ref("Model", "demo", "digits"), "m1")

    for family in ("phase", "weight", "requests", "gate_e_value", "gate_threshold", "ended_timestamp_seconds"):
        assert replica.series(family) == set()


def test_a_model_nobody_has_looked_at_yet_is_not_told(replica: Replica) -> None:
    replica.learns(None)

    assert replica.series("phase") == set()


def test_every_rollout_that_ends_is_counted_once_with_its_seconds(replica: Replica) -> None:
    replica.learns(RolloutStatus(history=[a_record(1, seconds=90)]))
    first = replica.ended("Aborted")
    promoted = a_record(2, seconds=600, outcome=Outcome.PROMOTED)
    replica.learns(RolloutStatus(history=[promoted, a_record(1, seconds=90)]))

    assert first == (1, 90)
    assert replica.ended("Aborted") == (1, 90)
    assert replica.ended("Promoted") == (1, 600)


def test_outcomes_that_never_happened_are_told_as_zero_so_that_the_first_one_is_an_increase(replica: Replica) -> None:
    assert [replica.ended(outcome.value) for outcome in Outcome] == [(0, 0)] * len(Outcome)


def test_what_ended_before_this_process_began_is_not_counted_again(replica: Replica) -> None:
    replica.learns(RolloutStatus(history=[a_record(ended=BEGAN - 1)]))

    assert replica.ended("Aborted") == (0, 0)


def test_what_another_replica_saw_as_leader_is_not_counted_when_this_one_takes_over(replica: Replica) -> None:
    replica.leads = False
    replica.learns(RolloutStatus(history=[a_record(1)]))
    followed = replica.ended("Aborted")
    replica.leads = True
    replica.learns(RolloutStatus(history=[a_record(2), a_record(1)]))

    assert followed == (0, 0)
    assert replica.ended("Aborted") == (1, 90)


def test_a_new_model_of_the_same_name_begins_anew(replica: Replica) -> None:
    replica.learns(RolloutStatus(history=[a_record()]))
    assert replica.ended("Aborted") == (1, 90)
    replica.cache.remove(Ref("Model", "demo", "digits"), "m1")
    replica.learns(RolloutStatus(history=[a_record()]), uid="m2")

    assert replica.ended("Aborted") == (2, 180)


def test_a_time_that_somebody_wrote_by_hand_breaks_nothing(replica: Replica) -> None:
    odd = a_record().model_copy(update={"start_time": "yesterday", "end_time": "today"})
    replica.learns(RolloutStatus(history=[odd]))

    assert replica.ended("Aborted") == (0, 0)
    last = {"outcome": "Aborted", "reason": "ErrorsGateFailed"}
    assert replica.value("ended_timestamp_seconds", **last, **DIGITS) == 0


def test_the_operator_tells_of_rollouts_with_all_else(replica: Replica) -> None:
    replica.learns(RolloutStatus(phase=Phase.BAKING, reason="Baking"))
    metrics = ControllerMetrics(replica.cache, lambda: 0, lambda: True)

    assert metrics.value("modelyard_rollout_phase", phase="Baking", reason="Baking", **DIGITS) == 1
    assert b'modelyard_rollout_duration_seconds_count{outcome="Promoted"} 0.0' in metrics.text()
