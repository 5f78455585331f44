"""Files of builds in a folder of the node, by the SHA-256 of what is in them: a bounded cache that is never wrong.

    FOLDER/<sha256>          a whole file, under the name of its content; several builds share it
    FOLDER/unfinished-<n>    a file that is being written; renamed once its content has been proved

* Nothing is given out unproved: a file is hashed when it is written, again when this process first finds it, and then
  in pieces of 1 MiB whenever one is read. What differs is thrown away, and fetched again by whoever asks.
* At most `limit` bytes, what is being written included: what was asked for longest ago goes first. Whoever reads a
  file that goes reads it to its end, because its descriptor stays.

Thread-safe.
"""

import hashlib
import os
from collections import OrderedDict
from collections.abc import Callable
from itertools import count
from pathlib import Path
from threading import Lock

PIECE = 1 << 20
_UNFINISHED = "unfinished-"


class Damaged(Exception):
    """A file that was kept is not what it was; it is kept no longer."""


class WrongContent(Exception):
    """What was fetched is not what its report says."""


class KeptFiles:
    """The files of one folder; `limit` are the bytes they may take together."""

    def __init__(self, folder: Path, limit: int) -> None:
        self._folder, self.limit = folder, limit
        self._lock, self._numbers = Lock(), count()
        self._proved: dict[str, tuple[bytes, ...]] = {}
        self._writing = 0
        folder.mkdir(parents=True, exist_ok=True)
        for path in folder.glob(f"{_UNFINISHED}*"):
            path.unlink()
        found = sorted((path for path in folder.iterdir() if path.is_file()), key=lambda path: path.stat().st_mtime)
        self._sizes = OrderedDict((path.name, path.stat().st_size) for path in found)
        with self._lock:
            self._make_room(0)

    @property
    def size(self) -> int:
        """Bytes that are kept."""
        with self._lock:
            return sum(self._sizes.values())

    def has(self, sha256: str) -> bool:
        """Whether a file with that content is here; one that this process has not read yet is proved first."""
        with self._lock:
            if sha256 not in self._sizes:
                return False
            self._sizes.move_to_end(sha256)
            proved = sha256 in self._proved
        path = self._folder / sha256
        try:
            os.utime(path)  # what a process that is started anew finds is in this order
            pieces = () if proved else _pieces(path, sha256)
        except (OSError, WrongContent):
            self.forget(sha256)
            return False
        if not proved:
            with self._lock:
                if sha256 not in self._sizes:
                    return False
                self._proved[sha256] = pieces
        return True

    def add(self, sha256: str, size: int, fetch: Callable[[Path], object]) -> bool:
        """Keeps what `fetch` writes to the path it is given; False when there is no room for `size` bytes.

        Raises WrongContent when that is another content, and what `fetch` raises.
        """
        with self._lock:
            if not self._make_room(size):
                return False
            self._writing += size
            unfinished = self._folder / f"{_UNFINISHED}{next(self._numbers)}"
        try:
            fetch(unfinished)
            pieces = _pieces(unfinished, sha256)
            with self._lock:
                unfinished.replace(self._folder / sha256)
                self._sizes[sha256], self._proved[sha256] = size, pieces
        finally:
            unfinished.unlink(missing_ok=True)
            with self._lock:
                self._writing -= size
        return True

    def open(self, sha256: str) -> "OpenFile | None":
        """A kept and proved file, to be closed; None when it has gone."""
        with self._lock:
            pieces = self._proved.get(sha256)
            if pieces is None:
                return None
            try:
                return OpenFile(os.open(self._folder / sha256, os.O_RDONLY), pieces)
            except FileNotFoundError:
                return None

    def forget(self, sha256: str) -> None:
        """Keeps that file no longer."""
        with self._lock:
            self._drop(sha256)

    def _make_room(self, size: int) -> bool:
        """Whether there are `size` bytes for a file, once what was asked for longest ago is gone."""
        if size + self._writing > self.limit:
            return False
        while self._sizes and sum(self._sizes.values()) + self._writing + size > self.limit:
            self._drop(next(iter(self._sizes)))
        return True

    def _drop(self, sha256: str) -> None:
        self._sizes.pop(sha256, None)
        self._proved.pop(sha256, None)
        (self._folder / sha256).unlink(missing_ok=True)


class OpenFile:
    """A file that is being read; it stays whole when it is kept no longer meanwhile."""

    def __init__(self, descriptor: int, pieces: tuple[bytes, ...]) -> None:
        self._descriptor, self._pieces = descriptor, pieces

    def piece(self, number: int) -> bytes:
        """The piece with that number, PIECE bytes long unless it is the last; raises Damaged when it has changed."""
        content = os.pread(self._descriptor, PIECE, number * PIECE)
        if hashlib.sha256(content).digest() != self._pieces[number]:
            raise Damaged
        return content

    def close(self) -> None:
        """Ends reading."""
        os.close(self._descriptor)


def _pieces(path: Path, sha256: str) -> tuple[bytes, ...]:
    """The digests of a file's pieces; raises WrongContent when the digest of all of it is not `sha256`."""
    whole, digests = hashlib.sha256(), list[bytes]()
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            whole.update(piece)
            digests.append(hashlib.sha256(piece).digest())
    if whole.hexdigest() != sha256:
        raise WrongContent(f"it has the SHA-256 {whole.hexdigest()}")
    return tuple(digests)
