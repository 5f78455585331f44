"""Retraining on a real API server, with the operator's own rights: one Job, its answer, its version's rollout."""

import json
from typing import Any

from modelyard.api.monitoring.performance import PerformanceStatus, PerformanceVerdict
from modelyard.api.monitoring.status import MonitoringStatus
from modelyard.core.conditions import timestamp
from modelyard.core.names import RETRAIN_LABEL
from modelyard.core.snapshot import Ref
from modelyard.core.storage.monitoring_keys import status_key
from modelyard.retraining_settings import RetrainingSettings
from modelyard.settings import RecorderSettings
from tests.support.monitoring.retraining_worlds import RECIPE, TRAINER, WATCHED
from tests.support.operator.bench import Bench, eventually

NOW = "2026-01-01T00:00:00Z"


def platform(bench: Bench, enabled: bool = True) -> None:
    """Rows are recorded, training is allowed, and retraining is switched on or off."""
    groups = {"recorder": RecorderSettings(installed=True), "build": TRAINER}
    bench.settings = bench.settings.model_copy(update=groups | {"retraining": RetrainingSettings(enabled=enabled)})


def jobs(bench: Bench) -> list[dict[str, Any]]:
    return bench.cluster.items("Job", bench.settings.operator.namespace, RETRAIN_LABEL)


def retraining(bench: Bench) -> dict[str, Any]:
    return bench.status("digits").get("retraining", {})


def decayed(bench: Bench) -> None:
    """The evaluator has written that labels call the answers of what serves wrong."""
    revision = bench.status("digits")["revision"]
    performance = PerformanceStatus(verdict=PerformanceVerdict.DECAYED, labels=2000, decayed=1)
    told = MonitoringStatus(revision=revision, time=timestamp(1_800_000_000.0), performance=performance)
    key = status_key(bench.namespace, "digits", revision)
    bench.store.put(key, told.model_dump_json(by_alias=True, exclude_none=True).encode())


def ended(bench: Bench, job: dict[str, Any], words: dict[str, Any]) -> None:
    """The Job's pod leaves these words, and the Job is complete."""
    metadata, where = job["metadata"], bench.settings.operator.namespace
    owner = {"apiVersion": "batch/v1", "kind": "Job", "name": metadata["name"], "uid": metadata["uid"]}
    frame = {"name": metadata["name"], "namespace": where, "labels": {"batch.kubernetes.io/job-name": metadata["name"]}}
    pod = {
        "apiVersion": "v1", "kind": "Pod", "metadata": {**frame, "ownerReferences": [owner]},
        "spec": {"containers": [{"name": "retrain", "image": "builder"}]},
    }  # fmt: skip
    made = bench.cluster.apply(pod)
    done = {"exitCode": 0, "message": json.dumps(words), "reason": "Completed", "startedAt": NOW, "finishedAt": NOW}
    status = {"name": "retrain", "image": "b", "imageID": "b", "ready": False, "restartCount": 0}
    said = {"phase": "Succeeded", "containerStatuses": [{**status, "state": {"terminated": done}}]}
    bench.cluster.apply_status(Ref("Pod", where, metadata["name"]), made["metadata"]["uid"], said)
    conditions = [
        {"type": kind, "status": "True", "lastTransitionTime": timestamp(1_800_000_000.0), "reason": "Played"}
        for kind in ("SuccessCriteriaMet", "Complete")
    ]
    over = {"startTime": NOW, "completionTime": NOW, "succeeded": 1, "conditions": conditions}
    bench.cluster.apply_status(Ref("Job", where, metadata["name"]), metadata["uid"], over)


def test_a_decay_is_answered_by_one_job_whose_version_is_rolled_out(lively: Bench) -> None:
    platform(lively)
    lively.alias("digits", "challenger", "1")
    lively.ask("digits", source={"name": "digits", "alias": "challenger"}, monitoring=WATCHED, retrain=RECIPE)
    with lively.operating():
        lively.until("digits", "Reconciling", "False", "Done", seconds=120)
        assert retraining(lively)["state"] in ("Idle", "Waiting")
    decayed(lively)

    with lively.operating():  # another operator, which reads what the evaluator wrote at once
        [job] = eventually(lambda: jobs(lively), "a Job trains", 90)
        eventually(lambda: retraining(lively).get("state") == "Running", "the status says so")
    with lively.operating("two"):
        lively.until("digits", "Ready", "True")
        assert [one["metadata"]["name"] for one in jobs(lively)] == [job["metadata"]["name"]], "never two"

        lively.alias("digits", "challenger", "2")
        ended(lively, job, {"passed": True, "message": "Pushed digits:2.", "report": {"version": "2"}})
        last = eventually(lambda: retraining(lively).get("last"), "its answer is read")
        assert (last["outcome"], last["made"], last["causes"]) == ("Pushed", "2", ["decay"])
        eventually(lambda: lively.status("digits").get("version") == "2", "the challenger serves", 120)
        assert "run" not in retraining(lively)

    container = job["spec"]["template"]["spec"]["containers"][0]
    assert container["command"][:3] == ["modelyard", "retrain", "digits"]
    assert lively.status("digits")["rollout"]["history"][0]["version"] == "2"


def test_the_one_switch_ends_the_job_that_runs(lively: Bench) -> None:
    platform(lively)
    lively.ask("digits", source={"name": "digits", "version": "1"}, monitoring=WATCHED, retrain=RECIPE)
    with lively.operating():
        lively.until("digits", "Reconciling", "False", "Done", seconds=120)
    decayed(lively)
    with lively.operating():
        eventually(lambda: jobs(lively), "a Job trains", 90)
    platform(lively, enabled=False)
    with lively.operating("two"):
        eventually(lambda: retraining(lively).get("reason") == "SwitchedOff", "it is off")
        eventually(lambda: all("deletionTimestamp" in job["metadata"] for job in jobs(lively)), "the Job is ended")
    assert retraining(lively)["last"]["outcome"] == "Stopped"
    assert lively.condition("digits", "Ready")["status"] == "True"
