"""`modelyard restart` gives a Model new pods under load, and nobody notices."""

from modelyard.core.names import REVISION_LABEL
from tests.support.cluster.kubectl import items, run
from tests.support.cluster.models import Load, a_model, applied, until

TENSOR = "input:1,1,8,8"


def pods(namespace: str) -> set[str]:
    """The Model's pods that are to stay, by uid."""
    found = items("pods", namespace, REVISION_LABEL)
    return {pod["metadata"]["uid"] for pod in found if "deletionTimestamp" not in pod["metadata"]}


def test_a_restart_under_load_loses_no_request(namespace: str) -> None:
    applied(a_model("digits", namespace))
    until("digits", namespace, "Reconciling", "False", "Done")
    before = pods(namespace)
    loads = [Load(protocol, "digits", namespace, TENSOR, 20) for protocol in ("http", "grpc")]

    run("modelyard", "restart", "digits", "-n", namespace)
    run("sleep", "8")
    counts = [load.ended() for load in loads]

    assert [(count["failures"], count["errors"]) for count in counts] == [(0, []), (0, [])]
    assert all(count["requests"] > 100 for count in counts)
    after = pods(namespace)
    assert (len(after), after & before) == (len(before), set())
