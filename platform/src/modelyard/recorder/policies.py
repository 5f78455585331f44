"""Which Models are recorded, what of their rows may be kept, and what they are counted by: read from the Models.

A Model that cannot be read, because it is of a later version, is not recorded. The reference of a revision lies beside
its build; it is read once, when the revision is first seen, and rows that come before are not counted. One that is made
of the revision's first days is looked for every LOOKED_FOR_SECONDS until it is there.
"""

import logging
import threading
import time
from collections.abc import Callable, Collection, Mapping
from typing import Any

from pydantic import ValidationError

from modelyard.api.model import Model
from modelyard.api.monitoring.profile import ReferenceProfile
from modelyard.api.monitoring.spec import Monitoring
from modelyard.core.monitoring.declared_quality import with_declared
from modelyard.core.storage.keys import build_profile
from modelyard.core.storage.object_store import Store
from modelyard.errors import ModelyardError
from modelyard.records.first_days import learnt_profile

from .receiver import CapturePolicy
from .redaction import Redaction, model_key
from .retention import DEFAULT_DAYS

LOOKED_FOR_SECONDS = 60.0
_log = logging.getLogger(__name__)


class ModelPolicies:
    """The Models as last seen; told by one thread (see `list_watch.Follower`), asked by others."""

    def __init__(self, store: Store, secret: bytes, clock: Callable[[], float] = time.monotonic) -> None:
        self._store, self._secret, self._clock = store, secret, clock
        self._lock = threading.Lock()
        self._names: dict[str, tuple[str, str]] = {}
        self._policies: dict[tuple[str, str], CapturePolicy] = {}
        self._days: dict[tuple[str, str], int] = {}
        self._profiles: dict[str, ReferenceProfile | None] = {}
        self._declared: dict[tuple[str, str], ReferenceProfile] = {}
        self._unread: dict[str, Mapping[str, Any]] = {}
        self._learnt: dict[tuple[str, str, str], ReferenceProfile] = {}
        self._rests: dict[str, float] = {}

    def of(self, namespace: str, model: str) -> CapturePolicy | None:
        """What holds for a Model; None when it is not recorded."""
        return self._policies.get((namespace, model))

    def days_of(self, namespace: str, model: str) -> int:
        """How many days the rows of a Model are kept."""
        return self._days.get((namespace, model), DEFAULT_DAYS)

    def listing(self) -> None:
        """What was seen before counts until the listing ends."""

    def take_in(self, event_type: str | None, thing: Mapping[str, Any]) -> None:
        """One Model."""
        metadata = thing["metadata"]
        name = (metadata["namespace"], metadata["name"])
        policy, days = (None, DEFAULT_DAYS) if event_type == "DELETED" else self._read(thing, name)
        with self._lock:
            self._names[metadata["uid"]] = name
            self._set(name, policy, days)
            self._note(thing, policy)

    def listed(self, uids: Collection[str]) -> None:
        """Forgets the Models that are gone."""
        with self._lock:
            for uid in self._names.keys() - uids:
                self._set(self._names.pop(uid), None, DEFAULT_DAYS)
                self._unread.pop(uid, None)
                self._rests.pop(uid, None)

    def read_again(self) -> None:
        """Reads the references that the store did not give when their Models were seen."""
        with self._lock:
            now = self._clock()
            unread = {uid: thing for uid, thing in self._unread.items() if self._rests.get(uid, now) <= now}
        for uid, thing in unread.items():
            name = (thing["metadata"]["namespace"], thing["metadata"]["name"])
            policy, days = self._read(thing, name)
            with self._lock:
                if self._unread.get(uid) is thing:
                    self._set(name, policy, days)
                    self._note(thing, policy)

    def _note(self, thing: Mapping[str, Any], policy: CapturePolicy | None) -> None:
        """Remembers a Model whose references are not all read, and until when it is let alone."""
        uid, revisions = thing["metadata"]["uid"], thing.get("status", {}).get("revisions", [])
        unread = policy is not None and any(revision["digest"] not in self._profiles for revision in revisions)
        learns = policy is not None and policy.learns and any(one["name"] not in policy.profiles for one in revisions)
        self._unread.pop(uid, None)
        self._rests.pop(uid, None)
        if unread or learns:
            self._unread[uid] = thing
        if learns and not unread:
            self._rests[uid] = self._clock() + LOOKED_FOR_SECONDS

    def _set(self, name: tuple[str, str], policy: CapturePolicy | None, days: int) -> None:
        if policy is None:
            self._policies.pop(name, None)
            self._days.pop(name, None)
        else:
            self._policies[name], self._days[name] = policy, days

    def _read(self, thing: Mapping[str, Any], name: tuple[str, str]) -> tuple[CapturePolicy | None, int]:
        try:
            model = Model.of(thing)
        except ValidationError as bad:
            _log.warning("not recorded", extra={"fields": {"model": "/".join(name), "error": str(bad)}})
            return None, DEFAULT_DAYS
        asked = model.spec.monitoring
        if asked is None or asked.sample is None:
            return None, DEFAULT_DAYS
        kept, hashed = (asked.log.columns or [], asked.log.redact or []) if asked.log else ([], [])
        redaction = Redaction(frozenset(kept), frozenset(hashed), model_key(self._secret, *name))
        profiles = {one.name: self._watched((*name, one.name), one.digest, asked) for one in model.status.revisions}
        found = {revision: profile for revision, profile in profiles.items() if profile is not None}
        learns = asked.drift.reference is not None
        policy = CapturePolicy(redaction, found, asked.feedback is not None, learns)
        return policy, asked.log.retention_days if asked.log else DEFAULT_DAYS

    def _watched(self, place: tuple[str, str, str], digest: str, asked: Monitoring) -> ReferenceProfile | None:
        """The reference with what the spec knows better; the same object as long as both are the same."""
        profile, of = self._profile(digest), digest
        if profile is None and digest in self._profiles and asked.drift.reference is not None:
            profile, of = self._first_days(place), "/".join(place)
        if profile is None or asked.quality is None:
            return profile
        return self._declared.setdefault((of, asked.quality.model_dump_json()), with_declared(profile, asked))

    def _first_days(self, place: tuple[str, str, str]) -> ReferenceProfile | None:
        """What was made of a revision's first days; None before that."""
        if place not in self._learnt:
            try:
                profile = learnt_profile(self._store, place)
            except ModelyardError as bad:
                _log.warning("no reference", extra={"fields": {"revision": "/".join(place), "error": str(bad)}})
                return None
            if profile is None:
                return None
            self._learnt[place] = profile
        return self._learnt[place]

    def _profile(self, digest: str) -> ReferenceProfile | None:
        """The reference of a build; None when it has none, or one that cannot be read."""
        if digest not in self._profiles:
            try:
                content = self._store.get(build_profile(digest))
                profile = ReferenceProfile.model_validate_json(content) if content else None
            except (ModelyardError, ValidationError) as bad:
                _log.warning("no reference", extra={"fields": {"build": digest, "error": str(bad)}})
                return None
            self._profiles[digest] = profile
        return self._profiles[digest]
