"""The Jobs that examine a candidate: a load test, and comparisons of its outputs with the stable's.

Each runs the command a person would run, in the builder's image, in the platform's namespace. All read requests
from the store, for which read-only credentials would do; they hold the build's write credentials because the whole
report goes to the store and the reader's may not write anywhere.

    exit code 0   the candidate passed
              1   it did not: a second try would find the same, so the Job ends at once
              2   no answer, for reasons that are not the candidate's: tried once more

No Job has an owner, because owners live in the same namespace: whoever ends the rollout deletes it, and Kubernetes
does an hour after its end. Its pods carry no label of the Model's, so nobody takes them for the Model's own.
"""

import base64
import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from modelyard.api.model import Model, Slo
from modelyard.api.quantity import fraction, seconds
from modelyard.api.rollout import STEADY, LoadTest, Replay, Shadow, Tolerance
from modelyard.api.rollout_status import GateName
from modelyard.api.status import RevisionStatus
from modelyard.core.names import CHECK_LABEL, MANAGED_BY, MODEL_LABEL, NAMESPACE_LABEL, REVISION_LABEL, check_job_name
from modelyard.settings import GateScenario, Settings

from . import with_spec_hash
from .jobs import job_container, job_pod

LOAD_TEST, SHADOW, REPLAY = GateName.LOAD_TEST.value, GateName.SHADOW.value, GateName.REPLAY.value
NOT_PASSED = 1
CONTAINER = "check"
ERROR_RATE = "1%"
"""Ratio of failed requests a load test allows when the Model has no slo.errorRate."""
LOCUSTFILE = "/opt/loadtests/locustfile.py"
FILES = "MODELYARD_LOADTEST_FILES"
"""Variable with the files of a load test: a JSON object from name to base64."""
MARGIN_SECONDS = 180
"""For what is not the check itself: the image, the program's start, the report."""
_SAMPLE_SECONDS = 0.5
_COMPARED_AT_MOST = 900.0
KEEP_SECONDS = 3600


def load_test(model: Model, candidate: RevisionStatus, rate: float, settings: Settings) -> dict[str, Any]:
    """The Job that puts load on the candidate through its pinned route.

    That is `rate` requests a second, or the scenario that the Model names; it has to be one of the settings'.
    """
    options = model.spec.rollout.load_test or LoadTest()
    if options.scenario != STEADY:
        return _scenario_test(model, candidate, options.scenario, settings)
    duration = options.duration_seconds()
    command = [
        "locust", "--locustfile", LOCUSTFILE, "--headless", "--only-summary",
        "--host", settings.gateway.url,
        "--model", model.name, "--namespace", model.namespace, "--revision", candidate.name,
        "--build", candidate.digest, "--rate", f"{rate:g}", "--duration", f"{duration:g}",
        *_objectives(model.spec.slo or Slo()), "--publish",
    ]  # fmt: skip
    return _job(model, candidate, LOAD_TEST, command, duration + MARGIN_SECONDS, settings)


def unknown_scenario(model: Model, settings: Settings) -> str:
    """Why the load test that a Model asks for cannot be made, in a sentence; empty when it can, or there is none."""
    options, known = model.spec.rollout.load_test, settings.check.scenarios
    if options is None or options.scenario == STEADY or options.scenario in known:
        return ""
    there = ", ".join([STEADY, *sorted(known)])
    return (
        f"rollout.loadTest.scenario {options.scenario} is no load that this platform knows ({there}): name one of "
        "them, or have it added to config.check.scenarios."
    )


def _scenario_test(model: Model, candidate: RevisionStatus, name: str, settings: Settings) -> dict[str, Any]:
    """The same Job by `python -m loadtests`, with the scenario in a variable, as `modelyard loadtest` makes it."""
    scenario, file = settings.check.scenarios[name], f"{name}.yaml"
    written = {"model": model.name, "namespace": model.namespace, **scenario.written()}
    command = [
        "python", "-m", "loadtests", file, "--host", settings.gateway.url, "--report", "/tmp/loadtest",
        "--", "--revision", candidate.name, *_asked_of(scenario, candidate),
        *_objectives(model.spec.slo or Slo()), "--publish",
    ]  # fmt: skip
    content = json.dumps({file: base64.b64encode(json.dumps(written).encode()).decode()})
    more = [{"name": FILES, "value": content}, {"name": "PYTHONPATH", "value": "/opt"}]
    return _job(model, candidate, LOAD_TEST, command, seconds(scenario.duration) + MARGIN_SECONDS, settings, more)


