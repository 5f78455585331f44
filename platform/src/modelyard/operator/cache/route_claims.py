"""Routes of others on our Gateway, by the places they claim: what a watch tells, asked for by Model.

The watch leaves out what carries our label; a route of somebody else that carries it all the same comes from the cache.
Of a route nothing is kept but its claim.
"""

import threading
from collections.abc import Callable, Collection, Mapping
from typing import Any

from modelyard.api.model import KIND, Model
from modelyard.core.resources.claimed_places import claim_of, model_at, places_of
from modelyard.core.snapshot import Object, RouteClaim
from modelyard.settings import GatewaySettings

from .objects import Key

ROUTES = ("HTTPRoute", "GRPCRoute")


class RouteClaims:
    """Claims by uid of their route and by place; safe to share. `wake` is called for every Model a change concerns."""

    def __init__(self, gateway: GatewaySettings, wake: Callable[[Key], None]) -> None:
        self._gateway, self._wake = gateway, wake
        self._lock = threading.Lock()
        self._by_uid: dict[str, RouteClaim] = {}
        self._by_place: dict[str, set[str]] = {}

    def note(self, route: Object, gone: bool) -> None:
        """A route came, changed or is `gone`; routes that a Model owns are no claims of others."""
        metadata = route["metadata"]
        if any(owner.get("kind") == KIND for owner in metadata.get("ownerReferences", ())):
            return
        self._put(metadata["uid"], None if gone else claim_of(route, self._gateway))

    def drop(self, uid: str) -> None:
        """The route with that uid is gone."""
        self._put(uid, None)

    def of(self, model: Model) -> tuple[RouteClaim, ...]:
        """The claims of others to where that Model answers."""
        with self._lock:
            uids = {uid for place in places_of(model, self._gateway) for uid in self._by_place.get(place, ())}
            return tuple(sorted(self._by_uid[uid] for uid in uids))

    def _put(self, uid: str, claim: RouteClaim | None) -> None:
        with self._lock:
            before = self._by_uid.get(uid)
            if before == claim:
                return
            self._replace(uid, before, claim)
        changed = {place for each in (before, claim) if each is not None for place in each.places}
        for model in {model_at(place, self._gateway.domain) for place in changed}:
            if model is not None:
                self._wake(Key(*model))

    def _replace(self, uid: str, before: RouteClaim | None, claim: RouteClaim | None) -> None:
        for place in before.places if before is not None else ():
            self._by_place[place].discard(uid)
            if not self._by_place[place]:
                del self._by_place[place]
        self._by_uid.pop(uid, None)
        if claim is not None:
            self._by_uid[uid] = claim
            for place in claim.places:
                self._by_place.setdefault(place, set()).add(uid)


class OthersRoutes:
    """Tells `claims` of the routes of one kind that carry no Model's label."""

    def __init__(self, kind: str, claims: RouteClaims) -> None:
        self._kind, self._claims, self._known = kind, claims, set[str]()

    def listing(self) -> None:
        """Nothing is to be done when a listing begins."""

    def take_in(self, event_type: str | None, thing: Mapping[str, Any]) -> None:
        """A route came, changed or is gone."""
        gone = event_type == "DELETED"
        (self._known.discard if gone else self._known.add)(thing["metadata"]["uid"])
        self._claims.note({**thing, "kind": self._kind}, gone)

    def listed(self, uids: Collection[str]) -> None:
        """Routes that are not in the listing are gone."""
        for uid in self._known - set(uids):
            self._claims.drop(uid)
        self._known &= set(uids)
