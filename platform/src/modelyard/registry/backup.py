"""Entries and aliases as files on disk, byte for byte, and back into a store that has them or has nothing.

    DIR/store/registry/<name>/<version>/...     every object below an entry that has its manifest
    DIR/store/aliases/<name>/<alias>.json

Files are copied as the store has them, whatever lies beside an entry (signatures, notes), and every file that a
manifest lists is held against its SHA-256, on the way out and on the way back. An entry's manifest is written last, and
only where there is none: an entry that is there already has to be the same one. An alias that lives is not moved, and
one that was deleted goes from a backup that is brought up to date.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError

from modelyard.api.entry import Entry
from modelyard.core.storage import keys
from modelyard.core.storage.object_store import Progress, Store
from modelyard.errors import CorruptEntry, EntryExists, InvalidInput

from .folder import file_sha256

_STORE = "store"
_UNFINISHED = ".unfinished"


class BackedUp(NamedTuple):
    """What was copied: names of entries as name:version, of aliases as name@alias, and the bytes that moved."""

    entries: tuple[str, ...]
    aliases: tuple[str, ...]
    bytes: int


class Restored(NamedTuple):
    """Names of what was written, of what was there already, and of aliases that stand for another version by now."""

    entries: tuple[str, ...]
    present: tuple[str, ...]
    aliases: tuple[str, ...]
    moved: tuple[str, ...]


def save(store: Store, folder: Path, progress: Progress | None = None) -> BackedUp:
    """Copies all entries and aliases into `folder`; what is there already is not copied again.

    Raises CorruptEntry for an entry whose files are not what was pushed, and what the store raises.
    """
    moved, entries = 0, []
    for name, version in _manifests(stored.key for stored in store.list(keys.REGISTRY)):
        prefix = keys.entry_prefix(name, version)
        for stored in store.list(prefix):
            target = _path(folder, stored.key)
            if not target.is_file() or target.stat().st_size != stored.size or stored.key.endswith(".json"):
                moved += _copied(store, stored.key, target, progress)
        _verified(folder, name, version)
        entries.append(f"{name}:{version}")
    aliases = {stored.key: _path(folder, stored.key) for stored in store.list(keys.alias_prefix())}
    for key, target in aliases.items():
        moved += _copied(store, key, target, progress)
    for path in set((folder / _STORE / keys.alias_prefix()).glob("*/*")) - {*aliases.values()}:
        path.unlink()
    return BackedUp(tuple(entries), tuple(_alias_name(key) for key in aliases), moved)


def load(store: Store, folder: Path, progress: Progress | None = None) -> Restored:
    """Writes what `save` has copied into a store.

    Raises, before anything is written: InvalidInput for a folder that is no backup, CorruptEntry for files that are not
    what was saved, EntryExists when the store has another entry under a name and version. Else what the store raises.
    """
    root = folder / _STORE
    if not root.is_dir():
        raise InvalidInput(f"{folder} is no backup: it has no folder {_STORE}; name one that `modelyard backup` wrote.")
    entries = {pair: _verified(folder, *pair) for pair in _manifests(_keys(root))}
    saved = {
        key: _parsed(_path(folder, key).read_bytes(), _alias_name(key))
        for key in _keys(root)
        if key.startswith(keys.alias_prefix())
    }
    present = {pair for pair, entry in entries.items() if _is_there(store, entry)}
    for pair in entries.keys() - present:
        prefix, manifest = keys.entry_prefix(*pair), keys.entry_manifest(*pair)
        for key in [key for key in _keys(root) if key.startswith(prefix) and key != manifest]:
            store.upload(_path(folder, key), key, progress)
        store.put_if_absent(manifest, _path(folder, manifest).read_bytes())
    aliases, moved = [], []
    for key in saved:
        written = store.put_if_absent(key, _path(folder, key).read_bytes())
        same = written or _parsed(store.get(key), _alias_name(key)) == saved[key]
        (aliases if same else moved).append(_alias_name(key))
    names = {pair: f"{pair[0]}:{pair[1]}" for pair in sorted(entries)}
    fresh = tuple(name for pair, name in names.items() if pair not in present)
    return Restored(fresh, tuple(name for pair, name in names.items() if pair in present), tuple(aliases), tuple(moved))


def _manifests(stored: Iterator[str]) -> list[tuple[str, str]]:
    """Name and version of every entry that is complete."""
    return sorted(pair for key in stored if (pair := keys.manifest_version(key)) is not None)


def _keys(root: Path) -> Iterator[str]:
    """Of all files but what a backup that was killed has left."""
    files = (path for path in sorted(root.rglob("*")) if path.is_file() and not _is_unfinished(path))
    return (path.relative_to(root).as_posix() for path in files)


def _is_unfinished(path: Path) -> bool:
    return path.name.startswith(".") and _UNFINISHED in path.name


def _path(folder: Path, key: str) -> Path:
    if not keys.is_safe_path(key):
        raise CorruptEntry(f"the store has an object with the unsafe name {key!r}: remove it, and repeat.")
    return folder / _STORE / key


def _alias_name(key: str) -> str:
    _, name, file = key.split("/", 2)
    return f"{name}@{file.removesuffix('.json')}"


def _copied(store: Store, key: str, target: Path, progress: Progress | None) -> int:
    """Bytes of an object that was copied, by way of a file beside, so that none is ever half there."""
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_name(f".{target.name}{_UNFINISHED}")
    if not store.download(key, unfinished, progress):
        raise CorruptEntry(f"{key} went away while it was copied: repeat the backup.")
    unfinished.replace(target)
    return target.stat().st_size


def _verified(folder: Path, name: str, version: str) -> Entry:
    """The entry in a backup, every file of which is as its manifest says."""
    called = f"{name}:{version}"
    try:
        entry = Entry.model_validate_json(_path(folder, keys.entry_manifest(name, version)).read_bytes())
    except ValidationError as bad:
        raise CorruptEntry(f"the manifest of {called} is damaged: push it as a new version.") from bad
    if (entry.name, entry.version) != (name, version) or keys.entry_digest(entry.files) != entry.digest:
        raise CorruptEntry(f"the manifest of {called} contradicts itself: push it as a new version.")
    for file in entry.files:
        path = _path(folder, keys.entry_file(name, version, entry.digest, file.path))
        if not path.is_file() or file_sha256(path) != file.sha256:
            raise CorruptEntry(f"{file.path} of {called} is not what was pushed: take another backup, or push it anew.")
    return entry


def _is_there(store: Store, entry: Entry) -> bool:
    """Whether the store has the entry; raises EntryExists when it has another one of that name and version."""
    content = store.get(keys.entry_manifest(entry.name, entry.version))
    if content is None:
        return False
    if _parsed(content, f"the manifest of {entry.name}:{entry.version} in the store").get("digest") != entry.digest:
        raise EntryExists(
            f"the store has another {entry.name}:{entry.version} than the backup: restore into an empty bucket, "
            "or keep what is there and leave this backup."
        )
    return True


def _parsed(content: bytes | None, called: str) -> dict[str, Any]:
    """A JSON object of the store or of a backup; raises CorruptEntry when it is none."""
    try:
        document = json.loads(content or b"null")
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise CorruptEntry(f"{called} is damaged: set or push it anew, and repeat.")
    return document
