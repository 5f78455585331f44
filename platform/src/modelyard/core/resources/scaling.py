"""How many replicas: we set the Deployment's scale, since KServe leaves it alone.

A fixed number is enforced. A range is enforced at its ends only, so that an autoscaler may choose in
between. A revision on its way in or out keeps the same floor, so that traffic may move either way; while a
rollout is under way the floor may be higher (`floors`), and then it wins over the range's lower end.
"""

from collections.abc import Mapping, Sequence

from modelyard.api.status import RevisionStatus
from modelyard.core.names import predictor
from modelyard.core.plan import Scale
from modelyard.core.snapshot import Ref, Snapshot


def wanted_replicas(snapshot: Snapshot, revision: str, floors: Mapping[str, int]) -> int:
    """How many replicas a revision is to have: those of its Deployment, kept within the spec and above its floor.

    `floors` are the fewest replicas by revision name, as a rollout needs them; the spec's maximum wins over them.
    """
    fewest, most = snapshot.model.spec.replica_range()
    deployment = snapshot.child("Deployment", predictor(revision)) or {}
    current = deployment.get("spec", {}).get("replicas", 1)
    return min(max(current, fewest, floors.get(revision, 0)), most)


def scales(snapshot: Snapshot, revisions: Sequence[RevisionStatus], floors: Mapping[str, int]) -> tuple[Scale, ...]:
    """The Deployments whose replicas lie outside what they should be (`wanted_replicas`), with the number to set."""
    changes = []
    for revision in revisions:
        deployment = snapshot.child("Deployment", predictor(revision.name))
        wanted = wanted_replicas(snapshot, revision.name, floors)
        if deployment is not None and deployment.get("spec", {}).get("replicas", 1) != wanted:
            ref = Ref("Deployment", snapshot.model.namespace, predictor(revision.name))
            changes.append(Scale(ref, wanted))
    return tuple(changes)
