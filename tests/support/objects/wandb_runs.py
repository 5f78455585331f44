"""Folders of offline runs as W&B writes them: a log of frames around protobuf, and staged files elsewhere."""

import base64
import hashlib
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path

from modelyard.registry.wandb.transaction_log import BLOCK, FIRST, FRAME, FULL, HEADER, LAST, MIDDLE


def varint(number: int) -> bytes:
    written = b""
    while number > 0x7F:
        written += bytes([number & 0x7F | 0x80])
        number >>= 7
    return written + bytes([number])


def numbered(field: int, number: int) -> bytes:
    """A field with a number."""
    return varint(field << 3) + varint(number)


def written(field: int, content: str | bytes) -> bytes:
    """A field with a text, bytes or a message."""
    raw = content.encode() if isinstance(content, str) else content
    return varint(field << 3 | 2) + varint(len(raw)) + raw


def log_of(records: Iterable[bytes]) -> bytes:
    """A log with these records, cut into frames where blocks end."""
    log = bytearray(HEADER)
    for record in records:
        kinds, rest = (FULL, FIRST), record
        while True:
            left = BLOCK - len(log) % BLOCK
            if left < FRAME.size:
                log += bytes(left)
                left = BLOCK
            part, rest = rest[: left - FRAME.size], rest[left - FRAME.size :]
            kind = kinds[1] if rest else kinds[0]
            log += FRAME.pack(zlib.crc32(part, zlib.crc32(bytes([kind]))), len(part), kind) + part
            kinds = (LAST, MIDDLE)
            if not rest:
                break
    return bytes(log)


def md5(content: bytes) -> str:
    return base64.b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode()


def logged(name: str, *entries: bytes, digest: str = "d1", more: bytes = b"") -> bytes:
    """The record of an artifact with these entries of its manifest."""
    manifest = numbered(1, 1) + b"".join(written(4, entry) for entry in entries)
    artifact = written(4, "model") + written(5, name) + written(6, digest) + written(12, manifest) + more
    return numbered(1, 7) + written(8, artifact)


def staged(folder: Path, files: Mapping[str, bytes]) -> list[bytes]:
    """Files in a staging folder, and their entries in a manifest."""
    folder.mkdir(parents=True, exist_ok=True)
    entries = []
    for number, (path, content) in enumerate(files.items()):
        local = folder / f"tmp{number}"
        local.write_bytes(content)
        size = numbered(4, len(content))
        entries.append(written(1, path) + written(2, md5(content)) + size + written(6, str(local)))
    return entries


def a_run(folder: Path, *records: bytes) -> Path:
    """The folder of an offline run whose log holds these records, between others that nobody asks for."""
    run = folder / "offline-run-20260101_120000-abcd1234"
    (run / "files").mkdir(parents=True)
    history = numbered(1, 1) + written(2, written(1, written(1, "loss") + written(16, "0.5")))
    (run / "run-abcd1234.wandb").write_bytes(log_of([history, *records, history]))
    return run
