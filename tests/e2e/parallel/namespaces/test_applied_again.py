"""What tools that apply the same file over and over see: nothing changes, and nobody is in their way."""

import yaml

from tests.support.cluster.kubectl import apply, get, kubectl
from tests.support.cluster.models import a_model, until

STEPS = [{"weight": 20}, {"weight": 50}]


def test_the_same_file_is_unchanged_and_meets_no_conflict(namespace: str) -> None:
    rollout = {"strategy": "Canary", "steps": STEPS, "bake": "20s"}
    manifest = a_model("digits", namespace, slo={"errorRate": "5%"}, rollout=rollout)

    said = [apply(manifest).stdout.split()[-1] for _ in range(2)]
    until("digits", namespace, "Ready", "True")
    said.append(apply(manifest).stdout.split()[-1])
    by_server = kubectl("apply", "--server-side", "-f", "-", stdin=yaml.safe_dump(manifest), check=False)
    model = get("model", "digits", namespace)

    assert said == ["created", "unchanged", "unchanged"]
    assert (by_server.returncode, "conflict" in by_server.stderr) == (0, False), by_server.stderr
    assert model is not None
    assert (model["spec"]["rollout"]["steps"], model["metadata"]["generation"]) == (STEPS, 1)
