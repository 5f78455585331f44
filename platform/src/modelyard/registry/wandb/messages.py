"""Protobuf's encoding, as far as its fields are needed: numbers and bytes by field number.

tag      varint: field number << 3 | kind
kind 0   a varint; 1: eight bytes; 2: a length and so many bytes (text, bytes, a message); 5: four bytes
"""

from collections import defaultdict

VARINT, EIGHT, BYTES, FOUR = 0, 1, 2, 5
_FIXED = {EIGHT: 8, FOUR: 4}
_LONGEST = 10


class WireFields:
    """The fields of one message. A field that was not written is empty, or 0. Raises ValueError for what is none."""

    def __init__(self, message: bytes) -> None:
        self._bytes: defaultdict[int, list[bytes]] = defaultdict(list)
        self._numbers: dict[int, int] = {}
        at = 0
        while at < len(message):
            tag, at = _varint(message, at)
            number, kind = tag >> 3, tag & 7
            if kind == VARINT:
                self._numbers[number], at = _varint(message, at)
                continue
            if kind == BYTES:
                length, at = _varint(message, at)
            elif kind in _FIXED:
                length = _FIXED[kind]
            else:
                raise ValueError(f"a field of kind {kind}")
            if at + length > len(message):
                raise ValueError("a field that is longer than its message")
            if kind == BYTES:
                self._bytes[number].append(message[at : at + length])
            at += length

    def has(self, number: int) -> bool:
        """Whether a text, bytes or a message of that number was written."""
        return number in self._bytes

    def messages(self, number: int) -> "list[WireFields]":
        """All messages of that number."""
        return [WireFields(each) for each in self._bytes.get(number, ())]

    def texts(self, number: int) -> list[str]:
        """All texts of that number."""
        return [each.decode() for each in self._bytes.get(number, ())]

    def text(self, number: int) -> str:
        """The text of that number, the last one when there are several."""
        return self.texts(number)[-1] if self.has(number) else ""

    def number(self, number: int) -> int:
        """The number of that number."""
        return self._numbers.get(number, 0)


def _varint(message: bytes, at: int) -> tuple[int, int]:
    """A number, seven bits a byte, the lowest first; and where it ends."""
    value = 0
    for shift in range(_LONGEST):
        if at >= len(message):
            break
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << (7 * shift)
        if not byte & 0x80:
            return value, at
    raise ValueError("a number without an end")
