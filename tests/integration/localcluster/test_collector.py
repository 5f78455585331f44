"""A real API server takes the collector of the add-on `tracing`, and the platform sees that it is there."""

from pathlib import Path

import pytest

from localcluster.install.kubernetes import Kubernetes
from localcluster.install.prerequisites import manifest
from localcluster.install.tracing import COLLECTOR, NAMESPACE, installed
from localcluster.steps.task import Task
from localcluster.versions import local_image
from tests.support.operator.real_apiserver import RealApiServer

pytestmark = pytest.mark.integration


def test_a_collector_is_seen_when_its_service_is_there(apiserver: RealApiServer, tmp_path: Path) -> None:
    cluster, task = Kubernetes(apiserver.kubeconfig), Task(tmp_path / "log")
    before = installed(cluster, task)

    cluster.apply(task, text=manifest("tracing.yaml", collector=local_image(COLLECTOR)))

    assert (before, installed(cluster, task)) == (False, True)
    level = "pod-security.kubernetes.io/warn=restricted"
    apiserver.run("kubectl", "label", "--overwrite", "namespace", NAMESPACE, level)
    again = ("apply", "--server-side", "--dry-run=server", "--force-conflicts", "-f", "-")
    done = apiserver.run("kubectl", *again, stdin=manifest("tracing.yaml", collector="docker.io/else/collector:1"))
    assert (done.returncode, "violate" in done.stderr) == (0, False), done.stderr
