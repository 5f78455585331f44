"""A load test as a Job that a person waits for: made, watched to its end, its last words and its report read.

What the Job needs to know of the platform (image, gateway, store, resources) is in the operator's ConfigMap.
"""

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, NamedTuple

from modelyard.cli.platform_settings import platform_settings
from modelyard.clients.cluster.api_server import Cluster
from modelyard.core.resources.check_jobs import CONTAINER
from modelyard.core.resources.load_jobs import REPORT_LINE, LoadTestRequest, scenario_job
from modelyard.core.snapshot import Ref
from modelyard.errors import Unreachable

NO_VERDICT = 2
_EVERY_SECONDS = 1.0
_MARGIN_SECONDS = 60.0
_LOG_BYTES = 16 * 1024 * 1024


class LoadTestEnd(NamedTuple):
    """Exit code, the sentence, and the whole report as JSON; empty when its log could not be read."""

    code: int
    message: str
    report: str


def run(
    cluster: Cluster, request: LoadTestRequest, say: Callable[[str], None], every: float = _EVERY_SECONDS
) -> LoadTestEnd:
    """Runs it to its end; raises Unreachable when the Job does not end in its time."""
    settings = platform_settings(cluster)
    job = scenario_job(request, datetime.now(UTC).isoformat(), settings)
    namespace, name = job["metadata"]["namespace"], job["metadata"]["name"]
    cluster.create(job)
    say(f"job {namespace}/{name}: {request.workers} at work for {request.seconds:.0f} s")
    deadline = time.monotonic() + job["spec"]["activeDeadlineSeconds"] + _MARGIN_SECONDS
    refused = ""
    while time.monotonic() < deadline:
        found = cluster.get(Ref("Job", namespace, name))
        if found is None:
            raise Unreachable(f"the Job {namespace}/{name} was deleted before it had ended: begin again.")
        ends = {row["type"]: row for row in found.get("status", {}).get("conditions", ()) if row["status"] == "True"}
        if ends.keys() & {"Complete", "Failed"}:
            return _ended(cluster, namespace, name, refused or ends.get("Failed", {}).get("message", ""))
        now = _unscheduled(cluster, namespace, name)
        if now and now != refused:
            say(f"its pod waits for a node: {now}")
        refused = now
        time.sleep(every)
    raise Unreachable(
        f"the Job {namespace}/{name} has not ended in its time: kubectl -n {namespace} describe job {name} says why."
    )


def _unscheduled(cluster: Cluster, namespace: str, name: str) -> str:
    """Why no node takes the Job's pod, in the scheduler's words; empty when one does."""
    for pod in cluster.items("Pod", namespace, f"job-name={name}"):
        for row in pod.get("status", {}).get("conditions", ()):
            if row["type"] == "PodScheduled" and row["status"] == "False":
                return row.get("message", "") or row.get("reason", "")
    return ""


def _ended(cluster: Cluster, namespace: str, name: str, why: str) -> LoadTestEnd:
    for pod in cluster.items("Pod", namespace, f"job-name={name}"):
        statuses = pod.get("status", {}).get("containerStatuses", ())
        ended = next((row["state"]["terminated"] for row in statuses if "terminated" in row.get("state", {})), None)
        if ended is not None:
            log = cluster.logs(
                Ref("Pod", namespace, pod["metadata"]["name"]), CONTAINER, previous=False, limit=_LOG_BYTES
            )
            lines = [line.removeprefix(REPORT_LINE) for line in log.splitlines() if line.startswith(REPORT_LINE)]
            return LoadTestEnd(_code(ended["exitCode"]), _message(ended, why), lines[-1] if lines else "")
    return LoadTestEnd(NO_VERDICT, f"no verdict: the Job left no pod ({why or 'it was ended'}).", "")


def _code(exit_code: int) -> int:
    return exit_code if exit_code in (0, 1) else NO_VERDICT


def _message(ended: dict[str, Any], why: str) -> str:
    try:
        return str(json.loads(ended.get("message", ""))["message"])
    except (ValueError, KeyError, TypeError):
        return f"no verdict: the load test ended with exit code {ended['exitCode']} {why}".strip()
