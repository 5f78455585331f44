"""What a person signs when pushing: every file of an entry by its SHA-256, and which entry they are.

Several people may sign one entry, and one that is there already can be signed again with a new key. A policy is a set
of keys of which one has to have signed; where several policies hold, each has to be satisfied.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from modelyard import __version__
from modelyard.api.entry import Entry
from modelyard.errors import SignatureInvalid, SignatureMissing

from .envelope import Opened, opened, sealed
from .keys import PublicKey, SigningKey

ENTRY = "https://modelyard.dev/entry/v1"

Policy = tuple[PublicKey, ...]
"""Keys of which one has to have signed."""


class Signer(NamedTuple):
    """Who signed an entry, and what was said about it."""

    key: PublicKey
    commit: str
    time: str


def signature_of(entry: Entry, key: SigningKey, commit: str = "") -> bytes:
    """The envelope in which `key` vouches for an entry; `commit` is that of the code that made it."""
    predicate = {
        "name": entry.name,
        "version": entry.version,
        "digest": entry.digest,
        "commit": commit,
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "signer": f"modelyard {__version__}",
    }
    return sealed(ENTRY, {file.path: file.sha256 for file in entry.files}, predicate, key)


def verify_entry(entry: Entry, signatures: Mapping[str, bytes], policies: Sequence[Policy]) -> tuple[Signer, ...]:
    """Who signed an entry, one for each policy; `signatures` are the envelopes that lie beside it, by key id.

    Raises SignatureMissing when nobody has signed it whom a policy trusts, and SignatureInvalid, with the name of the
    file, when one whom it trusts signed something else.
    """
    return tuple(_signer(entry, signatures, policy) for policy in policies)


def _signer(entry: Entry, signatures: Mapping[str, bytes], policy: Policy) -> Signer:
    called = f"{entry.name}:{entry.version}"
    trusted = [key for key in policy if key.id in signatures]
    if not trusted:
        raise SignatureMissing(
            f"entry.json of {called} is signed by {_listed(signatures)}, and one of {_listed(k.id for k in policy)} is "
            f"wanted: sign it with `modelyard keys sign {called} --key FILE`."
        )
    wrong: SignatureInvalid | None = None
    for key in trusted:
        try:
            statement = opened(signatures[key.id], (key,), ENTRY, f"signature {key.id} of {called}")
            return _of_this(entry, statement, called)
        except SignatureInvalid as bad:
            wrong = wrong or bad
    assert wrong is not None
    raise wrong


def _of_this(entry: Entry, statement: Opened, called: str) -> Signer:
    """The signer, when the statement is about this very entry."""
    said = statement.statement["predicate"]
    if (said.get("name"), said.get("version")) != (entry.name, entry.version):
        raise SignatureInvalid(
            f"the signature {statement.key.id} of {called} is that of {said.get('name')}:{said.get('version')}; "
            "push the entry again as a new version."
        )
    there = {file.path: file.sha256 for file in entry.files}
    changed = sorted(name for name in there.keys() | statement.files if there.get(name) != statement.files.get(name))
    if changed or said.get("digest") != entry.digest:
        what = changed[0] if changed else "entry.json"
        raise SignatureInvalid(
            f"{what} of {called} is not what {statement.key.id} signed; push the entry again as a new version."
        )
    return Signer(statement.key, str(said.get("commit", "")), str(said.get("time", "")))


def _listed(ids: Iterable[str]) -> str:
    return ", ".join(sorted(ids)) or "nobody"
