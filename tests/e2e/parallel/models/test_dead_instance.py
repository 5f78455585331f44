"""The server that runs a model dies under load: its pod leaves the Service and starts again, and that is said."""

from typing import Any

from modelyard.core.names import REVISION_LABEL
from tests.support.cluster.kubectl import eventually, items, kubectl, run
from tests.support.cluster.models import Load, a_model, applied, condition, until
from tests.support.cluster.watch import Watch

TENSOR = "input:1,1,8,8"
KILL = "for p in /proc/[0-9]*; do grep -qs tritonserver $p/comm && kill -9 ${p#/proc/}; done; true"


def server(namespace: str) -> dict[str, Any]:
    """The status of the one pod's server."""
    [pod] = items("pods", namespace, REVISION_LABEL)
    return {**pod["status"]["containerStatuses"][0], "pod": pod["metadata"]["name"]}


def test_a_dead_instance_takes_its_pod_out_of_the_service_and_is_started_again(namespace: str) -> None:
    applied(a_model("digits", namespace))
    until("digits", namespace, "Ready", "True")
    with Watch("model", "digits", namespace) as model:
        load = Load("http", "digits", namespace, TENSOR, 5)
        load.begun()
        kubectl("exec", "-n", namespace, server(namespace)["pod"], "-c", "kserve-container", "--", "sh", "-c", KILL)
        model.until(lambda seen: condition(seen, "Serving").get("status") == "False", "the outage is said")
        eventually(lambda: (seen := server(namespace))["ready"] and seen["restartCount"] == 1, "it is back")
        model.until(lambda seen: condition(seen, "Ready").get("status") == "True", "users are served again")
        during = load.ended()
    after = Load("http", "digits", namespace, TENSOR, 20)
    run("sleep", "3")
    healed = after.ended()

    assert during["failures"] > 0
    assert server(namespace)["lastState"]["terminated"]["exitCode"] == 137
    assert (healed["failures"], healed["requests"] > 0) == (0, True)
    warnings = [event for event in items("events", namespace) if event["type"] == "Warning"]
    assert any(event["involvedObject"]["kind"] == "Model" for event in warnings)
