"""What the commands do when MODELYARD_CLUSTER=kind: state and end of the cluster."""

from localcluster import existing, status
from localcluster.install.kubernetes import Kubernetes
from localcluster.paths import Paths
from localcluster.steps.task import Task

from . import bringup, cluster, programs


def chosen() -> bool:
    """Whether the caller wants a kind cluster; raises NotPossible for a value there is not."""
    return existing.selected() == "kind"


def lines(paths: Paths, task: Task) -> list[status.Line]:
    """What runs, as rows; one row when there is no cluster."""
    programs.require(task)
    if not cluster.exists(task):
        start = "start it with `make cluster MODELYARD_CLUSTER=kind`"
        return [status.Line("kind cluster", False, f"there is none; {start}")]
    addresses = {"Gateway": bringup.GATEWAY, "Store (S3)": bringup.STORE}
    rows = [status.Line("kind cluster", True, cluster.NAME), *status.installed(Kubernetes(paths.kubeconfig), task)]
    return [*rows, *status.answering(addresses)]


def down(task: Task) -> bool:
    """End the cluster; False when there was none."""
    programs.require(task)
    return cluster.delete(task)
