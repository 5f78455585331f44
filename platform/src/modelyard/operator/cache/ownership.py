"""Whose is the object under a name that a Model needs?

What the cache holds is known. Of everything else the API server tells with the first write itself, which makes an
object and changes none (`GuardedWrites.make`): only when that is refused it is read whose object is in the way. The
fixed names of a new Model are read once, before anything is written for it. Names that turned out to be taken are
remembered by Model until they were asked again: nobody watches objects of others. So is what the API server refused.
"""

import threading
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from modelyard.clients.cluster.api_server import Cluster
from modelyard.core.ownership import LINGER_SECONDS, OBJECT_REFUSED, asked_again, object_refused, refusal
from modelyard.core.snapshot import Failure, ForeignObject, Object, Ref
from modelyard.errors import Refused

from .objects import Key, ObjectCache


class Claim(NamedTuple):
    """What stands under a name: the uid of the object, empty when there is none, and whether it is somebody else's."""

    uid: str = ""
    taken: bool = False


class ForeignObjects:
    """What of every Model is not written, and why; safe to share between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[Key, dict[Ref, ForeignObject]] = {}
        self._claimed: dict[Key, str] = {}

    def of(self, key: Key, now: float) -> Mapping[Ref, ForeignObject]:
        """What stands in a Model's way; a name that nobody asked for again lately is left out."""
        with self._lock:
            known = self._known.get(key, {})
            return {
                ref: foreign
                for ref, foreign in known.items()
                if now - foreign.seen < asked_again(foreign) + LINGER_SECONDS
            }

    def keep(self, key: Key, ref: Ref, answer: Failure | None, now: float) -> None:
        """One name is taken, or (None) free or ours, which says nothing of whether the object is taken."""
        with self._lock:
            before = self._known.get(key, {}).get(ref)
            if answer is None and before is not None and before.refusal.reason == OBJECT_REFUSED:
                return
            self._put(key, ref, None if answer is None else ForeignObject(answer, now))

    def refuse(self, key: Key, ref: Ref, failure: Failure, now: float) -> None:
        """The API server has refused an object, and perhaps did before."""
        with self._lock:
            before = self._known.get(key, {}).get(ref)
            again = before.times if before is not None and before.refusal.reason == failure.reason else 0
            self._put(key, ref, ForeignObject(failure, now, again + 1))

    def written(self, key: Key, ref: Ref) -> None:
        """Nothing stands in the way of an object any more."""
        with self._lock:
            self._put(key, ref, None)

    def _put(self, key: Key, ref: Ref, foreign: ForeignObject | None) -> None:
        known = self._known.setdefault(key, {})
        known.pop(ref, None)
        if foreign is not None:
            known[ref] = foreign
        if not known:
            del self._known[key]

    def claimed(self, key: Key, uid: str) -> bool:
        """Whether all fixed names of the Model with that uid were free or ours once."""
        with self._lock:
            return self._claimed.get(key) == uid

    def claim(self, key: Key, uid: str) -> None:
        """All of them are."""
        with self._lock:
            self._claimed[key] = uid

    def forget(self, key: Key) -> None:
        """The Model is gone."""
        with self._lock:
            self._known.pop(key, None)
            self._claimed.pop(key, None)


class Ownership:
    """Looks at objects before they are written; `now` gives seconds since the epoch."""

    def __init__(self, cluster: Cluster, cache: ObjectCache, foreign: ForeignObjects) -> None:
        self._cluster, self._cache, self.foreign = cluster, cache, foreign

    def free(self, key: Key, model: Object, names: Iterable[Ref], now: float) -> bool:
        """Whether a new Model may have all these names; asked once, and again while one of them is taken."""
        uid = model["metadata"]["uid"]
        if self.foreign.claimed(key, uid):
            return True
        taken = [ref for ref in names if self.claim(key, model, ref, now).taken]
        if not taken:
            self.foreign.claim(key, uid)
        return not taken

    def known(self, key: Key, model: Object, ref: Ref, now: float) -> Claim | None:
        """What the cache holds under a name that this Model needs; None when it holds nothing."""
        thing = self._cache.get(ref)
        return None if thing is None else self._judged(key, model, ref, thing, now)

    def claim(self, key: Key, model: Object, ref: Ref, now: float) -> Claim:
        """What stands under a name that this Model needs, which is remembered when it is taken. Raises OutsideError."""
        return self._judged(key, model, ref, self._cache.get(ref) or self._cluster.identity(ref), now)

    def written(self, key: Key, ref: Ref) -> None:
        """An object of this Model was written under that name, so nobody else's is there and nobody refuses it."""
        self.foreign.written(key, ref)

    def refuse(self, key: Key, ref: Ref, verb: str, error: Refused, now: float) -> None:
        """The API server refused to write, scale or delete an object; its words follow method and path in the error."""
        self.foreign.refuse(key, ref, object_refused(verb, ref, str(error).partition(": ")[2] or str(error)), now)

    def _judged(self, key: Key, model: Object, ref: Ref, thing: Object | None, now: float) -> Claim:
        answer = None if thing is None else refusal(thing, model["metadata"])
        self.foreign.keep(key, ref, answer, now)
        return Claim() if thing is None else Claim(thing["metadata"]["uid"], answer is not None)
