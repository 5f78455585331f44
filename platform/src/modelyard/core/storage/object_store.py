"""What the registry and the builds ask of an object store; `clients.store` is the one that talks S3."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

Progress = Callable[[int], None]
"""Called with the number of bytes moved since the last call."""


@dataclass(frozen=True)
class Stored:
    """One object: its key and its size in bytes."""

    key: str
    size: int


class Store(Protocol):
    """A flat space of keys. Every method raises `Unreachable`, `Refused` or `Throttled` when the store does."""

    def get(self, key: str) -> bytes | None:
        """The object's content, or None when there is no such object."""
        ...

    def put(self, key: str, content: bytes) -> None:
        """Writes or overwrites an object."""
        ...

    def put_if_absent(self, key: str, content: bytes) -> bool:
        """Writes an object unless it exists, atomically; returns whether it was written."""
        ...

    def replace(self, key: str, before: bytes | None, content: bytes) -> bool:
        """Writes an object while it is still `before` (None: not there), atomically; returns whether it was written."""
        ...

    def delete(self, key: str) -> None:
        """Removes an object; one that is not there is no error."""
        ...

    def size(self, key: str) -> int | None:
        """The object's size in bytes, or None when there is no such object."""
        ...

    def list(self, prefix: str) -> Iterator[Stored]:
        """All objects whose keys begin with `prefix`, in key order."""
        ...

    def copy(self, source: str, target: str) -> None:
        """Copies an object inside the store."""
        ...

    def download(self, key: str, path: Path, progress: Progress | None = None) -> bool:
        """Writes the object's content to `path`; False when there is no such object."""
        ...

    def upload(self, path: Path, key: str, progress: Progress | None = None) -> None:
        """Writes the file's content to an object, in pieces when it is large."""
        ...
