"""How many replicas: we set the Deployment's scale, since KServe leaves it alone.

| spec | what the Deployment of a revision gets |
|---|---|
| no scaling | `serving.replicas`, always |
| scaling | a number inside the range that somebody else may choose: an autoscaler of the Deployment; when |
| | `serving.replicas` changes, as an autoscaler of the Model or `kubectl scale` change it, that number once |
| `minReplicas: 0`, and nobody asks | 0, while `status.idle` says Zero |

`status.requestedReplicas` is the number that was carried out last, so that a newer one is known as such by whoever goes
on after a crash. A revision on its way in or out keeps the same floor, so that traffic may move either way. While a
rollout is under way the floor may be higher (`floors`), and it wins over the spec's number and the range's lower end:
the number may rise at any time and falls when the rollout is over. The range's upper end wins over all.
"""

from collections.abc import Mapping, Sequence

from modelyard.api.status import IdleState, IdleStatus, RevisionStatus
from modelyard.core.names import predictor
from modelyard.core.plan import Scale
from modelyard.core.snapshot import Ref, Snapshot


def wanted_replicas(
    snapshot: Snapshot, revision: str, floors: Mapping[str, int], idle: IdleStatus | None = None
) -> int:
    """How many replicas a revision is to have.

    `floors` are the fewest by revision name, as a rollout needs them; `idle` says how far the Model is on its way to
    none.
    """
    if idle is not None and idle.state is IdleState.ZERO and idle.revision == revision:
        return 0
    model, floor = snapshot.model, floors.get(revision, 0)
    fewest, most = model.spec.replica_range()
    if model.spec.scaling is None:
        return max(fewest, floor)
    deployment = snapshot.child("Deployment", predictor(revision)) or {}
    number = deployment.get("spec", {}).get("replicas", 1) or model.spec.requested_replicas()
    if model.spec.serving.replicas != model.status.requested_replicas and revision == (
        model.status.revision or revision
    ):
        number = model.spec.requested_replicas()
    return min(max(number, fewest, floor), most)


def scales(
    snapshot: Snapshot,
    revisions: Sequence[RevisionStatus],
    floors: Mapping[str, int],
    idle: IdleStatus | None = None,
) -> tuple[Scale, ...]:
    """The Deployments whose replicas lie outside what they should be (`wanted_replicas`), with the number to set."""
    changes = []
    for revision in revisions:
        deployment = snapshot.child("Deployment", predictor(revision.name))
        wanted = wanted_replicas(snapshot, revision.name, floors, idle)
        if deployment is not None and deployment.get("spec", {}).get("replicas", 1) != wanted:
            ref = Ref("Deployment", snapshot.model.namespace, predictor(revision.name))
            changes.append(Scale(ref, wanted))
    return tuple(changes)
