"""What publishes: an HTTPRoute and a GRPCRoute by host name, and an HTTPRoute by path for use without DNS.

The main rule always lists two backends: index 0 is slot a, index 1 slot b. A revision keeps its slot for
life; an empty slot names the other slot's Service with weight 0, because a missing Service would make
the whole route unresolved. Each backend sets `x-modelyard-revision` on its answers; that filter also
makes Envoy Gateway keep one Envoy cluster, so one set of counters, per backend.

Two more rules, one a slot, pin requests that carry the header `x-modelyard-revision: <revision>`, for
warm-ups and debugging; their more specific match wins over the main rule. Rules keep their index for
life, since Envoy names its clusters, and so its counters, by it. What a rollout adds for a time (a mirror,
rules 3 and 4, a preview) is explained in `traffic_policies.py`.

Of a Model whose requests are recorded, three more routes take the sample by the last digits of `x-request-id`, which
the gateway draws: their match is more specific than the main rule's. They have the main rule alone, at the same index,
so that their clusters count for the same slots; who pins a revision or keeps a side goes past them, since of two
matches that are as specific the older route's counts. Their answers say by `x-modelyard-sample` one of how many they
are, and a policy of the platform finds them by their label.

Of a Model that may have no replicas every backend also tells the server which revision is meant, by the header
`x-modelyard-backend`: that server may be a holder, which keeps the request until a replica is there.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from modelyard.api.model import Model
from modelyard.core.names import (
    BACKEND_HEADER,
    RECORDED_LABEL,
    REVISION_HEADER,
    SAMPLE_HEADER,
    host,
    path_route_name,
    predictor,
    preview_host,
    preview_route_name,
    sampled_path_route_name,
    sampled_route_name,
)
from modelyard.settings import GatewaySettings

from . import owned_object
from .traffic_policies import STICKY_RULE, Backend, Publication, StickySides, mirror, sides

__all__ = ["GRPC_SERVICE_PORT", "HTTP_SERVICE_PORT", "Backend", "Publication", "routes"]

HTTP_SERVICE_PORT = 80
GRPC_SERVICE_PORT = 9000
NOBODY = 1 << 20
"""A sample that no request is in, for routes that are about to go."""
_GRPC_SERVICE = "inference.GRPCInferenceService"
_NOTHING_MORE = Publication()


@dataclass(frozen=True)
class _Form:
    """One way in: a route, what it matches, and the port of the Services behind it."""

    kind: str
    name: str
    hostnames: tuple[str, ...]
    match: Mapping[str, Any]
    port: int
    filters: tuple[Mapping[str, Any], ...] = field(default=())
    path: str = "/"


def routes(
    model: Model, backends: Sequence[Backend], gateway: GatewaySettings, publication: Publication = _NOTHING_MORE
) -> list[dict[str, Any]]:
    """The three routes of a Model, three of a sample, two of a preview; empty while no revision has a Service yet.

    `backends` are the revisions with their slots and raw weights, `publication` what comes beside the weights.
    """
    if not backends:
        return []
    published = [
        _route(model, form, gateway, _rules(model, form, backends, publication)) for form in _forms(model, gateway)
    ]
    if publication.sample:
        published += [
            _route(model, form, gateway, [_sampled(model, form, backends, publication)], {RECORDED_LABEL: "true"})
            for form in _forms(model, gateway, sampled_route_name(model.name), sampled_path_route_name(model.name))
        ]
    if all(backend.revision != publication.preview for backend in backends):
        return published
    previewed = [
        _route(model, form, gateway, [_rule(form, [_backend(model, publication.preview or "", form.port, 1)])])
        for form in _preview_forms(model, gateway)
    ]
    return [*published, *previewed]


def _forms(model: Model, gateway: GatewaySettings, route: str = "", path_route: str = "") -> tuple[_Form, ...]:
    route, path_route = route or model.name, path_route or path_route_name(model.name)
    name = host(model.name, model.namespace, gateway.domain)
    below = f"/{model.namespace}/{model.name}/"
    rewrite = {
        "type": "URLRewrite",
        "urlRewrite": {"path": {"type": "ReplacePrefixMatch", "replacePrefixMatch": "/"}},
    }
    return (
        _Form("HTTPRoute", route, (name,), _under("/"), HTTP_SERVICE_PORT),
        _Form("HTTPRoute", path_route, (), _under(below), HTTP_SERVICE_PORT, (rewrite,), below),
        _Form("GRPCRoute", route, (name,), _INFERENCE, GRPC_SERVICE_PORT),
    )


def _preview_forms(model: Model, gateway: GatewaySettings) -> tuple[_Form, ...]:
    name, hostname = preview_route_name(model.name), preview_host(model.name, model.namespace, gateway.domain)
    return (
        _Form("HTTPRoute", name, (hostname,), _under("/"), HTTP_SERVICE_PORT),
        _Form("GRPCRoute", name, (hostname,), _INFERENCE, GRPC_SERVICE_PORT),
    )


_INFERENCE = {"method": {"service": _GRPC_SERVICE, "type": "Exact"}}


def _under(path: str) -> dict[str, Any]:
    return {"path": {"type": "PathPrefix", "value": path}}


def _route(
    model: Model, form: _Form, gateway: GatewaySettings, rules: list[Any], labels: dict[str, str] | None = None
) -> dict[str, Any]:
    parents = [{"name": gateway.name, "namespace": gateway.namespace}]
    hosts = {"hostnames": list(form.hostnames)} if form.hostnames else {}
    spec = {"parentRefs": parents, **hosts, "rules": rules}
    return owned_object(model, form.kind, form.name, {"spec": spec}, labels=labels)


def _rules(model: Model, form: _Form, backends: Sequence[Backend], publication: Publication) -> list[dict[str, Any]]:
    slots, ab_sides = _slots(backends), sides(backends, publication)
    cookies = [ab_sides.cookie_headers(backend.slot, form.path) if ab_sides else [] for backend in slots]
    weighted = [
        _backend(model, backend.revision, form.port, backend.weight, add)
        for backend, add in zip(slots, cookies, strict=True)
    ]
    return [
        _rule(form, weighted, filters=mirror(backends, publication, form.port)),
        *(
            _pinned(model, form, backend, {"name": REVISION_HEADER, "value": backend.revision, "type": "Exact"})
            for backend in slots
        ),
        *(_sticky(model, form, slots, ab_sides) if ab_sides else ()),
    ]


def _sampled(model: Model, form: _Form, backends: Sequence[Backend], publication: Publication) -> dict[str, Any]:
    told = [{"name": SAMPLE_HEADER, "value": str(publication.sample)}]
    weighted = [_backend(model, backend.revision, form.port, backend.weight, mark=told) for backend in _slots(backends)]
    match = {"name": "x-request-id", "value": last_digits(publication.sample), "type": "RegularExpression"}
    if publication.sample == NOBODY:
        match = {"name": "x-request-id", "value": f"{model.name}-nobody", "type": "Exact"}
    return _rule(form, weighted, headers=[match], filters=mirror(backends, publication, form.port))


def last_digits(sample: int) -> str:
    """Expression for one of `sample` (a power of two) values that end in random hexadecimal digits, of equal chance."""
    zeros, rest = divmod(sample.bit_length() - 1, 4)
    digits = "0123456789abcdef"[: 16 >> rest]
    return f".*{f'[{digits}]' if rest else ''}{'0' * zeros}"


def _sticky(model: Model, form: _Form, slots: Sequence[Backend], ab_sides: StickySides) -> list[dict[str, Any]]:
    if ab_sides.ab.cookie is not None:
        return [_pinned(model, form, backend, ab_sides.cookie_match(backend.slot)) for backend in slots]
    weighted = [_backend(model, backend.revision, form.port, backend.weight) for backend in slots]
    return [{"name": STICKY_RULE, **_rule(form, weighted, headers=[ab_sides.header_match()])}]


def _pinned(model: Model, form: _Form, to: Backend, header: Mapping[str, str]) -> dict[str, Any]:
    return _rule(form, [_backend(model, to.revision, form.port, 1)], headers=[dict(header)])


def _rule(form: _Form, backends: list[Any], headers: Sequence[Any] = (), filters: Sequence[Any] = ()) -> dict[str, Any]:
    matched = {"headers": list(headers)} if headers else {}
    steps = [*filters, *form.filters]
    return {
        "matches": [{**form.match, **matched}],
        "backendRefs": backends,
        **({"filters": steps} if steps else {}),
    }


def _slots(backends: Sequence[Backend]) -> list[Backend]:
    """Slot a, then slot b; an empty one is filled with the other's revision at weight 0."""
    by_slot: Mapping[str, Backend] = {backend.slot: backend for backend in backends}
    present = next(iter(by_slot.values()))
    return [by_slot.get(slot, Backend(present.revision, slot, 0)) for slot in ("a", "b")]


def _backend(
    model: Model,
    revision: str,
    port: int,
    weight: int,
    add: Sequence[Mapping[str, str]] = (),
    mark: Sequence[Mapping[str, str]] = (),
) -> dict[str, Any]:
    more = {"add": [dict(header) for header in add]} if add else {}
    marks = {"set": [{"name": REVISION_HEADER, "value": revision}, *map(dict, mark)], **more}
    filters: list[dict[str, Any]] = [{"type": "ResponseHeaderModifier", "responseHeaderModifier": marks}]
    if model.spec.may_rest:
        meant = {"set": [{"name": BACKEND_HEADER, "value": f"{model.namespace}/{revision}"}]}
        filters.append({"type": "RequestHeaderModifier", "requestHeaderModifier": meant})
    return {"name": predictor(revision), "port": port, "weight": weight, "filters": filters}
