"""A file as it comes after a bad copy, a wrong program or an enemy: many forms of it, the same in every run."""

import random
from collections.abc import Callable, Iterator

STRANGERS = (
    b"", b"hello", b"\xff" * 64, b"\0", b"null", b"[]", b"{}", b'"x"', b"- a", b"a: b", b"1: {a: 1}", b"[[[[", b'{"a":',
    b"&a [*a]", b"a: !!timestamp x", b"a: 2020-13-45", b"!!python/object:os.system x", b"[" * 500, b"PK\x03\x04",
)  # fmt: skip
"""Contents that have nothing to do with the file that should be there."""


def damaged(content: bytes, count: int = 60) -> Iterator[bytes]:
    """`STRANGERS`, then `content` cut, with bytes changed, lost, added or repeated, in `count` forms."""
    yield from STRANGERS
    chance = random.Random(len(content))
    for form in range(count):
        changed, place = bytearray(content), chance.randrange(len(content))
        if form % 5 == 0:
            del changed[place:]
        elif form % 5 == 1:
            changed[place] = chance.randrange(256)
        elif form % 5 == 2:
            del changed[place : place + chance.randrange(1, 9)]
        elif form % 5 == 3:
            changed[place:place] = chance.randbytes(chance.randrange(1, 9))
        else:
            other = chance.randrange(len(content))
            changed[place : place + 8] = changed[other : other + 8]
        yield bytes(changed)


def complaint(read: Callable[[], object], error: type[Exception]) -> str:
    """What `read` says when it raises `error`; empty when it reads. Whatever else it raises is a defect."""
    try:
        read()
    except error as bad:
        return str(bad)
    return ""
