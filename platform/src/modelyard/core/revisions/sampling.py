"""One of how many requests of a Model is recorded, as a power of two.

Statistics need rows a minute, not a share: `auto` aims at some hundreds of requests a minute, and stays where it is
while there are 100 to 1,000 of them, so that routes seldom change. A share that is asked for is the next one that is no
more.

| recorded now | asked for | next |
|---|---|---|
| whatever | a rollout is under way | what is now |
| none | some | some |
| some | none, or the platform has no recorder | NOBODY: the routes stay for requests on their way, and match no other |
| NOBODY, and the gateway carries it | none | none: the routes go |

One policy of the platform, in its own namespace, names the recorders and finds the routes of samples anywhere by their
label. Envoy Gateway takes routes of another namespace only where a ReferenceGrant of that namespace permits it: each
Model has one, for its own sampled routes and nothing else.
"""

from collections.abc import Mapping
from typing import Any

from modelyard.api.model import Model
from modelyard.core.names import SAMPLE_HEADER, recorded_grant_name, sampled_route_name, sampled_routes
from modelyard.core.resources import owned_object
from modelyard.core.resources.routes import NOBODY
from modelyard.core.snapshot import Snapshot

MOST = 4096
_GROUP = "gateway.networking.k8s.io"
FEWEST_A_MINUTE, MOST_A_MINUTE = 100.0, 1000.0
_AIM = 400.0
_SPAN = 120
RECHECK_SECONDS = 60.0
"""Between two passes that look how many requests there are."""


def desired_sample(snapshot: Snapshot, recorders: bool, rollout: bool, carried: bool) -> int:
    """One of how many requests is to be recorded; 0 for none.

    `recorders` says whether the platform has some, `rollout` whether one is under way, `carried` whether the gateway
    carries the routes as they are.
    """
    now = recorded(snapshot)
    if rollout:
        return now
    monitoring = snapshot.model.spec.monitoring
    share = monitoring.sample_share if monitoring is not None and recorders else 0.0
    if share is None:
        return automatic(now if now != NOBODY else 0, requests_a_minute(snapshot))
    if share > 0:
        return at_most(share)
    return 0 if now == 0 or (now == NOBODY and carried) else NOBODY


def grants(model: Model, platform: str, sample: int) -> list[dict[str, Any]]:
    """The ReferenceGrant for policies of the namespace `platform`, as a list of none or one."""
    if not sample:
        return []
    allowed = {"group": "gateway.envoyproxy.io", "kind": "EnvoyExtensionPolicy", "namespace": platform}
    to = [{"group": _GROUP, "kind": kind, "name": called} for kind, called in sampled_routes(model.name)]
    spec = {"from": [allowed], "to": to}
    return [owned_object(model, "ReferenceGrant", recorded_grant_name(model.name), {"spec": spec})]


def sampling_deadline(snapshot: Snapshot, recorders: bool) -> float | None:
    """Seconds until there is to be looked how many requests there are; None when the sample does not depend on it."""
    monitoring = snapshot.model.spec.monitoring
    depends = monitoring is not None and recorders and monitoring.sample_share is None
    return RECHECK_SECONDS if depends else None


def at_most(share: float) -> int:
    """The largest sample that is no more than a share of 0 to 1."""
    one_of = 1
    while one_of * share < 1 and one_of < MOST:
        one_of *= 2
    return one_of


def automatic(now: int, a_minute: float) -> int:
    """The sample for so many requests a minute; `now` is the one there is, 0 for none."""
    if now and a_minute <= now * MOST_A_MINUTE and (a_minute >= now * FEWEST_A_MINUTE or now == 1):
        return now
    one_of = 1
    while a_minute > one_of * _AIM and one_of < MOST:
        one_of *= 2
    return one_of


def requests_a_minute(snapshot: Snapshot) -> float:
    """What all slots were asked lately; 0 when nothing was counted."""
    windows = [window for window in snapshot.traffic.windows if window.end > snapshot.now - _SPAN]
    seconds = sum(window.seconds for window in windows)
    requests = sum(window.of(slot).requests for window in windows for slot in ("a", "b"))
    return 60.0 * requests / seconds if seconds else 0.0


def recorded(snapshot: Snapshot) -> int:
    """One of how many requests the routes that are there record; 0 when there are none."""
    route = snapshot.child("HTTPRoute", sampled_route_name(snapshot.model.name))
    return _told(route) if route is not None else 0


def _told(route: Mapping[str, Any]) -> int:
    backends = [backend for rule in route["spec"]["rules"] for backend in rule["backendRefs"]]
    filters = [one.get("responseHeaderModifier", {}) for backend in backends for one in backend.get("filters", ())]
    told = [header["value"] for one in filters for header in one.get("set", ()) if header["name"] == SAMPLE_HEADER]
    return int(told[0]) if told else 0
