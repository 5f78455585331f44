"""Which revisions a holder serves, and where their ready pods are: read from EndpointSlices, never written.

A Service may have many EndpointSlices. Two kinds concern a holder, and both carry the labels of the revision:

| `endpointslice.kubernetes.io/managed-by` | made by | says |
|---|---|---|
| `modelyard` | the operator, while the revision is at zero or on its way | this revision may be held for |
| `endpointslice-controller.k8s.io` | Kubernetes, from the Service | the addresses and ports of its pods |

Nobody else's word counts: a request for a revision that no slice of the operator's names is refused.
"""

import threading
from collections.abc import Callable, Collection, Mapping
from typing import Any, NamedTuple

from modelyard.core.names import REVISION_LABEL, SLICE_MANAGER_LABEL

OURS = "modelyard"
_KUBERNETES = "endpointslice-controller.k8s.io"


class Held(NamedTuple):
    """A revision, as the gateway names it in the header `x-modelyard-backend`: `<namespace>/<revision>`."""

    namespace: str
    revision: str

    @classmethod
    def parse(cls, written: str) -> "Held | None":
        """The revision that a header names; None when it names none."""
        namespace, slash, revision = written.partition("/")
        return cls(namespace, revision) if namespace and slash and revision and "/" not in revision else None

    def __str__(self) -> str:
        return f"{self.namespace}/{self.revision}"


class Address(NamedTuple):
    """Where one pod listens."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class _Known(NamedTuple):
    """One slice: whose it is, who made it, and what it says."""

    held: Held
    manager: str
    thing: Mapping[str, Any]


class EndpointSlices:
    """The slices as last seen; told by one thread, asked by another.

    `changed` is called with the revision after every change of a slice of it.
    """

    def __init__(self, changed: Callable[[Held], None]) -> None:
        self._changed = changed
        self._lock = threading.Lock()
        self._known: dict[str, _Known] = {}
        self._by_revision: dict[Held, dict[str, _Known]] = {}
        self._turn = 0

    def listing(self) -> None:
        """Nothing is to be done when a listing begins, for what was seen before it counts until its end."""

    def take_in(self, event_type: str | None, thing: Mapping[str, Any]) -> None:
        """Keeps a slice, or drops it."""
        uid, labels = thing["metadata"]["uid"], thing["metadata"].get("labels") or {}
        held = Held(thing["metadata"]["namespace"], labels.get(REVISION_LABEL, ""))
        known = _Known(held, labels.get(SLICE_MANAGER_LABEL, ""), thing)
        with self._lock:
            before = self._drop(uid)
            if event_type != "DELETED":
                self._known[uid] = known
                self._by_revision.setdefault(held, {})[uid] = known
        for concerned in {held, before or held}:
            self._changed(concerned)

    def listed(self, uids: Collection[str]) -> None:
        """Drops the slices that are gone."""
        with self._lock:
            gone = {self._known[uid].held for uid in self._known.keys() - uids}
            for uid in self._known.keys() - uids:
                self._drop(uid)
        for concerned in gone:
            self._changed(concerned)

    def named(self, held: Held) -> bool:
        """True when the operator has named this revision."""
        return bool(self._of(held, OURS))

    def ready(self, held: Held, port: str) -> Address | None:
        """A pod of the revision that takes requests at the port of that name, each in turn; None when there is none."""
        found = [
            Address(address, int(one["port"]))
            for piece in self._of(held, _KUBERNETES)
            for one in piece.get("ports") or ()
            if one.get("name") == port and one.get("port")
            for endpoint in piece.get("endpoints") or ()
            if (endpoint.get("conditions") or {}).get("ready", True)
            for address in endpoint["addresses"][:1]
        ]
        if not found:
            return None
        self._turn += 1
        return found[self._turn % len(found)]

    def _of(self, held: Held, manager: str) -> list[Mapping[str, Any]]:
        with self._lock:
            known = list(self._by_revision.get(held, {}).values())
        return [one.thing for one in known if one.manager == manager]

    def _drop(self, uid: str) -> Held | None:
        """Forgets a slice; the revision it was of, None when it was not known."""
        known = self._known.pop(uid, None)
        if known is None:
            return None
        of_revision = self._by_revision[known.held]
        del of_revision[uid]
        if not of_revision:
            del self._by_revision[known.held]
        return known.held
