"""While a load test's pod waits for a node, whoever waits for it is told why."""

from typing import Any

from modelyard.cli.models.loadtest_job import run
from modelyard.core.resources.load_jobs import LoadTestRequest
from modelyard.core.snapshot import Ref

REQUEST = LoadTestRequest("digits", "demo", "mine.yaml", {"mine.yaml": "e30="}, 10.0, 2)
FULL = "0/1 nodes are available: 1 Insufficient cpu."


class FullCluster:
    """No node takes the Job's pod, and after some looks its time is over."""

    def __init__(self, looks: int) -> None:
        self.looks = looks

    def get(self, ref: Ref) -> dict[str, Any] | None:
        if ref.kind == "ConfigMap":
            return {"data": {"config.yaml": ""}}
        self.looks -= 1
        late = [{"type": "Failed", "status": "True", "message": "Job was active longer than specified deadline"}]
        return {"status": {"conditions": late if self.looks < 0 else []}}

    def create(self, body: dict[str, Any]) -> None:
        assert body["kind"] == "Job"

    def items(self, kind: str, namespace: str, selector: str) -> list[dict[str, Any]]:
        waits = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": FULL}
        return [{"status": {"conditions": [waits]}}] if self.looks >= 0 else []


def test_a_pod_that_no_node_takes_is_told_of_once_and_in_the_end() -> None:
    told: list[str] = []
    cluster: Any = FullCluster(3)

    end = run(cluster, REQUEST, told.append, every=0.0)

    assert [said for said in told if "waits for a node" in said] == [f"its pod waits for a node: {FULL}"]
    assert (end.code, FULL in end.message) == (2, True)
