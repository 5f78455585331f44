"""An entry as a folder on disk: read, checked and hashed, before anything leaves the machine."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from modelyard.api.entry import Entry, EntryFile, EntryMetadata
from modelyard.core.storage.entry_metadata import METADATA, parse_metadata
from modelyard.core.storage.keys import entry_digest, is_safe_path
from modelyard.errors import InvalidEntry


@dataclass(frozen=True)
class EntryFolder:
    """A checked folder and the entry it would become."""

    path: Path
    entry: Entry


def read_folder(path: Path) -> EntryFolder:
    """Reads, checks and hashes an entry folder. Raises InvalidEntry, with what to mend, when it cannot be pushed."""
    metadata = read_metadata(path)
    files = tuple(_described(path, file) for file in _files(path))
    digest = entry_digest(files)
    entry = Entry(name=metadata.name, version=metadata.version, digest=digest, files=files, metadata=metadata)
    return EntryFolder(path, entry)


def read_metadata(folder: Path) -> EntryMetadata:
    """`modelyard.yaml` of a folder. Raises InvalidEntry when it is missing, or naming the field that is wrong."""
    file = folder / METADATA
    if not folder.is_dir():
        raise InvalidEntry(f"{folder} is not a folder; an entry is a folder with a {METADATA} and a model file.")
    if not file.is_file():
        raise InvalidEntry(f"{folder} has no {METADATA}; write one with name, version, framework and task.")
    return parse_metadata(file.read_bytes(), str(file))


def file_sha256(path: Path) -> str:
    """SHA-256 of a file's content as 64 lower-case hex digits. Raises OSError when it cannot be read."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _files(folder: Path) -> list[Path]:
    """Every file that belongs to the entry: all but hidden ones and Python's caches; links are refused."""
    files = []
    for path in sorted(folder.rglob("*")):
        relative = path.relative_to(folder)
        if any(part.startswith(".") or part == "__pycache__" for part in relative.parts):
            continue
        if path.is_symlink():
            raise InvalidEntry(f"{path} is a link; put the file itself into the entry.")
        if path.is_file():
            files.append(path)
        elif not path.is_dir():
            raise InvalidEntry(f"{path} is neither a file nor a folder; remove it from the entry.")
    return files


def _described(folder: Path, file: Path) -> EntryFile:
    name = file.relative_to(folder).as_posix()
    if not is_safe_path(name):
        raise InvalidEntry(f"{name!r} in {folder} has a name that other systems cannot store; rename the file.")
    return EntryFile(path=name, size=file.stat().st_size, sha256=file_sha256(file))
