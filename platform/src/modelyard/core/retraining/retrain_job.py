"""The Job that trains a new version, judges it against the one that serves, and pushes it.

It is an optimization's pod: the builder with the store's write credentials, and beside it the trainer, which runs the
entry's Python and has none. The builder's part is the command a person would run.

    exit code 0   an answer: it pushed a version, or what was trained is no better
              2   no answer, and a second try would find the same: rows, recipe or entry have to change
              else tried once more

A retraining that is tried again pushes nothing twice: a version says which retraining made it.
"""

from typing import Any

from modelyard.api.lifecycle.retraining_status import RetrainingRun
from modelyard.api.model import Model
from modelyard.core.names import MANAGED_BY, MODEL_LABEL, NAMESPACE_LABEL, RETRAIN_LABEL, retrain_job_name, sha256_hex
from modelyard.core.resources import with_spec_hash
from modelyard.core.resources.jobs import job_container, job_pod
from modelyard.core.resources.training import FOLDER, with_trainer_sidecar
from modelyard.settings import Settings

CONTAINER = "retrain"
_KEEP_SECONDS = 3600
_USER_ERROR = 2
_STOP_AT_ONCE = {
    "action": "FailJob",
    "onExitCodes": {"containerName": CONTAINER, "operator": "In", "values": [_USER_ERROR]},
}
_GO_ON = {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]}


def retrain_job(model: Model, run: RetrainingRun, settings: Settings, longest: float | None) -> dict[str, Any]:
    """The Job of a run of a Model whose spec.retrain names a recipe; `longest` is what the budget leaves, in seconds.

    Raises ValueError when the spec names none.
    """
    retrain, monitoring = model.spec.retrain, model.spec.monitoring
    log, feedback = (monitoring.log, monitoring.feedback) if monitoring is not None else (None, None)
    if retrain is None or retrain.recipe is None or log is None or feedback is None:
        raise ValueError(f"{model.name} has no recipe that a Job could run on labelled rows")
    build = settings.build
    command = [
        "modelyard", "retrain", model.name, "--namespace", model.namespace,
        "--entry", f"{model.spec.source.name}:{run.version}", "--recipe", retrain.recipe, "--run", run.id,
        "--reason", ",".join(run.causes), "--days", str(log.retention_days), "--trust-code", "--publish",
    ]  # fmt: skip
    if run.since:
        command += ["--since", run.since]
    if feedback.output is not None:
        command += ["--output-name", feedback.output]
    for column in feedback.slices or ():
        command += ["--slice", column]
    work = job_container(CONTAINER, command, settings, [{"name": "MODELYARD_TRAINER", "value": FOLDER}])
    work["resources"] = {
        "requests": {"cpu": build.optimize_cpu, "memory": build.optimize_memory},
        "limits": {"memory": build.optimize_memory_limit},
    }
    deadline = build.timeout_seconds + build.train_timeout_seconds
    frame = {RETRAIN_LABEL: sha256_hex(run.id)[:16], **MANAGED_BY, "app.kubernetes.io/name": "modelyard-retraining"}
    body = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": retrain_job_name(model.namespace, model.name, run.id),
            "namespace": settings.operator.namespace,
            "labels": {**frame, MODEL_LABEL: model.name, NAMESPACE_LABEL: model.namespace},
        },
        "spec": {
            "backoffLimit": 1,
            "activeDeadlineSeconds": round(deadline if longest is None else min(deadline, longest)),
            "ttlSecondsAfterFinished": _KEEP_SECONDS,
            "podFailurePolicy": {"rules": [_STOP_AT_ONCE, _GO_ON]},
            "template": {"metadata": {"labels": frame}, "spec": with_trainer_sidecar(job_pod(work, settings), build)},
        },
    }
    return with_spec_hash(body)
