"""Whether somebody who is trusted has signed the entry of a Model: keys from the cluster, signatures from the registry.

Nothing here waits: both are asked for in the background. Keys are read again every half minute, so that one that was
taken out is trusted no longer; a signature that was good for these keys and this digest stays good.
"""

from math import inf
from typing import Any, NamedTuple, Protocol

from modelyard.api.entry import Entry
from modelyard.api.model import Model
from modelyard.core.snapshot import Failure, Ref, ResolvedEntry, Verification
from modelyard.errors import InvalidKey, SignatureInvalid, UserError
from modelyard.operator.cache.objects import Key
from modelyard.operator.polling.poller import Habits, Unanswered
from modelyard.operator.polling.polling import Polling
from modelyard.settings import Settings
from modelyard.signing.entry_signature import verify_entry
from modelyard.signing.keys import from_text, public_keys

from .build_keys import public_texts

KEY_SECONDS, FAILED_SECONDS = 30.0, 5.0

_Keys = tuple[str, ...]


class SignedEntries(Protocol):
    """Where entries and their signatures are."""

    def resolve(self, name: str, version: str | None = None, alias: str | None = None) -> Entry: ...
    def signatures(self, name: str, version: str) -> dict[str, bytes]: ...


class KeyHolders(Protocol):
    """Reading of ConfigMaps and Secrets."""

    def get(self, ref: Ref) -> dict[str, Any] | None: ...


class _Place(NamedTuple):
    ref: Ref
    field: str | None


class _Signed(NamedTuple):
    entry: ResolvedEntry
    policies: tuple[_Keys, ...]


class VerificationObserver:
    """Answers about the Models that are to be signed."""

    def __init__(self, cluster: KeyHolders, registry: SignedEntries, polling: Polling, settings: Settings) -> None:
        self._cluster, self._registry, self._settings = cluster, registry, settings
        self._places = polling.poller("the API server", self._read, Habits(_key_seconds, unsettled=lambda _: True))
        self._signed = polling.poller("the registry", self._verify, Habits(_verdict_seconds, unsettled=_failed))

    def of(self, key: Key, model: Model, entry: ResolvedEntry | Failure) -> Verification:
        """The policies that hold for a Model, and why its entry does not satisfy them."""
        try:
            policies = self._namespace_policy(model.namespace)
        except InvalidKey as bad:
            return Verification(failure=Failure(bad.reason, str(bad)))
        own = self._own_policy(key, model)
        if isinstance(own, Failure):
            return Verification(policies, own)
        policies = (*policies, own) if own else policies
        if isinstance(entry, Failure):
            return Verification(policies)
        verdict = self._signed.of(key, _Signed(entry, policies))
        if isinstance(verdict, Unanswered):
            return Verification(policies, verdict.failure)
        return Verification(policies, verdict if isinstance(verdict, Failure) else None)

    def _namespace_policy(self, namespace: str) -> tuple[_Keys, ...]:
        text = self._settings.signing.of(namespace)
        if not text:
            return ()
        where = f"config.signing.namespaces, for namespace {namespace},"
        return (tuple(key.text for key in public_keys(text, where)),)

    def _own_policy(self, key: Key, model: Model) -> _Keys | Failure:
        """All keys that the spec names; the first that cannot be had is a Failure, so that none is passed over."""
        verify, found = model.spec.source.verify, list[str]()
        for source in verify.keys if verify is not None else ():
            kind, file = source.place
            answer = self._places.of(key, _Place(Ref(kind, model.namespace, file.name), file.key))
            if isinstance(answer, Unanswered):
                return answer.failure
            if isinstance(answer, Failure):
                return answer
            found += answer
        return tuple(dict.fromkeys(found))

    def _read(self, place: _Place) -> _Keys | Failure:
        kind, namespace, name = place.ref
        where = f"{kind} {namespace}/{name}"
        holder = self._cluster.get(place.ref)
        if holder is None:
            return Failure("InvalidKey", f"{where}, which spec.source.verify names, is not there: make it.")
        try:
            texts = public_texts({**holder, "kind": kind}, where, place.field)
            return tuple(key.text for text in texts for key in public_keys(text, where))
        except InvalidKey as bad:
            return Failure(bad.reason, str(bad))

    def _verify(self, question: _Signed) -> Failure | bool:
        known, policies = question
        try:
            entry = self._registry.resolve(known.name, version=known.version)
            signatures = self._registry.signatures(known.name, known.version)
            verify_entry(entry, signatures, [from_text(policy) for policy in policies])
            if entry.digest != known.digest:
                raise SignatureInvalid(
                    f"entry.json of {entry.name}:{entry.version} is not the one that was read before: the store was "
                    "changed; push the entry again as a new version."
                )
        except UserError as mistake:
            return Failure(mistake.reason, str(mistake))
        return True


def _key_seconds(answer: _Keys | Failure) -> float:
    return FAILED_SECONDS if isinstance(answer, Failure) else KEY_SECONDS


def _verdict_seconds(answer: Failure | bool) -> float:
    return FAILED_SECONDS if _failed(answer) else inf


def _failed(answer: Failure | bool) -> bool:
    return isinstance(answer, Failure)
