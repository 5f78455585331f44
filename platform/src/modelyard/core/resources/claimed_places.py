"""Hosts and paths that others have claimed on our Gateway: the older route keeps them, as Gateway API says.

A place is a host name, or, for routes without one, the `/<namespace>/<model>/` below which a Model answers. A claim is
one that the Gateway has accepted; what it refuses takes nothing from anybody. Of two claims the route that was made
first wins, by name when both were made in the same second. The later one says so: ours is not made while another is
there, so nothing of its traffic changes, and one of ours that lost its place to an older route is left as it is.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import NamedTuple

from modelyard.api.model import Model
from modelyard.core.names import host, path_route_name
from modelyard.core.snapshot import Failure, ForeignObject, Object, Ref, RouteClaim, Snapshot
from modelyard.settings import GatewaySettings

HOST_TAKEN = "HostTaken"
_ACCEPTED = "Accepted"


class ModelAt(NamedTuple):
    """Namespace and name of the Model that answers at a place."""

    namespace: str
    name: str


def claim_of(route: Object, gateway: GatewaySettings) -> RouteClaim | None:
    """What an HTTPRoute or GRPCRoute of somebody else has claimed on the Gateway; None when it is nothing."""
    if not _accepted(route, gateway):
        return None
    metadata, spec = route["metadata"], route.get("spec", {})
    hosts = [name.lower() for name in spec.get("hostnames") or ()]
    places = frozenset(hosts or _paths(spec.get("rules") or ()))
    ref = Ref(route["kind"], metadata["namespace"], metadata["name"])
    return RouteClaim(ref, metadata["creationTimestamp"], places) if places else None


def model_at(place: str, domain: str) -> ModelAt | None:
    """The Model that would answer at a place, its host or its path; None when none would."""
    if place.startswith("/"):
        namespace, name = place.strip("/").split("/")
        return ModelAt(namespace, name)
    name, _, namespace = place.removesuffix(f".{domain}").partition(".")
    inside = place.endswith(f".{domain}") and namespace and "." not in namespace
    return ModelAt(namespace, name) if inside else None


def places_of(model: Model, gateway: GatewaySettings) -> Mapping[str, tuple[Ref, ...]]:
    """Where a Model answers, with the routes that publish it there."""
    name, namespace = model.name, model.namespace
    by_host = (Ref("HTTPRoute", namespace, name), Ref("GRPCRoute", namespace, name))
    by_path = (Ref("HTTPRoute", namespace, path_route_name(name)),)
    return {host(name, namespace, gateway.domain): by_host, f"/{namespace}/{name}/": by_path}


def with_claims(snapshot: Snapshot, gateway: GatewaySettings) -> Snapshot:
    """The snapshot in which the places that others had first count as names that are taken."""
    if not snapshot.rivals:
        return snapshot
    taken = {
        ref: ForeignObject(_refusal(first, place), snapshot.now)
        for place, refs in places_of(snapshot.model, gateway).items()
        for ref in refs
        if (first := _first(snapshot.rivals, place, snapshot.children.get(ref))) is not None
    }
    return replace(snapshot, foreign={**taken, **snapshot.foreign})


def _first(rivals: Iterable[RouteClaim], place: str, own: Object | None) -> RouteClaim | None:
    """The oldest claim to a place, None when our own route is older."""
    claims = [claim for claim in rivals if place in claim.places]
    oldest = min(claims, key=lambda claim: (claim.created, *claim.ref[1:]), default=None)
    if oldest is None or own is None:
        return oldest
    metadata = own["metadata"]
    ours = metadata.get("creationTimestamp", ""), metadata["namespace"], metadata["name"]
    return oldest if (oldest.created, *oldest.ref[1:]) < ours else None


def _refusal(claim: RouteClaim, place: str) -> Failure:
    kind, namespace, name = claim.ref
    what = "the path" if place.startswith("/") else "the host"
    return Failure(
        HOST_TAKEN,
        f"{kind} {namespace}/{name} had {what} {place} first and keeps it: take it out of that route, or give the "
        "Model another name.",
    )


def _accepted(route: Object, gateway: GatewaySettings) -> bool:
    own = route["metadata"]["namespace"]
    return any(
        condition["type"] == _ACCEPTED and condition["status"] == "True"
        for parent in route.get("status", {}).get("parents", ())
        if (parent["parentRef"]["name"], parent["parentRef"].get("namespace", own)) == (gateway.name, gateway.namespace)
        for condition in parent.get("conditions", ())
    )


def _paths(rules: Iterable[Object]) -> Iterator[str]:
    """The first two parts of every path that is matched, as `/<namespace>/<model>/`."""
    for rule in rules:
        for match in rule.get("matches") or ():
            path = match.get("path") or {}
            parts = path.get("value", "").split("/")[1:3]
            if path.get("type") != "RegularExpression" and len(parts) == len([part for part in parts if part]) == 2:
                yield "/{}/{}/".format(*parts)
