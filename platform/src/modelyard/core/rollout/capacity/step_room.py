"""Whether the cluster holds the replicas that the next step of a rollout takes, asked before the step begins.

    takes   replicas of the candidate after the step, less those that have a node
    room    what the nodes have for such pods, and what the namespace's quotas allow

A step without room is refused while `config.serving.capacityCheck` says so: the rollout stays where it is, says what is
missing, and goes on once it is there. With `warn` it begins and tells. Nothing is refused that cannot be known: a first
revision, pods that request nothing or have a priority (they may take others' places), a cluster that shows no nodes.
"""

from typing import Any, NamedTuple

from modelyard.api.model import Model
from modelyard.api.rollout import Action, OnInconclusive
from modelyard.api.rollout_status import GateVerdict, Phase, RolloutStatus
from modelyard.api.status import RevisionStatus
from modelyard.core.autoscaling.node_room import NodeRoom, limits_of, node_rooms, on_node, requested, uses, without
from modelyard.core.autoscaling.quota_room import QuotaRoom, quota_room, taken
from modelyard.core.cluster_room import NOTHING, ClusterRoom, ReplicaSize
from modelyard.core.names import REVISION_LABEL
from modelyard.core.resources.scaling import wanted_replicas
from modelyard.core.rollout.context import RolloutContext
from modelyard.core.rollout.effective_spec import effective_spec
from modelyard.core.rollout.state_machine import Transition
from modelyard.core.rollout.traffic_target import min_replicas
from modelyard.core.snapshot import Failure, Object

INSUFFICIENT = "InsufficientCapacity"
"""Reason of a rollout that waits for room, or that began a step without."""
ROOM_SECONDS = 10.0
"""How old what is known of nodes and pods may be, and how often a rollout that waits for room asks."""
_TAKES_NONE = frozenset({Phase.IDLE, Phase.ABORTING, Phase.BUILDING, Phase.HOLDING})
_SERVER = "kserve-container"
_SHOWN_NODES = 3
_GIB, _MIB = 1024**3, 1024**2


class StepRoom(NamedTuple):
    """`known` is False while the facts are on their way; `missing` a sentence, empty when there is room; `refused` says
    that the step must not begin.
    """

    known: bool = True
    missing: str = ""
    refused: bool = False

    @property
    def may_begin(self) -> bool:
        """Whether the step may begin now."""
        return self.known and not self.refused


ENOUGH = StepRoom()


def asks_for_room(model: Model) -> bool:
    """Whether a rollout may begin a step soon, so that the facts are wanted: they cost a listing of all pods."""
    rollout = model.status.rollout
    if rollout is None or not rollout.stable or not rollout.active or rollout.phase is Phase.ABORTING:
        return False
    if rollout.reason == INSUFFICIENT or rollout.phase in (Phase.BUILDING, Phase.STARTING):
        return True
    spec = effective_spec(model, rollout).spec.rollout
    command = spec.command
    if command is not None and command.action is Action.PROMOTE and not rollout.has_handled(command.id):
        return True
    passed = bool(rollout.gates) and all(gate.verdict is GateVerdict.PASS for gate in rollout.gates)
    return passed or spec.inconclusive() is OnInconclusive.PROMOTE


def step_room(context: RolloutContext, transition: Transition) -> StepRoom:
    """Whether there is room for what `transition` takes."""
    mode, room = context.settings.serving.capacity_check, context.snapshot.room
    revision = context.candidate or context.artifact.revision
    if context.first or mode == "off" or transition.phase in _TAKES_NONE or room is None or revision is None:
        return ENOUGH
    if isinstance(room, Failure):
        return StepRoom(known=not room.pending)
    missing = _missing(context, transition, revision, room)
    return StepRoom(missing=missing, refused=bool(missing) and mode == "refuse")


def pod_spec(revision: RevisionStatus, room: ClusterRoom) -> dict[str, Any]:
    """The pod's spec of a revision as KServe makes it: the runtime's, with the Model's resources over its own."""
    runtime, own = dict(room.runtime or {}), revision.resources or {}
    containers = runtime.get("containers") or [{"name": _SERVER}]
    merged = [_with_resources(each, own) if each.get("name") == _SERVER else each for each in containers]
    return {**runtime, **(revision.placement or {}), "containers": merged}


