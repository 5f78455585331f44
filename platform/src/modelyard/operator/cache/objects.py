"""The cluster as this process last saw it: one dictionary per kind, filled by watches and by our own writes.

Rules that keep it honest:
* An older resourceVersion never replaces a newer one, so the answer to our own write can be put in at
  once (the next decision reads it) and the watch event of the state before it changes nothing.
* A deletion removes only the object it speaks of, by uid, and is remembered for a while, so that an
  answer that was on its way when the object was deleted does not bring it back. (An object that lost its
  label is reported deleted too; it returns under the same uid with a newer version.)
* What is deleted while a watch has lost its place is told by nobody; `retain` takes it out after the next listing.
"""

import threading
import time
from collections.abc import Callable, Collection, Mapping
from typing import NamedTuple

from modelyard.core.kinds import BY_NAME, MODEL
from modelyard.core.names import MODEL_LABEL, NAMESPACE_LABEL
from modelyard.core.snapshot import Object, Ref

_REMEMBERED_SECONDS = 600.0


class Key(NamedTuple):
    """One Model: namespace and name."""

    namespace: str
    name: str


def ref_of(thing: Object) -> Ref:
    """The reference of an object as the API server writes it."""
    meta = thing["metadata"]
    return Ref(thing["kind"], meta.get("namespace", ""), meta["name"])


def key_of(thing: Object) -> Key | None:
    """The Model an object is or belongs to; None for objects of builds, which many Models may share.

    Jobs that check a candidate or optimize run in the platform's namespace and name the Model's in a label, which is
    believed of Jobs alone: only those of the platform's namespace are ever seen.
    """
    meta = thing["metadata"]
    labels = meta.get("labels", {})
    name = meta["name"] if thing["kind"] == MODEL.kind else labels.get(MODEL_LABEL)
    namespace = labels.get(NAMESPACE_LABEL) if thing["kind"] == "Job" else None
    return Key(namespace or meta["namespace"], name) if name else None


def version_of(thing: Object) -> int:
    """The resourceVersion; of one kind's versions the greater is the later."""
    return int(thing["metadata"].get("resourceVersion", 0))


def has_rollout(model: Object) -> bool:
    """Whether a Model has a rollout under way, as its status says."""
    rollout = (model.get("status") or {}).get("rollout") or {}
    return rollout.get("phase", "Idle") != "Idle"


def compares(model: Object) -> bool:
    """Whether a rollout is under way in which a candidate has a stable to stand beside; the first revision has none."""
    return has_rollout(model) and bool(model["status"]["rollout"].get("stable"))


def may_rest(model: Object) -> bool:
    """Whether it matters to a Model which holders are ready: it may have no replicas, or is on the way from there."""
    scaling = (model.get("spec") or {}).get("scaling") or {}
    return scaling.get("minReplicas") == 0 or bool((model.get("status") or {}).get("idle"))


class ObjectCache:
    """Objects by kind and by Model; safe to share between threads; objects handed out are never changed."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._kinds: dict[str, dict[Ref, Object]] = {kind: {} for kind in BY_NAME}
        self._owned: dict[Key, set[Ref]] = {}
        self._gone: dict[str, tuple[int, float]] = {}

    def put(self, thing: Object) -> bool:
        """Takes in an object unless a newer one is known or it is known to be deleted; True when taken."""
        ref = ref_of(thing)
        with self._lock:
            self._forget_old()
            gone_at, _ = self._gone.get(thing["metadata"]["uid"], (-1, 0.0))
            cached = self._kinds[ref.kind].get(ref)
            newest = max(gone_at, -1 if cached is None else version_of(cached))
            if newest >= version_of(thing):
                return False
            if cached is not None:
                self._disown(ref, cached)
            self._kinds[ref.kind][ref] = thing
            if (key := key_of(thing)) is not None:
                self._owned.setdefault(key, set()).add(ref)
            return True

    def remove(self, ref: Ref, uid: str, version: int = 0) -> None:
        """Takes out the object with that uid, and remembers that up to `version` it is gone."""
        with self._lock:
            cached = self._kinds[ref.kind].get(ref)
            if cached is not None and cached["metadata"]["uid"] == uid:
                version = max(version, version_of(cached))
                del self._kinds[ref.kind][ref]
                self._disown(ref, cached)
            self._gone.pop(uid, None)
            self._gone[uid] = (version, self._clock())

    def get(self, ref: Ref) -> Object | None:
        """The object, or None."""
        with self._lock:
            return self._kinds[ref.kind].get(ref)

    def model(self, key: Key) -> Object | None:
        """The Model of that key, or None."""
        return self.get(Ref(MODEL.kind, key.namespace, key.name))

    def models(self) -> list[Object]:
        """All Models."""
        with self._lock:
            return list(self._kinds[MODEL.kind].values())

    def owners(self) -> list[Key]:
        """All Models, and those that are gone but left something."""
        with self._lock:
            return list(self._owned)

    def children(self, key: Key) -> dict[Ref, Object]:
        """Everything that carries the label of that Model in its namespace, and the Jobs that name it."""
        with self._lock:
            refs = self._owned.get(key, ())
            return {ref: self._kinds[ref.kind][ref] for ref in refs if ref.kind != MODEL.kind}

    def count(self) -> Mapping[str, int]:
        """Number of objects per kind."""
        with self._lock:
            return {kind: len(things) for kind, things in self._kinds.items()}

    def uids(self, kind: str) -> dict[str, Ref]:
        """The objects of a kind by uid: what to hand to `retain` after a listing was made."""
        with self._lock:
            return {thing["metadata"]["uid"]: ref for ref, thing in self._kinds[kind].items()}

    def retain(self, before: Mapping[str, Ref], listed: Collection[str]) -> list[Object]:
        """Takes out what was cached `before` a listing and is not in it, both by uid; what that was."""
        lost = [(uid, ref, self.get(ref)) for uid, ref in before.items() if uid not in listed]
        for uid, ref, _ in lost:
            self.remove(ref, uid)
        return [thing for uid, _, thing in lost if thing is not None and thing["metadata"]["uid"] == uid]

    def _disown(self, ref: Ref, cached: Object) -> None:
        key = key_of(cached)
        if key is not None and key in self._owned:
            self._owned[key].discard(ref)
            if not self._owned[key]:
                del self._owned[key]

    def _forget_old(self) -> None:
        oldest = self._clock() - _REMEMBERED_SECONDS
        while self._gone and next(iter(self._gone.values()))[1] < oldest:
            del self._gone[next(iter(self._gone))]
