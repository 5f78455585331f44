"""Which revisions are evaluated."""

from typing import Any

from modelyard.evaluator.recorded_models import RecordedModels
from modelyard.records.feedback.compared import LabelledTrial


def model(name: str = "loans", monitoring: Any = None, revisions: int = 1, **metadata: Any) -> dict[str, Any]:
    status = [
        {"name": f"{name}-{at}", "version": "1", "digest": f"sha256:{at}", "slot": slot, "stage": "Serving",
         "runtime": "r"}
        for at, slot in zip(range(revisions), "ab", strict=False)
    ]  # fmt: skip
    spec = {"source": {"name": name, "version": "1"}, **({"monitoring": monitoring} if monitoring else {})}
    return {"apiVersion": "modelyard.dev/v1alpha1", "kind": "Model", "spec": spec,
            "metadata": {"namespace": "demo", "name": name, "uid": name, **metadata},
            "status": {"revisions": status}}  # fmt: skip


def names(models: RecordedModels) -> list[str]:
    return [one.name for one in models.revisions()]


def test_every_revision_of_a_recorded_model_is() -> None:
    models = RecordedModels()
    models.listing()
    for one in (model("b", {"sample": "auto"}, 2), model("a", {"sample": "5%"}), model("c"), model("d", {"drift": {}})):
        models.take_in(None, one)
    models.listed({"a", "b", "c", "d"})
    assert names(models) == ["a-0", "b-0", "b-1"]
    models.take_in("MODIFIED", model("b", {"sample": "auto", "drift": {"falseAlarms": "2/y"}}))
    assert names(models) == ["a-0", "b-0"]
    assert models.revisions()[1].monitoring.drift.false_alarms == "2/y"


def tried(phase: str = "Advancing", **spec: Any) -> list[tuple[str, Any]]:
    """What is said to be tried of a Model whose second revision is a candidate, or was one."""
    labels = {"sample": "auto", "log": {"columns": ["*"]}, "feedback": {}}
    thing = model("a", labels, 2)
    thing["spec"]["rollout"] = {"strategy": "Canary", **spec}
    candidate = "a-1" if phase != "Idle" else ""
    rollout = {"phase": phase, "stable": "a-0", "candidate": candidate, "startTime": "2026-11-29T10:00:00Z"}
    thing["status"]["rollout"] = rollout
    models = RecordedModels()
    models.take_in(None, thing)
    return [(one.name, one.trial) for one in models.revisions()]


def test_a_candidate_is_compared_by_labels_while_its_rollout_asks_for_that() -> None:
    trial = LabelledTrial("a-0", "a-1", "2026-11-29T10:00:00Z")
    assert tried(feedback={}) == [("a-0", None), ("a-1", trial)]
    assert tried() == tried("Idle", feedback={}) == [("a-0", None), ("a-1", None)]


def test_a_model_that_is_gone_is_not() -> None:
    models = RecordedModels()
    for name in ("a", "b"):
        models.take_in(None, model(name, {"sample": "auto"}))
    models.take_in("DELETED", model("a", {"sample": "auto"}))
    assert names(models) == ["b-0"]
    models.listed(())
    assert names(models) == []


def test_a_model_of_a_later_version_is_not() -> None:
    models = RecordedModels()
    models.take_in(None, model("a", {"sample": "auto", "poison": True}))
    assert names(models) == []