def _with_resources(container: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    base = container.get("resources") or {}
    kinds = ("requests", "limits")
    return {**container, "resources": {kind: {**(base.get(kind) or {}), **(own.get(kind) or {})} for kind in kinds}}


def _missing(context: RolloutContext, transition: Transition, revision: RevisionStatus, room: ClusterRoom) -> str:
    """What is missing, in sentences; empty when nothing is, or nobody can say."""
    spec = pod_spec(revision, room)
    size, snapshot = requested(spec), context.snapshot
    if size == NOTHING or spec.get("priorityClassName") or not room.nodes:
        return ""
    after = _after(context, transition, revision)
    wanted = wanted_replicas(snapshot, revision.name, min_replicas(after, snapshot))
    more = wanted - len(_placed(context, revision.name))
    if more <= 0:
        return ""
    leaving = _placed(context, context.rollout.stable) if transition.phase is Phase.REPLACING else []
    nodes = node_rooms(size, spec, room.nodes, without(room.used, uses(leaving)))
    freed = taken(*_summed(leaving), len(leaving))
    quota = quota_room(size, limits_of(spec), room.quotas, freed)
    fits = sum(node.fits for node in nodes)
    allowed = fits if quota is None else min(fits, quota.fits)
    if allowed >= more:
        return ""
    why = _of_quota(quota) if quota is not None and quota.fits < min(fits, more) else _of_nodes(nodes)
    return (
        f"{_step(context, transition)} takes {_replicas(more)} more of revision {revision.name}, each with "
        f"{_size(size)}, and there is room for {allowed}: {why}. {_remedy(context)}"
    )


def _after(context: RolloutContext, transition: Transition, revision: RevisionStatus) -> RolloutStatus:
    """As much of the state after the step as decides how many replicas it takes."""
    stable = "" if transition.phase is Phase.REPLACING else context.rollout.stable
    return context.rollout.model_copy(
        update={
            "phase": transition.phase,
            "held": None,
            "step": transition.step,
            "weight": context.weight_after(transition),
            "candidate": revision.name,
            "stable": stable,
        }
    )


def _placed(context: RolloutContext, revision: str) -> list[Object]:
    """The pods of a revision that have a node."""
    pods = context.snapshot.of_kind("Pod")
    return [pod for pod in pods if pod["metadata"].get("labels", {}).get(REVISION_LABEL) == revision and on_node(pod)]


def _summed(pods: list[Object]) -> tuple[ReplicaSize, ReplicaSize]:
    """What pods request and what their limits are, together."""
    requests, limits = NOTHING, NOTHING
    for pod in pods:
        requests = requests.plus(requested(pod["spec"]))
        limits = limits.plus(limits_of(pod["spec"]))
    return requests, limits


def _step(context: RolloutContext, transition: Transition) -> str:
    weight = context.weight_after(transition)
    match transition.phase:
        case Phase.ADVANCING:
            return f"Step {transition.step + 1} of {len(context.spec.weights())} ({weight} % of the traffic)"
        case Phase.SPLITTING:
            return f"An A/B test with {weight} % of the users"
        case Phase.PREVIEWING:
            return "The preview at full capacity"
        case Phase.BAKING:
            return "All the traffic"
        case Phase.REPLACING:
            return "The new revision in place of the old one"
        case _:
            return "The start"


def _remedy(context: RolloutContext) -> str:
    if context.settings.serving.capacity_check == "warn":
        return "It begins all the same, and its pods wait for nodes (config.serving.capacityCheck: warn)."
    return (
        "It goes on by itself once there is: add or free nodes, or ask for less (spec.serving.resources). Where a "
        "cluster autoscaler adds nodes, set config.serving.capacityCheck: warn."
    )


def _of_quota(quota: QuotaRoom) -> str:
    left = f"{float(quota.left / _GIB):.3g} GiB" if "memory" in quota.resource else f"{float(quota.left):.3g}"
    return f"ResourceQuota {quota.name} leaves {left} of {quota.resource}"


def _of_nodes(nodes: list[NodeRoom]) -> str:
    """What the nodes have, those with most first; a node that takes none says why."""
    ordered = sorted(nodes, key=lambda node: (bool(node.refuses), -node.fits, -node.free.cores, node.name))
    told = [f"{node.name} {node.refuses or f'has {_size(node.free)} free'}" for node in ordered[:_SHOWN_NODES]]
    rest = len(ordered) - len(told)
    return ", ".join([*told, f"and {rest} more nodes no more than that"] if rest else told)


def _replicas(number: int) -> str:
    return f"{number} replica{'s' if number > 1 else ''}"


def _size(size: ReplicaSize) -> str:
    cores, memory = max(0.0, float(size.cores)), max(0.0, float(size.memory))
    parts = [
        f"{cores:.3g} core{'' if cores == 1 else 's'}",
        f"{memory / _GIB:.3g} GiB" if memory >= _GIB else f"{memory / _MIB:.3g} MiB",
    ]
    return ", ".join([*parts, f"{float(size.gpus):g} GPUs"] if size.gpus else parts)
