"""An API server in memory, as far as server-side apply, generations, deletion and labels go.

It keeps what the applier wrote apart from what is live, so that a field that is no longer wanted goes and
a field somebody else wrote stays; it adds the defaults the real one adds, so that a comparison that is too
strict shows as drift that never ends.
"""

import pickle
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from modelyard.core.snapshot import Ref

T = TypeVar("T")
MERGED_LISTS = ("ownerReferences", "secrets")
FINALIZED = ("InferenceService",)


def copied(thing: T) -> T:
    """A deep copy of plain data, made four times as fast as `copy.deepcopy` makes it."""
    return pickle.loads(pickle.dumps(thing, pickle.HIGHEST_PROTOCOL))


def ref_of(thing: Mapping[str, Any]) -> Ref:
    return Ref(thing["kind"], thing["metadata"]["namespace"], thing["metadata"]["name"])


class ApiServer:
    """Objects by reference; every change of what is wanted counts the generation up."""

    def __init__(self) -> None:
        self.objects: dict[Ref, dict[str, Any]] = {}
        self._applied: dict[Ref, dict[str, Any]] = {}
        self._uids = 0

    def get(self, kind: str, namespace: str, name: str) -> dict[str, Any] | None:
        return self.objects.get(Ref(kind, namespace, name))

    def of_kind(self, kind: str) -> Iterator[tuple[Ref, dict[str, Any]]]:
        return ((ref, self.objects[ref]) for ref in sorted(self.objects) if ref.kind == kind)

    def apply(self, child: Mapping[str, Any]) -> None:
        """Server-side apply by the one applier there is."""
        ref, desired = ref_of(child), copied(dict(child))
        live = self.objects.get(ref)
        if live is None:
            self.create(desired)
        else:
            self._replace(ref, live, _merged(live, self._applied.get(ref, {}), desired))
        self._applied[ref] = desired

    def create(self, thing: Mapping[str, Any]) -> None:
        """A new object; taking a name that is taken is a mistake of the caller."""
        ref = ref_of(thing)
        assert ref not in self.objects, f"{ref} exists"
        self._uids += 1
        since = thing["metadata"].get("creationTimestamp", "2026-01-01T00:00:00Z")
        born = {"uid": f"uid-{self._uids}", "generation": 1, "creationTimestamp": since}
        self.objects[ref] = _defaulted({**thing, "metadata": {**thing["metadata"], **born}})

    def edit(self, ref: Ref, change: Callable[[dict[str, Any]], None]) -> None:
        """Somebody else's edit; the applier does not own what it wrote."""
        edited = copied(self.objects[ref])
        change(edited)
        self._replace(ref, self.objects[ref], edited)

    def say(self, ref: Ref, status: Mapping[str, Any]) -> bool:
        """Write a status, which counts no generation; True when it differs from the one before."""
        changed = self.objects[ref].get("status") != status
        self.objects[ref] = {**self.objects[ref], "status": copied(dict(status))}
        return changed

    def delete(self, ref: Ref) -> None:
        """Gone at once, or marked when a finalizer holds it."""
        thing = self.objects.get(ref)
        if thing is None:
            return
        if ref.kind in FINALIZED:
            thing["metadata"] = {**thing["metadata"], "deletionTimestamp": "2026-01-01T00:00:00Z"}
        else:
            self.remove(ref)

    def remove(self, ref: Ref) -> None:
        """Gone for good, with the memory of who wrote it."""
        self.objects.pop(ref, None)
        self._applied.pop(ref, None)

    def _replace(self, ref: Ref, live: dict[str, Any], new: dict[str, Any]) -> None:
        new = _defaulted(new)
        differs = _without_status(new) != _without_status(live)
        generation = live["metadata"]["generation"] + (1 if differs else 0)
        self.objects[ref] = {**new, "metadata": {**new["metadata"], "generation": generation}}


def _without_status(thing: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in thing.items() if key not in ("metadata", "status")}


def _merged(live: Mapping[str, Any], before: Mapping[str, Any], desired: Mapping[str, Any]) -> dict[str, Any]:
    """What is live, without what the applier no longer wants, with what it wants."""
    kept = {key: value for key, value in live.items() if key not in before or key in desired}
    for key, value in desired.items():
        if isinstance(value, dict) and isinstance(kept.get(key), dict):
            kept[key] = _merged(kept[key], before.get(key, {}), value)
        elif key in MERGED_LISTS:
            rest = [item for item in kept.get(key, []) if item not in before.get(key, [])]
            kept[key] = [*rest, *(item for item in value if item not in rest)]
        else:
            kept[key] = value
    return kept


def _defaulted(thing: dict[str, Any]) -> dict[str, Any]:
    """With the fields the real server fills in."""
    if thing["kind"] not in ("HTTPRoute", "GRPCRoute"):
        return thing
    thing = copied(thing)
    for parent in thing["spec"].get("parentRefs", []):
        parent.setdefault("group", "gateway.networking.k8s.io")
        parent.setdefault("kind", "Gateway")
    for rule in thing["spec"].get("rules", []):
        for backend in rule.get("backendRefs", []):
            backend.setdefault("group", "")
            backend.setdefault("kind", "Service")
    return thing
