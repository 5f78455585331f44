"""All revisions, one after the other: none of them keeps the others from their turn."""

import time
from typing import Any

import pytest

from modelyard.core.storage.keys import build_profile
from modelyard.core.storage.monitoring_keys import detector_key
from modelyard.evaluator import process
from modelyard.evaluator.process import Evaluator
from modelyard.evaluator.recorded_models import RecordedRevision
from tests.unit.evaluator.conftest import DIGEST, NOON, RecordedWorld, a_revision


class Running:
    """An evaluator whose clock and Models a test sets."""

    def __init__(self, world: RecordedWorld, *revisions: RecordedRevision) -> None:
        self.revisions, self.minute, self.trouble = list(revisions), NOON, ""
        self.evaluator = Evaluator(world, lambda: self.revisions, lambda: self.trouble, lambda: self.minute * 60.0)

    def look(self, minutes: int = 1) -> None:
        for _ in range(minutes):
            self.evaluator.look()
            self.minute += 1

    def metric(self, name: str) -> list[str]:
        lines = self.evaluator.metrics.text().decode().splitlines()
        return [line.removeprefix("modelyard_") for line in lines if line.startswith(f"modelyard_{name}")]


def test_all_are_looked_at_and_their_features_told_to_prometheus(world: RecordedWorld) -> None:
    running = Running(world, a_revision(), a_revision("loans-2"))
    for at in range(30):
        world.broken(NOON + at)
        world.counts(NOON + at, revision="loans-2")
    running.look(32)
    assert running.metric("evaluator_revisions ") == ["evaluator_revisions 2.0"]
    of = 'feature="age",model="loans",namespace="demo",revision="loans-{}"'
    evidence = {line.split()[0]: float(line.split()[1]) for line in running.metric("data_evidence_ratio")}
    broken = 'data_evidence_ratio{feature="age",kind="broken",model="loans",namespace="demo",revision="loans-{}"}'
    assert evidence[broken.replace("{}", "1")] >= 1.0 > evidence[broken.replace("{}", "2")]
    missing = "data_missing_ratio{" + of.format(1) + "}"
    assert running.metric("data_missing_ratio{" + of.format(1)) == [f"{missing} {20 / 120}"]
    at = running.metric("data_evaluated_timestamp_seconds")
    assert [float(line.split()[-1]) for line in at] == [(NOON + 29) * 60.0] * 2


def test_a_store_that_is_away_and_a_defect_are_counted_and_the_others_go_on(world: RecordedWorld) -> None:
    strange = a_revision("loans-0")._replace(monitoring="nonsense")  # pyright: ignore
    running = Running(world, strange, a_revision())
    world.counts(NOON)
    running.look(3)
    assert world.status() is not None
    assert running.metric("evaluator_failures_total") == ['evaluator_failures_total{reason="Defect"} 6.0']
    assert world.status("loans-0") is None, "nothing is claimed of it"
    world.away = True
    running.look()
    assert 'evaluator_failures_total{reason="Unreachable"} 2.0' in running.metric("evaluator_failures_total")


def test_what_is_new_begins_what_is_gone_ends_and_a_changed_spec_goes_on(world: RecordedWorld) -> None:
    running = Running(world, a_revision())
    for at in range(9):
        world.counts(NOON + at)
    running.look(9)
    running.revisions = [a_revision(drift={"falseAlarms": "12/y"}), a_revision("loans-2")]
    running.look()
    assert detector_key("demo", "loans", "loans-1") in world.objects, "kept before it is taken up anew"
    assert world.status("loans-2") is not None
    assert running.metric("data_evaluated_timestamp_seconds") != []
    running.revisions = []
    running.look()
    assert running.metric("data_evaluated_timestamp_seconds") == []


def test_files_that_were_left_out_are_counted(world: RecordedWorld) -> None:
    running = Running(world, a_revision())
    world.counts(NOON)
    running.look(3)
    world.counts(NOON - 1, "late")
    world.objects[detector_key("demo", "loans", "x")] = b""
    world.counts(NOON, "late")
    running.look()
    assert running.metric("evaluator_late_total") == ["evaluator_late_total 1.0"]
    assert running.metric("evaluator_damaged_total") == ["evaluator_damaged_total 0.0"]


def test_told_to_stop_it_keeps_every_record(world: RecordedWorld) -> None:
    running = Running(world, a_revision())
    world.counts(NOON)
    running.look(3)
    assert detector_key("demo", "loans", "loans-1") not in world.objects
    running.evaluator._thread.daemon = True
    running.evaluator._stop.set()
    running.evaluator.start()
    running.evaluator.finish(5.0)
    assert detector_key("demo", "loans", "loans-1") in world.objects
    running.look()
    world.objects.pop(build_profile(DIGEST))


def test_it_works_while_the_models_are_known(world: RecordedWorld, monkeypatch: Any) -> None:
    monkeypatch.setattr(process, "EVERY_SECONDS", 0.01)
    running = Running(world, a_revision())
    running.trouble = "not listed yet"
    running.evaluator.start()
    assert running.evaluator.ready() == (False, "not listed yet")
    deadline = time.monotonic() + 10
    running.trouble = ""
    while world.status() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    assert running.evaluator.ready() == (True, "ok")
    assert world.status() is not None
    running.evaluator.finish(5.0)
    assert not running.evaluator.alive


def test_one_that_is_stuck_says_so(world: RecordedWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    running = Running(world)
    assert running.evaluator.healthy() == (True, "ok")
    monkeypatch.setattr(process, "STUCK_SECONDS", -1.0)
    healthy, why = running.evaluator.healthy()
    assert (healthy, "no revision was evaluated" in why) == (False, True)
