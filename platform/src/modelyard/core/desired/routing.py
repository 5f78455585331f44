"""What publishes: an HTTPRoute and a GRPCRoute by host name, and an HTTPRoute by path for use without DNS.

The main rule always lists two backends: index 0 is slot a, index 1 slot b. A revision keeps its slot for
life; an empty slot names the other slot's Service with weight 0, because a missing Service would make
the whole route unresolved. Each backend sets `x-modelyard-revision` on its answers; that filter also
makes Envoy Gateway keep one Envoy cluster, so one set of counters, per backend.

Two more rules, one a slot, pin requests that carry the header `x-modelyard-revision: <revision>`, for
warm-ups and debugging; their more specific match wins over the main rule. Rules keep their index for
life, since Envoy names its clusters, and so its counters, by it.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from modelyard.api.model import Model
from modelyard.core.names import REVISION_HEADER, host, path_route_name, predictor
from modelyard.settings import GatewaySettings

from . import child

HTTP_SERVICE_PORT = 80
GRPC_SERVICE_PORT = 9000
_GRPC_SERVICE = "inference.GRPCInferenceService"


class Backend(NamedTuple):
    """A revision in the route: where it sits and its raw weight (shares are relative)."""

    revision: str
    slot: str
    weight: int


def routes(model: Model, backends: Sequence[Backend], gateway: GatewaySettings) -> list[dict[str, Any]]:
    """The three routes of a Model; none while no revision has a Service yet."""
    if not backends:
        return []
    name = host(model.name, model.namespace, gateway.domain)
    parents = [{"name": gateway.name, "namespace": gateway.namespace}]
    everything = {"path": {"type": "PathPrefix", "value": "/"}}
    below = {"path": {"type": "PathPrefix", "value": f"/{model.namespace}/{model.name}/"}}
    service = {"method": {"service": _GRPC_SERVICE, "type": "Exact"}}
    rewrite = {
        "type": "URLRewrite",
        "urlRewrite": {"path": {"type": "ReplacePrefixMatch", "replacePrefixMatch": "/"}},
    }
    return [
        _route(model, "HTTPRoute", model.name, parents, [name], _rules(backends, everything, HTTP_SERVICE_PORT)),
        _route(
            model,
            "HTTPRoute",
            path_route_name(model.name),
            parents,
            [],
            _rules(backends, below, HTTP_SERVICE_PORT, rewrite),
        ),
        _route(model, "GRPCRoute", model.name, parents, [name], _rules(backends, service, GRPC_SERVICE_PORT)),
    ]


def _route(
    model: Model, kind: str, name: str, parents: list[Any], hostnames: list[str], rules: list[Any]
) -> dict[str, Any]:
    hosts = {"hostnames": hostnames} if hostnames else {}
    return child(model, kind, name, {"spec": {"parentRefs": parents, **hosts, "rules": rules}})


def _rules(backends: Sequence[Backend], match: dict[str, Any], port: int, *filters: Any) -> list[dict[str, Any]]:
    shared = {"filters": list(filters)} if filters else {}
    slots = _slots(backends)
    main = {"matches": [match], "backendRefs": [_backend(one.revision, port, one.weight) for one in slots], **shared}
    pinned = [
        {
            "matches": [{**match, "headers": [{"name": REVISION_HEADER, "value": one.revision, "type": "Exact"}]}],
            "backendRefs": [_backend(one.revision, port, 1)],
            **shared,
        }
        for one in slots
    ]
    return [main, *pinned]


def _slots(backends: Sequence[Backend]) -> list[Backend]:
    """Slot a, then slot b; an empty one is filled with the other's revision at weight 0."""
    by_slot: Mapping[str, Backend] = {one.slot: one for one in backends}
    present = next(iter(by_slot.values()))
    return [by_slot.get(slot, Backend(present.revision, slot, 0)) for slot in ("a", "b")]


def _backend(revision: str, port: int, weight: int) -> dict[str, Any]:
    mark = {"set": [{"name": REVISION_HEADER, "value": revision}]}
    return {
        "name": predictor(revision),
        "port": port,
        "weight": weight,
        "filters": [{"type": "ResponseHeaderModifier", "responseHeaderModifier": mark}],
    }
