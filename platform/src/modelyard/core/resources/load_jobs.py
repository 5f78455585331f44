"""The Job of a load test that a person asks for: the same suite in the same image as a rollout's own, told a scenario.

The scenario and the files beside it travel in the Job itself, so that nothing else has to be made and nothing is left.
It bears no label of a Model or a check: no rollout takes its word for a gate's, and nobody tidies it up but Kubernetes,
an hour after its end. Workers are processes of one pod; what they record adds up in it.
"""

import json
import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from modelyard.api.quantity import amount, canonical
from modelyard.core.names import MANAGED_BY, sha256_hex
from modelyard.errors import InvalidSettings
from modelyard.settings import Settings

from . import with_spec_hash
from .check_jobs import CONTAINER, FILES, KEEP_SECONDS, MARGIN_SECONDS, gateway_variables
from .jobs import job_container, job_pod

REPORT_LINE = "REPORT "
"""What the last line of the log begins with: the whole report as JSON follows."""
MOST_BYTES = 96 * 1024
"""Of the files as they stand in the variable: Linux takes 128 KiB in one."""
MOST_WORKERS = 16


class LoadTestRequest(NamedTuple):
    """Whom to ask, with the scenario of this name among the files, for how many seconds, from how many processes."""

    model: str
    namespace: str
    scenario: str
    files: Mapping[str, str]
    seconds: float
    workers: int


def scenario_job(request: LoadTestRequest, stamp: str, settings: Settings) -> dict[str, Any]:
    """The Job; `stamp` makes its name its own. Raises InvalidSettings for files that do not fit into it."""
    written = json.dumps(dict(request.files), sort_keys=True)
    if len(written) > MOST_BYTES:
        raise InvalidSettings(
            f"the scenario and its files take {len(written) // 1024} KiB, and a Job holds {MOST_BYTES // 1024}: leave "
            "some recorded requests out, or take them from a build in the store (build: sha256:...)."
        )
    command = [
        "python", "-m", "loadtests", request.scenario, "--host", settings.gateway.url, "--report", "/tmp/loadtest",
        "--", "--model", request.model, "--namespace", request.namespace,
        *(["--processes", str(request.workers)] if request.workers > 1 else []),
    ]  # fmt: skip
    more = [{"name": FILES, "value": written}, {"name": "PYTHONPATH", "value": "/opt"}]
    work = job_container(CONTAINER, command, settings, gateway_variables(settings) + more)
    work["resources"] = {
        "requests": {
            "cpu": canonical(f"{math.ceil(1000 * amount(settings.check.cpu) * request.workers)}m"),
            "memory": settings.check.memory,
        },
        "limits": {"memory": settings.check.memory_limit},
    }
    labels = {**MANAGED_BY, "app.kubernetes.io/name": "modelyard-loadtest"}
    body = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": f"loadtest-{sha256_hex([request.namespace, request.model, stamp])[:16]}",
            "namespace": settings.operator.namespace,
            "labels": labels,
        },
        "spec": {
            "backoffLimit": 0,
            "activeDeadlineSeconds": round(request.seconds + MARGIN_SECONDS),
            "ttlSecondsAfterFinished": KEEP_SECONDS,
            "template": {"metadata": {"labels": labels}, "spec": job_pod(work, settings)},
        },
    }
    return with_spec_hash(body)
