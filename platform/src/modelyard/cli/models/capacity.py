"""`modelyard capacity NAME --rps 500`: what a rate takes in replicas, cores, memory and money, and whether it is there.

Exit code 0 when the cluster has room for it, 1 when it has not.
"""

from typing import Annotated, Any, NamedTuple

import typer

from modelyard.api.model import Model
from modelyard.api.quantity import amount, fraction, shown
from modelyard.cli.platform_settings import platform_settings
from modelyard.cli.terminal.console import Output, dump, out
from modelyard.cli.terminal.options import Namespace, Shown
from modelyard.cli.terminal.table import table
from modelyard.clients.cluster.access import access
from modelyard.clients.cluster.api_server import Cluster
from modelyard.clients.cluster.context import current_namespace
from modelyard.clients.cluster.models import read
from modelyard.core.autoscaling.capacity_plan import CapacityPlan, capacity_plan
from modelyard.core.autoscaling.node_room import limits_of, requested, room_for
from modelyard.core.autoscaling.quota_room import quota_room
from modelyard.core.names import predictor
from modelyard.core.snapshot import Ref
from modelyard.errors import InvalidInput, InvalidModel, InvalidSettings, Refused
from modelyard.settings import PriceSettings, Settings

_USUAL = "75%"
_GIB = amount("1Gi")


class Room(NamedTuple):
    """Replicas there are, and how many more the cluster has room for."""

    there: int
    more: int


def capacity(
    name: Annotated[str, typer.Argument(help="Name of the Model.")],
    rps: Annotated[float, typer.Option(help="Requests a second that are to be taken on.")],
    slo: Annotated[str, typer.Option(help="What is to be kept, as it was measured: p99<50ms.")] = "",
    per_replica: Annotated[
        float, typer.Option(help="Requests a second that one replica takes on, in place of what was measured.")
    ] = 0.0,
    namespace: Namespace = "",
    output: Shown = Output.TABLE,
) -> None:
    """Say how many replicas a rate takes, what they cost a month, and whether the cluster has room."""
    if rps <= 0:
        raise InvalidInput(f"--rps {rps:g} is no load: say how many requests a second are to come, such as --rps 500.")
    cluster = Cluster(access())
    model = Model.of(read(cluster, namespace or current_namespace(), name)[0])
    rate = per_replica or measured(model, slo)
    pod = _pod(cluster, model)
    busy = fraction(model.spec.scaling.target_utilization if model.spec.scaling else _USUAL)
    plan = capacity_plan(rps, rate, busy, requested(pod), _prices(cluster))
    free = room_for(requested(pod), pod, cluster.items("Node"), cluster.items("Pod"))
    room = Room(model.status.replicas, _allowed(cluster, model.namespace, pod, free))
    if output is Output.TABLE:
        console = out()
        console.print(table(("", "", ""), rows(plan, room)))
        console.print(f"\n{conclusion(plan, room, model)}", markup=False, soft_wrap=True)
    else:
        dump(plain(plan, room), output)
    if room.there + room.more < plan.replicas:
        raise typer.Exit(1)


def measured(model: Model, slo: str) -> float:
    """What one replica takes on, as the status has it. Raises InvalidModel where that says nothing about `slo`."""
    known = model.status.capacity
    how = f"write spec.tune, or run `modelyard tune {model.name}` and say --per-replica"
    if known is None or not known.measured:
        raise InvalidModel(f"nobody has measured what a replica of {model.name} takes on: {how}.")
    if slo and _bare(slo) != _bare(known.at):
        raise InvalidModel(f"a replica of {model.name} was measured at {known.at}, not at {slo}: {how}.")
    if known.requests_per_second <= 0:
        raise InvalidModel(
            f"a replica of {model.name} does not keep {known.at} at any rate, so no number of them does: allow more "
            "time, or serve a faster variant (spec.optimize)."
        )
    return known.requests_per_second


def rows(plan: CapacityPlan, room: Room) -> list[tuple[str, str, str]]:
    """The plan line by line: what, how much, and how it comes about."""
    total, each = plan.total, f"{plan.busy:.0%} of {shown(plan.per_replica)} requests/s each"
    found = [
        ("replicas", str(plan.replicas), f"{each}; {room.there} now"),
        ("cores", shown(float(total.cores)), "requested"),
        ("memory", f"{shown(float(total.memory / _GIB))} GiB", "requested"),
        ("headroom", f"{shown(plan.headroom)} requests/s", "on top, before the objective is missed"),
    ]
    if total.gpus:
        found.insert(3, ("GPUs", f"{float(total.gpus):.4g}", "requested"))
    if plan.month is not None and plan.per_thousand is not None:
        found.append(("cost", f"{plan.month:.2f} a month", f"{shown(plan.per_thousand, 3)} per 1,000 requests"))
    return found


def conclusion(plan: CapacityPlan, room: Room, model: Model) -> str:
    """Whether the cluster and the Model's range have it, in a sentence each."""
    _, most = model.spec.replica_range()
    missing = plan.replicas - room.there - room.more
    said = (
        f"The cluster has room for {room.more} more."
        if missing <= 0
        else f"The cluster has room for {room.more} more: {missing} would stay Pending. Add nodes, or ask for less."
    )
    if model.spec.scaling is not None and most < plan.replicas:
        said += f" scaling.maxReplicas is {most}: raise it to {plan.replicas}."
    if model.spec.scaling is None and most < plan.replicas:
        said += f" serving.replicas is {most}: raise it, or give a range (spec.scaling)."
    if plan.month is None:
        said += " No prices are set (config.prices), so no cost is told."
    return said


def plain(plan: CapacityPlan, room: Room) -> dict[str, Any]:
    """The plan as plain values, for scripts."""
    return {
        "requestsPerSecond": plan.rate,
        "perReplica": plan.per_replica,
        "targetUtilization": plan.busy,
        "replicas": plan.replicas,
        "replicasNow": room.there,
        "roomForMore": room.more,
        "cores": float(plan.total.cores),
        "memoryBytes": int(plan.total.memory),
        "gpus": float(plan.total.gpus),
        "headroom": plan.headroom,
        "costPerMonth": plan.month,
        "costPerThousand": plan.per_thousand,
    }


def _pod(cluster: Cluster, model: Model) -> dict[str, Any]:
    """The pod's spec of the revision that serves. Raises InvalidModel while none does."""
    deployment = cluster.get(Ref("Deployment", model.namespace, predictor(model.status.revision)))
    if not model.status.revision or deployment is None:
        raise InvalidModel(f"no revision of {model.name} serves yet: `modelyard explain {model.name}` says why.")
    return deployment["spec"]["template"]["spec"]


def _allowed(cluster: Cluster, namespace: str, pod: dict[str, Any], free: int) -> int:
    """How many of `free` more such pods the namespace's quotas allow: all where there are none, or none may be read."""
    try:
        quota = quota_room(requested(pod), limits_of(pod), cluster.items("ResourceQuota", namespace))
    except Refused:
        return free
    return free if quota is None else min(free, quota.fits)


def _prices(cluster: Cluster) -> PriceSettings:
    """The platform's prices; one's own where its settings may not be read."""
    try:
        return platform_settings(cluster).prices
    except (Refused, InvalidSettings):
        return Settings.read().prices


def _bare(objective: str) -> str:
    return objective.replace(" ", "").replace("=", "<").lower()
