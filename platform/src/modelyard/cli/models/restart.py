"""`modelyard restart NAME`: new pods for a Model, one after the other, without losing a request.

KServe undoes `kubectl rollout restart` at once, because it owns the Deployment: it takes back what others write into
its pod template. What it does carry over into the template is an annotation of the InferenceService, and the Deployment
then makes each new pod before it ends an old one.
"""

import time
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from modelyard.api.model import Model
from modelyard.api.status import Stage
from modelyard.cli.terminal.console import out
from modelyard.cli.terminal.durations import spell
from modelyard.cli.terminal.options import Namespace, span
from modelyard.clients.cluster.access import access
from modelyard.clients.cluster.api_server import Cluster
from modelyard.clients.cluster.context import current_namespace
from modelyard.clients.cluster.models import read
from modelyard.core.names import RESTARTED_ANNOTATION, predictor
from modelyard.core.snapshot import Ref
from modelyard.errors import InvalidModel, Unreachable

_WITH_PODS = (Stage.STARTING, Stage.JOINING, Stage.SERVING, Stage.STANDBY)
_EVERY_SECONDS = 0.5


def restart(
    name: Annotated[str, typer.Argument(help="Name of the Model.")],
    namespace: Namespace = "",
    timeout: Annotated[float, typer.Option(parser=span, metavar="DURATION", help="How long to wait for it.")] = 600.0,
) -> None:
    """Replace the pods of a Model one after the other, without losing a request."""
    where, cluster = namespace or current_namespace(), Cluster(access())
    revisions = Model.of(read(cluster, where, name)[0]).status.revisions
    names = [revision.name for revision in revisions if revision.stage in _WITH_PODS]
    if not names:
        raise InvalidModel(f"{where}/{name} has no pods to restart: `modelyard explain {name}` says how far it is.")
    stamp = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"
    change = {"metadata": {"annotations": {RESTARTED_ANNOTATION: stamp}}}
    for revision in names:
        cluster.merge(Ref("InferenceService", where, revision), change)
    end = time.monotonic() + timeout
    for revision in names:
        at = Ref("Deployment", where, predictor(revision))
        while not _restarted(cluster.get(at), stamp):
            if time.monotonic() > end:
                raise Unreachable(
                    f"the pods of {at.name} are not all new after {spell(timeout)}; the old ones serve until they are: "
                    f"kubectl -n {where} rollout status deployment/{at.name}"
                )
            time.sleep(_EVERY_SECONDS)
    out().print(f"restarted {', '.join(names)}", highlight=False)


def _restarted(deployment: dict[str, Any] | None, stamp: str) -> bool:
    """Whether all pods of a Deployment are of the template with that stamp, and ready; one that is gone has none."""
    if deployment is None:
        return True
    spec, status = deployment["spec"], deployment.get("status", {})
    annotations = spec["template"]["metadata"].get("annotations") or {}
    wanted = spec.get("replicas", 1)
    return (
        annotations.get(RESTARTED_ANNOTATION) == stamp
        and status.get("observedGeneration", 0) >= deployment["metadata"]["generation"]
        and status.get("updatedReplicas", 0) == status.get("replicas", 0) == status.get("readyReplicas", 0) == wanted
    )
