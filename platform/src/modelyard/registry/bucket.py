"""The registry in an S3 bucket. `core.storage.keys` has the layout; the manifest is the commit point."""

import difflib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from modelyard.api.entry import NAME_PATTERN, VERSION_PATTERN, Entry
from modelyard.core.storage import keys
from modelyard.core.storage.object_store import Progress, Store
from modelyard.errors import CorruptEntry, EntryExists, InvalidEntry, UnknownEntry

from .folder import file_sha256, read_folder


@dataclass(frozen=True)
class Listed:
    """An entry and the aliases that point at it."""

    entry: Entry
    aliases: tuple[str, ...]


@dataclass(frozen=True)
class Pushed:
    """What a push came to: the entry, and whether it was new."""

    entry: Entry
    new: bool


class BucketRegistry:
    """Entries in an object store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def push(self, folder: Path, progress: Progress | None = None) -> Pushed:
        """Checks and uploads an entry folder; `progress` is called with the bytes moved.

        The same content again is fine. Raises EntryExists when the version is there with other content, InvalidEntry
        when the folder is not usable, and what the store raises.
        """
        entry = read_folder(folder).entry
        present = self._manifest(entry.name, entry.version)
        if present is not None:
            return self._same(present, entry)
        for file in entry.files:
            key = keys.entry_file(entry.name, entry.version, entry.digest, file.path)
            self._store.upload(folder / file.path, key, progress)
        manifest = entry.model_dump_json(by_alias=True, indent=2).encode()
        if self._store.put_if_absent(keys.entry_manifest(entry.name, entry.version), manifest):
            return Pushed(entry, new=True)
        winner = self._manifest(entry.name, entry.version)
        return self._same(winner or entry, entry)

    def resolve(self, name: str, version: str | None = None, alias: str | None = None) -> Entry:
        """The entry a name and a version, or a name and an alias, stand for.

        Raises UnknownEntry when there is none or not exactly one of both is given, InvalidEntry for a malformed
        name or version, CorruptEntry when the stored manifest is damaged.
        """
        if (version is None) == (alias is None):
            raise UnknownEntry(f"say which {name} is meant: a version, or an alias such as champion.")
        _check(name, NAME_PATTERN, "entry name")
        if alias is not None:
            version = self._aliased(name, alias)
        entry = self.find(name, version or "")
        if entry is None:
            raise UnknownEntry(self._missing(name, version or ""))
        return entry

    def find(self, name: str, version: str) -> Entry | None:
        """The entry of that version, None when there is none: one request, where `resolve` lists what there is instead.

        Raises InvalidEntry for a malformed name or version, CorruptEntry when the stored manifest is damaged.
        """
        _check(name, NAME_PATTERN, "entry name")
        _check(version, VERSION_PATTERN, "version")
        return self._manifest(name, version)

    def entries(self) -> list[Listed]:
        """Every entry with its aliases, by name and then version (10 after 9); CorruptEntry for a damaged one."""
        aliases: dict[tuple[str, str], list[str]] = {}
        for stored in self._store.list(keys.alias_prefix()):
            _, name, file = stored.key.split("/", 2)
            version = self._alias_version(name, file.removesuffix(".json"))
            aliases.setdefault((name, version or ""), []).append(file.removesuffix(".json"))
        result = []
        for name, version in self._versions(keys.REGISTRY):
            entry = self._manifest(name, version)
            if entry is not None:
                result.append(Listed(entry, tuple(sorted(aliases.get((name, version), [])))))
        return sorted(result, key=lambda listed: (listed.entry.name, natural(listed.entry.version)))

    def versions(self, name: str) -> list[Entry]:
        """Every version of an entry, 10 after 9; CorruptEntry for a damaged one."""
        found = [self._manifest(*pair) for pair in self._versions(keys.entry_prefix(name, "")[:-1])]
        return sorted((entry for entry in found if entry is not None), key=lambda entry: natural(entry.version))

    def set_alias(self, name: str, alias: str, version: str) -> Entry:
        """Points an alias at an existing version, from now on; returns the entry. Raises as `resolve` does."""
        _check(alias, VERSION_PATTERN, "alias")
        entry = self.resolve(name, version=version)
        self._store.put(keys.alias(name, alias), json.dumps({"version": version}).encode())
        return entry

    def alias_version(self, name: str, alias: str) -> str | None:
        """The version an alias stands for, None when there is no such alias; CorruptEntry when it is damaged."""
        return self._alias_version(name, alias)

    def move_alias(self, name: str, alias: str, version: str, was: str | None) -> bool:
        """Points an alias at an existing version, unless it no longer stands for `was` (None: there was none).

        Returns whether it does now. Raises as `resolve` does.
        """
        _check(alias, VERSION_PATTERN, "alias")
        self.resolve(name, version=version)
        key = keys.alias(name, alias)
        before = self._store.get(key)
        if _version_in(before, name, alias) != was:
            return False
        return self._store.replace(key, before, json.dumps({"version": version}).encode())

    def fetch(self, entry: Entry, folder: Path, progress: Progress | None = None) -> None:
        """Downloads an entry's files into `folder`, made if need be, each verified by its SHA-256.

        Raises CorruptEntry when a file is missing or damaged; nothing is written to `folder` then.
        """
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".fetch-") as scratch:
            for file in entry.files:
                if not keys.is_safe_path(file.path):
                    raise CorruptEntry(f"{_called(entry)} lists the unsafe path {file.path!r}; push it again.")
                target = Path(scratch, file.path)
                target.parent.mkdir(parents=True, exist_ok=True)
                key = keys.entry_file(entry.name, entry.version, entry.digest, file.path)
                if not self._store.download(key, target, progress):
                    raise CorruptEntry(f"{_called(entry)} lost its file {file.path}; push it as a new version.")
                if file_sha256(target) != file.sha256:
                    raise CorruptEntry(
                        f"{file.path} of {_called(entry)} is not what was pushed (its SHA-256 differs); "
                        "push it as a new version."
                    )
            shutil.copytree(scratch, folder, dirs_exist_ok=True, copy_function=os.replace)

    def sign(self, entry: Entry, key_id: str, signature: bytes) -> None:
        """Puts a signature beside an entry; an earlier one of the same key is replaced."""
        self._store.put(keys.entry_signature(entry.name, entry.version, key_id), signature)

    def signatures(self, name: str, version: str) -> dict[str, bytes]:
        """The signatures of an entry by the id of their key, as they lie there; nobody has verified them."""
        found = {}
        for stored in self._store.list(keys.entry_signature(name, version)):
            content = self._store.get(stored.key)
            if content is not None:
                found[stored.key.rpartition("/")[2].removesuffix(".json")] = content
        return found

    def _manifest(self, name: str, version: str) -> Entry | None:
        content = self._store.get(keys.entry_manifest(name, version))
        if content is None:
            return None
        try:
            entry = Entry.model_validate_json(content)
        except ValidationError as bad:
            raise CorruptEntry(f"the manifest of {name}:{version} is damaged; push it as a new version.") from bad
        if (entry.name, entry.version) != (name, version) or keys.entry_digest(entry.files) != entry.digest:
            raise CorruptEntry(f"the manifest of {name}:{version} contradicts itself; push it as a new version.")
        return entry

    def _same(self, present: Entry, entry: Entry) -> Pushed:
        if present.digest != entry.digest:
            changed = _difference(present, entry)
            raise EntryExists(
                f"{_called(entry)} is already pushed with other content ({changed}); "
                "write a new version into modelyard.yaml and push that."
            )
        return Pushed(present, new=False)

    def _aliased(self, name: str, alias: str) -> str:
        version = self._alias_version(name, alias) if re.fullmatch(VERSION_PATTERN, alias) else None
        if version is None:
            raise UnknownEntry(
                f"{name} has no alias {alias!r}; set it with `modelyard alias set {name} {alias} VERSION`."
            )
        return version

    def _alias_version(self, name: str, alias: str) -> str | None:
        return _version_in(self._store.get(keys.alias(name, alias)), name, alias)

    def _versions(self, prefix: str) -> Iterable[tuple[str, str]]:
        pairs = (keys.manifest_version(stored.key) for stored in self._store.list(prefix))
        return [pair for pair in pairs if pair is not None]

    def _missing(self, name: str, version: str) -> str:
        versions = sorted((v for _, v in self._versions(keys.entry_prefix(name, "")[:-1])), key=natural)
        if versions:
            return f"{name} has no version {version}; it has {', '.join(versions)}: name one, or push {version}."
        names = sorted({n for n, _ in self._versions(keys.REGISTRY)})
        close = difflib.get_close_matches(name, names, 1)
        guess = f"did you mean {close[0]}? Else push it" if close else "push it"
        return f"the registry has no entry {name}; {guess} with `modelyard push FOLDER`."


def natural(version: str) -> list[tuple[int, int, str]]:
    """Sort key that puts 10 after 9."""
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in re.split(r"(\d+)", version) if part]


def _version_in(content: bytes | None, name: str, alias: str) -> str | None:
    """The version in the object of an alias, None without one. Raises CorruptEntry when it is damaged."""
    if content is None:
        return None
    try:
        return str(json.loads(content)["version"])
    except (ValueError, KeyError, TypeError) as bad:
        raise CorruptEntry(f"alias {alias} of {name} is damaged; set it again.") from bad


def _called(entry: Entry) -> str:
    return f"{entry.name}:{entry.version}"


def _check(value: str, pattern: str, what: str) -> None:
    if not re.fullmatch(pattern, value):
        raise InvalidEntry(f"{value!r} is not a usable {what}: letters, digits, dots, dashes; at most 63 of them.")


def _difference(present: Entry, entry: Entry) -> str:
    before = {file.path: file.sha256 for file in present.files}
    after = {file.path: file.sha256 for file in entry.files}
    changed = sorted(path for path in before.keys() | after.keys() if before.get(path) != after.get(path))
    return f"{changed[0]} differs" if len(changed) == 1 else f"{len(changed)} files differ, such as {changed[0]}"
