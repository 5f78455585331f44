"""What a rollout publishes beside the weights: a mirror, a preview, and sides that users stick to.

Mirror: a percentage of the main rule's requests goes to one more revision, whose answers nobody sees. Envoy Gateway
names its cluster by the filter's place in the rule, so the mirror is always the first filter.

Sticky by header: one more rule, 3, takes requests that name their user and lists both slots like the main rule. A
BackendTrafficPolicy hashes the header, and Envoy picks the side by that hash instead of by chance. Nothing is
kept anywhere, so it holds for the first request as for the last, over HTTP by host, by path, and over gRPC.
The policy is for that rule alone: it also changes how Envoy balances replicas, and a cluster changed in that way
is renewed, which takes Envoy 15 s in which the gateway gets no new clusters. Rule 3's are made with it.

Sticky by cookie: the main rule splits by chance and each side adds a cookie that names the test and its side;
two more rules, 3 for slot a and 4 for slot b, take whoever brings one back. The name of the test is made of
both revisions, so that nobody's side in an earlier test decides about a later one.

Rules 3 and 4 are there while both sides have a weight. While one joins or leaves at 1 : 1,000,000 they match nobody:
Envoy then has their clusters before the first request needs them, and until the last one is answered.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from modelyard.api.model import Model
from modelyard.api.rollout import AB
from modelyard.core.names import experiment, main_routes, predictor, sticky_policy_name

from . import owned_object

STICKY_RULE = "users"
"""Name of rule 3 when a header names the user."""
COOKIE_SECONDS = 30 * 24 * 3600
"""How long a browser remembers its side."""
_LEAST_SHARE = 0.001
"""Of the traffic; who has less is joining or leaving, not tried."""


class Backend(NamedTuple):
    """A revision in the route: its slot (a or b) and its raw weight, relative to the other's."""

    revision: str
    slot: str
    weight: int


@dataclass(frozen=True)
class Publication:
    """What a rollout publishes beside the weights.

    `mirror` is a revision and the percentage of requests it gets a copy of; `preview` the revision that answers at the
    preview host; `sticky` the A/B test whose users keep their side; `sample` one of how many requests is recorded, a
    power of two, 0 when none is. Revisions without a Service are left out.
    """

    mirror: tuple[str, int] | None = None
    preview: str | None = None
    sticky: AB | None = None
    sample: int = 0


class StickySides(NamedTuple):
    """The sides of an A/B test and how users keep theirs; `live` once both have their weight."""

    ab: AB
    test: str
    live: bool

    def cookie_headers(self, slot: str, path: str) -> list[dict[str, str]]:
        """Response headers that tell a user's browser its side; it sends the cookie back below `path`."""
        if self.ab.cookie is None or not self.live:
            return []
        value = f"{self._pair(slot)}; Path={path}; Max-Age={COOKIE_SECONDS}; HttpOnly"
        return [{"name": "Set-Cookie", "value": value}]

    def cookie_match(self, slot: str) -> dict[str, str]:
        """The route's header match for users who bring the cookie of the side in `slot`."""
        if not self.live:
            return {"name": "cookie", "value": self._pair("nobody"), "type": "Exact"}
        return {"name": "cookie", "value": f"(.*; *)?{re.escape(self._pair(slot))}(;.*)?", "type": "RegularExpression"}

    def header_match(self) -> dict[str, str]:
        """The route's header match for users who name themselves by a header."""
        if not self.live:
            return {"name": self.ab.header or "", "value": f"{self.test}-nobody", "type": "Exact"}
        return {"name": self.ab.header or "", "value": ".+", "type": "RegularExpression"}

    def _pair(self, slot: str) -> str:
        return f"{self.ab.cookie}={self.test}-{slot}"


def sides(backends: Sequence[Backend], publication: Publication) -> StickySides | None:
    """The sides of an A/B test; None when there is none or one side has no weight at all."""
    weights = [backend.weight for backend in backends]
    if publication.sticky is None or len({backend.slot for backend in backends}) == 1 or min(weights) == 0:
        return None
    names = [backend.revision for backend in sorted(backends, key=lambda backend: backend.slot)]
    return StickySides(publication.sticky, experiment(names), min(weights) >= _LEAST_SHARE * sum(weights))


def mirror(backends: Sequence[Backend], publication: Publication, port: int) -> list[dict[str, Any]]:
    """The filter that copies requests to the mirrored revision's Service at `port`, as a list of none or one."""
    if publication.mirror is None:
        return []
    revision, percent = publication.mirror
    if all(backend.revision != revision for backend in backends):
        return []
    copied_to = {"name": predictor(revision), "port": port}
    return [{"type": "RequestMirror", "requestMirror": {"backendRef": copied_to, "percent": percent}}]


def policies(model: Model, publication: Publication) -> list[dict[str, Any]]:
    """The BackendTrafficPolicy of an A/B test by header, as a list of none or one.

    Apply it before the first route that has rule 3, and delete it after the last.
    """
    ab = publication.sticky
    if ab is None or ab.header is None:
        return []
    rule = {"group": "gateway.networking.k8s.io", "sectionName": STICKY_RULE}
    targets = main_routes(model.name)
    spec = {
        "targetRefs": [{**rule, "kind": kind, "name": name} for kind, name in targets],
        "mergeType": "StrategicMerge",
        "loadBalancer": {
            "type": "ConsistentHash",
            "consistentHash": {"type": "Headers", "headers": [{"name": ab.header}]},
        },
    }
    return [owned_object(model, "BackendTrafficPolicy", sticky_policy_name(model.name), {"spec": spec})]
