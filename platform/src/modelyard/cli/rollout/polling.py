"""Looks at a Model and its rollout, once or every second, through the API server."""

import time
from collections.abc import Iterator

from modelyard.api.model import Model
from modelyard.cli.models.get import parsed, read
from modelyard.cli.terminal.console import say
from modelyard.clients.cluster.api_server import Cluster
from modelyard.core.names import predictor
from modelyard.core.snapshot import Ref
from modelyard.errors import Conflict, Refused, Throttled, Unreachable

from .view import RolloutView

_EVERY = 1.0


def look_at(cluster: Cluster, namespace: str, name: str) -> RolloutView:
    """The Model as it is now; raises InvalidModel when there is none."""
    return _look(cluster, parsed(read(cluster, namespace, name)[0]))


def looks(cluster: Cluster, namespace: str, name: str, patience: float | None) -> Iterator[RolloutView | None]:
    """A look a second until `patience` seconds are over; None when the Model is gone.

    The first one raises what goes wrong; later on an API server that does not answer is waited for.
    """
    end = None if patience is None else time.monotonic() + patience
    yield look_at(cluster, namespace, name)
    well = True
    while end is None or time.monotonic() < end:
        time.sleep(_EVERY)
        try:
            found = cluster.get(Ref("Model", namespace, name))
            seen = _look(cluster, parsed(found)) if found is not None else None
        except (Unreachable, Throttled, Conflict) as bad:
            if well:
                say(f"{bad} It is asked again.")
            well = False
            continue
        well = True
        yield seen


def _look(cluster: Cluster, model: Model) -> RolloutView:
    return RolloutView(model, time.time(), _replicas(cluster, model))


def _replicas(cluster: Cluster, model: Model) -> dict[str, tuple[int, int]]:
    """Ready and wanted replicas by revision; those that the caller may not read are left out."""
    found: dict[str, tuple[int, int]] = {}
    for one in model.status.revisions:
        try:
            deployment = cluster.get(Ref("Deployment", model.namespace, predictor(one.name)))
        except Refused:
            return {}
        if deployment is not None:
            wanted = deployment["spec"].get("replicas", 1)
            found[one.name] = (deployment.get("status", {}).get("readyReplicas", 0), wanted)
    return found
