"""The log of a run: LevelDB's log format behind a header of W&B's own.

    file    = ":W&B", magic (uint16), version (uint8), then blocks of 32768 bytes, the first one counted with the header
    block   = frames, and zeros where no frame's header fits any more
    frame   = checksum (uint32: CRC-32 of type and data), length (uint16), type (uint8), data
    record  = one frame of type FULL, or FIRST, any number of MIDDLE, LAST

All numbers are little-endian. A run that was killed leaves a record unfinished, which ends the log and is no damage.
"""

import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

from modelyard.errors import InvalidEntry

HEADER = struct.pack("<4sHB", b":W&B", 0xBEE1, 0)
BLOCK, FRAME = 32768, struct.Struct("<IHB")
FULL, FIRST, MIDDLE, LAST = 1, 2, 3, 4


def records(path: Path) -> Iterator[bytes]:
    """The records of a log, each a message of protobuf. Raises InvalidEntry when it is none, or is damaged."""
    content = path.read_bytes()
    if not content.startswith(HEADER):
        raise InvalidEntry(f"{path} is no log of W&B's that is known here: name the folder of an offline run.")
    begun: bytes | None = None  # a first frame may be empty
    for kind, data in _frames(content, path):
        if (begun is not None) != (kind in (MIDDLE, LAST)):
            raise _damaged(path)
        whole = (begun or b"") + data
        begun = None if kind in (FULL, LAST) else whole
        if begun is None:
            yield whole


def _frames(content: bytes, path: Path) -> Iterator[tuple[int, bytes]]:
    at = len(HEADER)
    while True:
        left = BLOCK - at % BLOCK
        if left < FRAME.size:
            at += left
        if at + FRAME.size > len(content):
            return
        checksum, length, kind = FRAME.unpack_from(content, at)
        begin = at + FRAME.size
        at = begin + length
        if at > len(content):
            return
        data = content[begin:at]
        if kind not in (FULL, FIRST, MIDDLE, LAST) or zlib.crc32(data, zlib.crc32(bytes([kind]))) != checksum:
            raise _damaged(path)
        yield kind, data


def _damaged(path: Path) -> InvalidEntry:
    return InvalidEntry(f"{path} is damaged: its checksums do not fit. Copy the run's folder again, or log it anew.")
