"""Kept results: a folder or file is found again by the digest of everything it was made from.

A result is made in a neighbouring folder and renamed into place, so what exists is whole. Two processes that
want the same thing wait for each other on a file lock.
"""

import contextlib
import fcntl
import hashlib
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path


def digest_of(*parts: str) -> str:
    """Twenty hex digits over the parts, which cannot run into each other."""
    whole = hashlib.sha256()
    for part in parts:
        raw = part.encode()
        whole.update(len(raw).to_bytes(8, "big") + raw)
    return whole.hexdigest()[:20]


def digest_of_files(root: Path, files: Iterable[Path]) -> str:
    """Digest over relative names, modes and contents of `files` (folders are walked), whatever their order."""
    parts = []
    for file in sorted(set(walk(files))):
        mode = "x" if os.access(file, os.X_OK) else "-"
        parts += [str(file.relative_to(root)), mode, hashlib.sha256(file.read_bytes()).hexdigest()]
    return digest_of(*parts)


def walk(files: Iterable[Path]) -> Iterator[Path]:
    """Every plain file in or below `files`, without what Python leaves behind."""
    for file in files:
        if file.is_dir():
            yield from walk(inner for inner in file.iterdir() if inner.name not in ("__pycache__", ".ruff_cache"))
        elif file.suffix != ".pyc":
            yield file


@contextlib.contextmanager
def locked(lock: Path, busy: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Hold `lock` alone; waits as long as it takes, after telling by `busy()` when somebody else holds it."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            busy()
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def kept(result: Path, make: Callable[[Path], None]) -> bool:
    """True when `result` was there; else `make(unfinished)` is called and its outcome renamed to `result`."""
    if result.exists():
        return True
    with locked(result.with_name(f".{result.name}.lock")):
        if result.exists():
            return True
        unfinished = result.with_name(f".{result.name}.unfinished")
        remove(unfinished)
        make(unfinished)
        unfinished.rename(result)
    return False


def remove(path: Path) -> None:
    """Remove a file or folder, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
