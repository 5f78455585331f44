"""TensorBoard's event files, which are two formats that its own old files depend on.

    record   length (8 bytes), its checksum, the event, its checksum; all little-endian
    event    protobuf: 1 wall time (double), 2 step, 3 version of the file, 5 summary {1 value ...}
    value    1 tag, 2 a number (float), 9 metadata {1 {1 plugin}}, 8 tensor {1 type, 2 shape, 8 text}

The checksum is CRC-32C, rotated and shifted ("masked"), as in TFRecord. So neither TensorBoard nor protobuf is needed.
"""

import struct
import time
from pathlib import Path
from typing import BinaryIO

_VERSION = b"brain.Event:2"
_POLYNOMIAL, _MASK = 0x82F63B78, 0xA282EAD8
_STRING = 7
_VARINT, _DOUBLE, _BYTES, _FLOAT = 0, 1, 2, 5


class EventFile:
    """A file that is being written; every event is on the disk once its method returns."""

    def __init__(self, path: Path) -> None:
        self._stream: BinaryIO = path.open("xb")
        self._write(_field(3, _BYTES, _VERSION))

    def scalar(self, tag: str, value: float, step: int) -> None:
        """A number at a step."""
        self._summary(_field(1, _BYTES, tag.encode()) + _field(2, _FLOAT, struct.pack("<f", value)), step)

    def text(self, tag: str, value: str) -> None:
        """A text, as its plugin `text` shows it."""
        shape = _field(2, _BYTES, _field(1, _VARINT, _varint(1)))
        tensor = _field(1, _VARINT, _varint(_STRING)) + _field(2, _BYTES, shape) + _field(8, _BYTES, value.encode())
        plugin = _field(1, _BYTES, _field(1, _BYTES, b"text"))
        self._summary(_field(1, _BYTES, tag.encode()) + _field(9, _BYTES, plugin) + _field(8, _BYTES, tensor), 0)

    def close(self) -> None:
        """Nothing more is written."""
        self._stream.close()

    def _summary(self, value: bytes, step: int) -> None:
        self._write(_field(2, _VARINT, _varint(step)) + _field(5, _BYTES, _field(1, _BYTES, value)))

    def _write(self, event: bytes) -> None:
        event = _field(1, _DOUBLE, struct.pack("<d", time.time())) + event
        length = struct.pack("<Q", len(event))
        self._stream.write(length + _checksum(length) + event + _checksum(event))
        self._stream.flush()


def _field(number: int, kind: int, content: bytes) -> bytes:
    """A field of protobuf's, whose content is encoded already; bytes get their length before them."""
    return _varint(number << 3 | kind) + (_varint(len(content)) if kind == _BYTES else b"") + content


def _varint(value: int) -> bytes:
    """A number from 0 on, seven bits a byte."""
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*encoded, value])


def _checksum(content: bytes) -> bytes:
    """The masked CRC-32C of some bytes, 4 bytes."""
    rest = 0xFFFFFFFF
    for byte in content:
        rest = _TABLE[(rest ^ byte) & 0xFF] ^ rest >> 8
    rest ^= 0xFFFFFFFF
    return struct.pack("<I", ((rest >> 15 | rest << 17) + _MASK) & 0xFFFFFFFF)


def _entry(byte: int) -> int:
    for _ in range(8):
        byte = byte >> 1 ^ (_POLYNOMIAL if byte & 1 else 0)
    return byte


_TABLE = tuple(_entry(byte) for byte in range(256))
