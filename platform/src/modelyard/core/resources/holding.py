"""What lets requests wait for a revision at zero: the holders among its endpoints, and the patience of its routes.

An EndpointSlice of ours on the revision's own Service lists the holders; Kubernetes and the gateway put the slices of a
Service together, so going to zero and coming back changes endpoints and nothing else: the gateway's clusters and their
counters stay. Its ports have the names of the Service's and numbers of their own.

The gateway ends a request after 15 s. A policy gives the routes of a Model what `serving.timeout` says instead, and
those of one that may be at zero the longest wait on top; where that says nothing, half a minute for the answer.

The same policy says of how many requests the gateway sends a trace. By itself it samples nothing (`gateway.tracing` in
the chart). A changed share is a changed route: nothing restarts, no connection ends.
"""

import ipaddress
import math
from typing import Any

from modelyard.api.model import Model
from modelyard.api.quantity import seconds
from modelyard.core.names import (
    REVISION_LABEL,
    SLICE_MANAGER_LABEL,
    holding_name,
    main_routes,
    patience_name,
    predictor,
    sampled_routes,
)
from modelyard.core.snapshot import Holders

from . import owned_object

_SERVICE_LABEL = "kubernetes.io/service-name"
_ANSWER_SECONDS = 30.0
_MOST = 99_999
_DENOMINATOR = 100_000
"""A thousandth of a percent is the least that is traced."""


def holding_slices(model: Model, revision: str, holders: Holders) -> list[dict[str, Any]]:
    """One EndpointSlice for every family of addresses that ready holders have: IPv4, IPv6."""
    families: dict[str, list[str]] = {}
    for address in holders.addresses:
        families.setdefault(f"IPv{ipaddress.ip_address(address).version}", []).append(address)
    return [
        owned_object(
            model,
            "EndpointSlice",
            holding_name(revision, family),
            {
                "addressType": family,
                "ports": [
                    {"name": "http", "port": holders.http_port, "protocol": "TCP"},
                    {"name": "grpc", "port": holders.grpc_port, "protocol": "TCP"},
                ],
                "endpoints": [{"addresses": [address], "conditions": {"ready": True}} for address in sorted(found)],
            },
            labels={REVISION_LABEL: revision, _SERVICE_LABEL: predictor(revision), SLICE_MANAGER_LABEL: "modelyard"},
        )
        for family, found in sorted(families.items())
    ]


def patience(model: Model, longest_wait: float, recorded: bool = False) -> list[dict[str, Any]]:
    """The policy of a Model that says how long its answers may take, may be at zero, or is traced; none for others.

    Requests that are `recorded` are treated alike.
    """
    asked = {**_timeout(model, longest_wait), **_tracing(model)}
    if not asked:
        return []
    group = "gateway.networking.k8s.io"
    targets = (*main_routes(model.name), *(sampled_routes(model.name) if recorded else ()))
    spec = {
        "targetRefs": [{"group": group, "kind": kind, "name": name} for kind, name in targets],
        "mergeType": "StrategicMerge",
        **asked,
    }
    return [owned_object(model, "BackendTrafficPolicy", patience_name(model.name), {"spec": spec})]


def _timeout(model: Model, longest_wait: float) -> dict[str, Any]:
    own = model.spec.serving.timeout
    if own is None and not model.spec.may_rest:
        return {}
    answer = _ANSWER_SECONDS if own is None else seconds(own)
    allowed = answer + (longest_wait if model.spec.may_rest else 0.0)
    return {"timeout": {"http": {"requestTimeout": gateway_duration(allowed)}}}


def _tracing(model: Model) -> dict[str, Any]:
    monitoring = model.spec.monitoring
    if monitoring is None or monitoring.tracing is None or monitoring.tracing.percent == 0:
        return {}
    share = max(1, round(monitoring.tracing.percent * _DENOMINATOR / 100))
    return {"telemetry": {"tracing": {"samplingFraction": {"numerator": share, "denominator": _DENOMINATOR}}}}


def gateway_duration(length: float) -> str:
    """Seconds as the Gateway API takes them: whole numbers of five digits at most, rounded up; GEP-2257."""
    milliseconds = math.ceil(round(length * 1000.0, 6))
    if milliseconds % 1000 and milliseconds <= _MOST:
        return f"{milliseconds}ms"
    whole = math.ceil(milliseconds / 1000)
    return f"{whole}s" if whole <= _MOST else f"{min(math.ceil(whole / 3600), _MOST)}h"
