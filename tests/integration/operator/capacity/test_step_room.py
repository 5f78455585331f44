"""A rollout whose next step no node can hold waits, by what a real API server says of nodes, pods and quotas."""

import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
import yaml

from modelyard.settings import ServingSettings
from tests.support.operator.bench import Bench

pytestmark = pytest.mark.integration

DIGITS = {"source": {"name": "digits", "version": "1"}}


class Pool:
    """A node of this test, and a runtime whose pods request one core."""

    def __init__(self, bench: Bench) -> None:
        self.bench, self.name = bench, f"pool-{uuid4().hex[:8]}"
        container = {"name": "kserve-container", "image": "triton", "resources": {"requests": {"cpu": "1"}}}
        self._apply({"apiVersion": "v1", "kind": "Node", "metadata": {"name": self.name, "labels": self.selector}})
        self._apply(
            {
                "apiVersion": "serving.kserve.io/v1alpha1",
                "kind": "ClusterServingRuntime",
                "metadata": {"name": self.name},
                "spec": {"containers": [container]},
            }
        )
        self.kubectl("taint", "node", self.name, "node.kubernetes.io/not-ready:NoSchedule-")

    @property
    def selector(self) -> dict[str, str]:
        """What only this node has."""
        return {"pool": self.name}

    def gives(self, cores: str) -> None:
        """The node has so many cores for pods."""
        has = json.dumps({"status": {"allocatable": {"cpu": cores, "memory": "8Gi"}}})
        self.kubectl("patch", "node", self.name, "--subresource=status", "--type=merge", "-p", has)

    def quota(self, used: str) -> None:
        """The namespace may request two cores, and so many are."""
        metadata = {"name": "models", "namespace": self.bench.namespace}
        self._apply({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": metadata, "spec": {}})
        status = json.dumps({"status": {"hard": {"requests.cpu": "2"}, "used": {"requests.cpu": used}}})
        where = ("-n", self.bench.namespace, "--subresource=status", "--type=merge", "-p", status)
        self.kubectl("patch", "resourcequota", "models", *where)

    def kubectl(self, *words: str, stdin: str = "") -> None:
        done = self.bench.api.run("kubectl", *words, stdin=stdin)
        assert done.returncode == 0, done.stderr

    def _apply(self, thing: dict[str, Any]) -> None:
        self.kubectl("apply", "-f", "-", stdin=yaml.safe_dump(thing))


@pytest.fixture
def pool(lively: Bench) -> Iterator[Pool]:
    made = Pool(lively)
    serving = ServingSettings(drain_seconds=0.3, settle_seconds=0.1, cpu_runtime=made.name)
    lively.settings = lively.settings.model_copy(update={"serving": serving})
    yield made
    made.kubectl("delete", "node,clusterservingruntime", made.name)


def test_a_rollout_waits_for_a_node_and_goes_on_by_itself(lively: Bench, pool: Pool) -> None:
    pool.gives("500m")
    lively.ask("digits", serving={"nodeSelector": pool.selector}, **DIGITS)
    with lively.operating():
        lively.until("digits", "Reconciling", "False", "Done")
        lively.ask("digits", serving={"nodeSelector": pool.selector}, source={"name": "digits", "version": "2"})

        waits = lively.until("digits", "Reconciling", "True", "InsufficientCapacity")
        assert (
            f"each with 1 core, 0 MiB, and there is room for 0: {pool.name} has 0.5 cores, 8 GiB free"
            in (waits["message"])
        )
        assert len(lively.names("InferenceService")) == 1
        assert lively.condition("digits", "Ready")["status"] == "True"

        pool.gives("4")
        lively.until("digits", "Reconciling", "False", "Done")
        assert lively.status("digits")["version"] == "2"


def test_a_full_quota_is_named(lively: Bench, pool: Pool) -> None:
    pool.gives("4")
    lively.ask("digits", serving={"nodeSelector": pool.selector}, **DIGITS)
    with lively.operating():
        lively.until("digits", "Reconciling", "False", "Done")
        pool.quota(used="1500m")
        lively.ask("digits", serving={"nodeSelector": pool.selector}, source={"name": "digits", "version": "2"})

        waits = lively.until("digits", "Reconciling", "True", "InsufficientCapacity")
        assert "ResourceQuota models leaves 0.5 of requests.cpu" in waits["message"]

        pool.quota(used="1")
        lively.until("digits", "Reconciling", "False", "Done")
