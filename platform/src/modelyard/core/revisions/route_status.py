"""What the gateway says of our routes: accepted, resolved, and of which generation."""

from collections.abc import Sequence

from modelyard.api.status import RevisionStatus
from modelyard.core.conditions import ConditionUpdate
from modelyard.core.drift import covers
from modelyard.core.names import predictor
from modelyard.core.snapshot import Object, Snapshot
from modelyard.settings import GatewaySettings

_CONDITION_TYPES = ("Accepted", "ResolvedRefs")

_WAITS = " waits for "
"""In sentences about what takes its time, and is no refusal."""


def route_failure(route: Object, gateway: GatewaySettings, *, latest: bool = True) -> str | None:
    """What is missing until the gateway carries an observed route, as a sentence; None when it does.

    With `latest` the gateway must have taken up the route's latest generation, without it any will do.
    """
    kind, name = route["kind"], route["metadata"]["name"]
    generation = route["metadata"].get("generation", 1)
    parents = [
        parent
        for parent in route.get("status", {}).get("parents", [])
        if parent["parentRef"]["name"] == gateway.name
        and parent["parentRef"].get("namespace", route["metadata"]["namespace"]) == gateway.namespace
    ]
    if not parents:
        return awaited(route, gateway)
    conditions = {condition["type"]: condition for condition in parents[0].get("conditions", [])}
    for condition_type in _CONDITION_TYPES:
        condition = conditions.get(condition_type)
        if condition is None or (latest and condition.get("observedGeneration", generation) < generation):
            return f"{kind} {name}{_WAITS}the gateway to take up its latest version."
        if condition["status"] != "True":
            return f"{kind} {name}: the gateway says {condition['reason']}: {condition.get('message', '').rstrip('.')}."
    return None


def awaited(route: Object, gateway: GatewaySettings) -> str:
    """That the gateway has said nothing of a route yet, which may not even be written."""
    return (
        f"{route['kind']} {route['metadata']['name']}{_WAITS}Gateway {gateway.namespace}/{gateway.name} to accept it."
    )


def programmed(snapshot: Snapshot, routes: Sequence[Object], gateway: GatewaySettings) -> bool:
    """True when every one of these routes is in the cluster with this spec, and carried by the gateway."""
    return all(
        _carried(snapshot.child(desired["kind"], desired["metadata"]["name"]), desired, gateway) for desired in routes
    )


def _carried(observed: Object | None, desired: Object, gateway: GatewaySettings) -> bool:
    return (
        observed is not None and covers(observed["spec"], desired["spec"]) and route_failure(observed, gateway) is None
    )


def mentioned(snapshot: Snapshot, service: str) -> bool:
    """True while an observed route still names that Service, as a backend or as the target of a mirror."""
    routes = [*snapshot.of_kind("HTTPRoute"), *snapshot.of_kind("GRPCRoute")]
    return any(service in _named(rule) for route in routes for rule in route["spec"].get("rules", []))


def _named(rule: Object) -> list[str]:
    """Services of a rule: those that answer, and those that get a copy."""
    mirrors = [
        route_filter["requestMirror"]["backendRef"]
        for route_filter in rule.get("filters", [])
        if "requestMirror" in route_filter
    ]
    return [backend["name"] for backend in (*rule.get("backendRefs", []), *mirrors)]


def accepted(snapshot: Snapshot, routes: Sequence[Object], gateway: GatewaySettings) -> bool:
    """True when every one of these routes is in the cluster and the gateway carries it, in this version or an older."""
    observed = [snapshot.child(desired["kind"], desired["metadata"]["name"]) for desired in routes]
    return all(route is not None and route_failure(route, gateway, latest=False) is None for route in observed)


def _unpublished(revisions: Sequence[RevisionStatus]) -> ConditionUpdate:
    """Why there are no routes: nothing to publish yet, or revisions whose Service is missing."""
    if not revisions:
        return ConditionUpdate(False, "NoRevision", "No revision has been started yet, so nothing is published.")
    missing = " and ".join(predictor(revision.name) for revision in revisions)
    waits = f"Service {missing} is not there: KServe makes it, and the routes follow."
    return ConditionUpdate(False, "Publishing", waits)


def routed(
    snapshot: Snapshot,
    routes: Sequence[Object],
    revisions: Sequence[RevisionStatus],
    holder: RevisionStatus | None,
    gateway: GatewaySettings,
) -> ConditionUpdate:
    """The Routed condition; `routes` are those that should be there for `revisions`, `holder` has the traffic.

    Once the holder's traffic was carried, it stays true while the gateway takes up smaller changes.
    """
    carried = holder is not None and holder.programmed_time != ""
    if not routes:
        return _unpublished(revisions)
    for desired in routes:
        observed = snapshot.child(desired["kind"], desired["metadata"]["name"])
        if observed is None:
            return ConditionUpdate(False, "Publishing", awaited(desired, gateway))
        problem = route_failure(observed, gateway, latest=not carried)
        if problem:
            return ConditionUpdate(False, "Publishing" if _WAITS in problem else "NotAccepted", problem)
    if holder is not None and not carried:
        return ConditionUpdate(
            False, "Publishing", f"The gateway is told to send the traffic to revision {holder.name}."
        )
    return ConditionUpdate(True, "Accepted", f"Gateway {gateway.namespace}/{gateway.name} carries all routes.")
