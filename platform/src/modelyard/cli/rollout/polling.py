"""A Model and its rollout as the API server has them, once or every second."""

import time
from collections.abc import Iterator

from modelyard.api.model import Model
from modelyard.cli.terminal.console import say
from modelyard.clients.cluster.api_server import Cluster
from modelyard.clients.cluster.models import read
from modelyard.core.names import predictor
from modelyard.core.snapshot import Ref
from modelyard.errors import Conflict, Refused, Throttled, Unreachable

from .view import RolloutView

_EVERY = 1.0


def current_view(cluster: Cluster, namespace: str, name: str) -> RolloutView:
    """The Model, its rollout and its replicas now.

    Raises InvalidModel when there is no such Model; Unreachable, Throttled or Refused when it cannot be read.
    """
    return _view(cluster, Model.of(read(cluster, namespace, name)[0]))


def views(cluster: Cluster, namespace: str, name: str, patience: float | None) -> Iterator[RolloutView | None]:
    """A view a second until `patience` seconds are over, or for ever when that is None; None when the Model is gone.

    The first one raises what `current_view` does; later on an API server that does not answer is waited for.
    """
    end = None if patience is None else time.monotonic() + patience
    yield current_view(cluster, namespace, name)
    well = True
    while end is None or time.monotonic() < end:
        time.sleep(_EVERY)
        try:
            document = cluster.get(Ref("Model", namespace, name))
            view = _view(cluster, Model.of(document)) if document is not None else None
        except (Unreachable, Throttled, Conflict) as bad:
            if well:
                say(f"{bad} It is asked again.")
            well = False
            continue
        well = True
        yield view


def _view(cluster: Cluster, model: Model) -> RolloutView:
    return RolloutView(model, time.time(), _replicas(cluster, model))


def _replicas(cluster: Cluster, model: Model) -> dict[str, tuple[int, int]]:
    """Ready and desired replicas by revision; those that the caller may not read are left out."""
    replicas: dict[str, tuple[int, int]] = {}
    for revision in model.status.revisions:
        try:
            deployment = cluster.get(Ref("Deployment", model.namespace, predictor(revision.name)))
        except Refused:
            return {}
        if deployment is not None:
            desired = deployment["spec"].get("replicas", 1)
            replicas[revision.name] = (deployment.get("status", {}).get("readyReplicas", 0), desired)
    return replicas