def _asked_of(scenario: GateScenario, candidate: RevisionStatus) -> list[str]:
    """The candidate's own requests, where the scenario brings none."""
    return [] if scenario.inputs else ["--build", candidate.digest]


def comparison(model: Model, stable: RevisionStatus, candidate: RevisionStatus, settings: Settings) -> dict[str, Any]:
    """The Job that sends the same requests to the stable and the candidate and compares their answers."""
    options = model.spec.rollout.shadow or Shadow()
    asked = ["--samples", str(options.samples), "--max-disagreement", f"{options.allowed_disagreement():g}"]
    pair = _Comparison(SHADOW, options.samples, asked, options.tolerance)
    return _comparison_job(model, stable, candidate, pair, settings)


def replay(model: Model, stable: RevisionStatus, candidate: RevisionStatus, settings: Settings) -> dict[str, Any]:
    """The Job that puts recorded requests to the stable and the candidate and compares their answers."""
    options = model.spec.rollout.replay or Replay()
    judged = options.allowed_disagreement()
    if judged is None:
        failures = fraction((model.spec.slo or Slo()).error_rate or ERROR_RATE)
        limits = ["--failures-only", "--max-disagreement", f"{failures:g}"]
    else:
        limits = ["--max-disagreement", f"{judged:g}"]
    pair = _Comparison(REPLAY, options.rows, ["--recorded", str(options.rows), *limits], options.tolerance)
    return _comparison_job(model, stable, candidate, pair, settings)


class _Comparison(NamedTuple):
    gate: str
    requests: int
    asked: list[str]
    tolerance: Tolerance


def _comparison_job(
    model: Model, stable: RevisionStatus, candidate: RevisionStatus, pair: _Comparison, settings: Settings
) -> dict[str, Any]:
    most = min(_COMPARED_AT_MOST, 60 + pair.requests * _SAMPLE_SECONDS)
    command = [
        "modelyard", "compare", model.name, "--namespace", model.namespace,
        "--stable", stable.name, "--candidate", candidate.name, "--build", candidate.digest, *pair.asked,
        "--absolute", f"{pair.tolerance.absolute:g}", "--relative", f"{pair.tolerance.relative:g}",
        "--seconds", f"{most:g}", "--publish",
    ]  # fmt: skip
    return _job(model, candidate, pair.gate, command, most + MARGIN_SECONDS, settings)


def _objectives(slo: Slo) -> list[str]:
    """What the Model promises its users, as flags."""
    flags = ["--error-rate", f"{fraction(slo.error_rate or ERROR_RATE):g}"]
    if slo.latency is not None:
        flags += ["--latency", f"{seconds(slo.latency.threshold):g}", "--percentile", f"{slo.latency.percentile:g}"]
    return flags


def _job(
    model: Model,
    candidate: RevisionStatus,
    gate: str,
    command: list[str],
    deadline: float,
    settings: Settings,
    variables: Sequence[dict[str, Any]] = (),
) -> dict[str, Any]:
    frame = {CHECK_LABEL: gate, **MANAGED_BY, "app.kubernetes.io/name": "modelyard-check"}
    owner = {MODEL_LABEL: model.name, NAMESPACE_LABEL: model.namespace, REVISION_LABEL: candidate.name}
    end_at_once = {
        "action": "FailJob",
        "onExitCodes": {"containerName": CONTAINER, "operator": "In", "values": [NOT_PASSED]},
    }
    options = settings.check
    work = job_container(CONTAINER, command, settings, [*gateway_variables(settings), *variables])
    work["resources"] = {
        "requests": {"cpu": options.cpu, "memory": options.memory},
        "limits": {"memory": options.memory_limit},
    }
    body = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": check_job_name(gate, model.namespace, model.name, candidate.name),
            "namespace": settings.operator.namespace,
            "labels": {**frame, **owner},
        },
        "spec": {
            "backoffLimit": 1,
            "activeDeadlineSeconds": round(deadline),
            "ttlSecondsAfterFinished": KEEP_SECONDS,
            "podFailurePolicy": {"rules": [end_at_once]},
            "template": {"metadata": {"labels": frame}, "spec": job_pod(work, settings)},
        },
    }
    return with_spec_hash(body)


def gateway_variables(settings: Settings) -> list[dict[str, Any]]:
    """Where the gateway is, as the settings of a program in such a Job."""
    return [
        {"name": "MODELYARD_GATEWAY_URL", "value": settings.gateway.url},
        {"name": "MODELYARD_GATEWAY_DOMAIN", "value": settings.gateway.domain},
    ]
