"""Arrays from .npz and .npy files that somebody else wrote: whole, without pickles, no larger than they say.

numpy reads the arrays. Before it does, the header of each is held against the bytes that follow it: numpy reserves
what a header claims, so that a damaged one would look like a machine without memory.
"""

import math
import zipfile
from pathlib import Path
from typing import Any, BinaryIO

from modelyard.core.failure_causes import host_failure
from modelyard.errors import InvalidEntry

LARGEST = 1 << 30
_FIRST = b"PK\x03\x04"


def read_npz(path: Path) -> dict[str, Any]:
    """All arrays of the .npz file `path` by their keys, as they were written.

    Raises InvalidEntry when it cannot be read as a whole, holds pickled objects or more than 1 GiB.
    """
    import numpy as np

    try:
        with path.open("rb") as stream:
            if stream.read(len(_FIRST)) == b"\x93NUM":
                raise ValueError("it is a .npy file with one array: call it .npy, or write it with numpy.savez")
        with zipfile.ZipFile(path) as archive:
            size = sum(item.file_size for item in archive.infolist())
            if size > LARGEST:
                raise InvalidEntry(f"{path.name} holds {size >> 20} MiB; keep it below 1 GiB.")
            for item in archive.infolist():
                if not item.filename.endswith(".npy"):
                    raise ValueError(f"{item.filename!r} in it is no array")
                with archive.open(item) as member:
                    _check_size(member, item.file_size)
        with np.load(path, allow_pickle=False) as loaded:
            return {name: loaded[name] for name in loaded.files}
    except InvalidEntry:
        raise
    except Exception as bad:
        raise _unreadable(path, bad, "numpy.savez") from bad


def read_npy(path: Path) -> Any:
    """The array of the .npy file `path`. Raises InvalidEntry as `read_npz` does."""
    import numpy as np

    try:
        if path.stat().st_size > LARGEST:
            raise InvalidEntry(f"{path.name} holds {path.stat().st_size >> 20} MiB; keep it below 1 GiB.")
        with path.open("rb") as stream:
            _check_size(stream, path.stat().st_size)
        return np.load(path, allow_pickle=False)
    except InvalidEntry:
        raise
    except Exception as bad:
        raise _unreadable(path, bad, "numpy.save") from bad


def _check_size(stream: Any, size: int) -> None:
    """Raises ValueError when the array in `stream`, `size` bytes with its header, is not all there."""
    from numpy.lib import format as npy

    opened: BinaryIO = stream
    version = npy.read_magic(opened)
    read_header = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    shape, _, dtype = read_header(opened)
    if dtype.hasobject:
        raise ValueError("an array in it holds objects: write numbers or text")
    claimed, there = math.prod(shape) * dtype.itemsize, size - opened.tell()
    if claimed > there:
        raise ValueError(f"it ends {claimed - there} bytes before its last value")


def _unreadable(path: Path, bad: Exception, writer: str) -> Exception:
    """The error to raise: InvalidEntry, or HostFailure where the machine failed."""
    said = " ".join(str(bad).split())[:200] or type(bad).__name__
    return host_failure(bad) or InvalidEntry(
        f"{path.name} cannot be read: {said}; copy it again if it was cut short, or write it with {writer}, "
        "without objects."
    )
