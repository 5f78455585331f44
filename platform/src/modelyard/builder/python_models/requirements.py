"""`requirements.txt` of a Python model: every package by its exact version, and nothing else.

    NAME==VERSION              with extras, with --hash=sha256:... or without

Whoever reads it knows what will run. What pip reads besides would take that away: ranges, files, links, other people's
indexes, conditions. Packages that a package needs have to stand there too, as `pip freeze` and `uv pip compile` write.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from modelyard.errors import InvalidEntry

REQUIREMENTS = "requirements.txt"
NUMPY = "1.26.4"
"""The numpy of Triton's Python backend (images/triton-cpu/requirements.txt): loaded before an author's code is."""
_LARGEST = 1 << 20
_PINNED = re.compile(
    r"(?P<name>[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)\s*(?P<extras>\[[A-Za-z0-9._,\s-]*\])?"
    r"\s*==\s*(?P<version>[A-Za-z0-9][A-Za-z0-9.!+_-]*)(?P<hashes>(?:\s+--hash=sha256:[0-9a-f]{64})*)"
)
_COMMENT = re.compile(r"(?:^|\s)#.*$")
_PLACE = re.compile(r"://|\s@\s|^[./~\\]|@\s*(?:git|hg|svn|bzr|file)\b")


@dataclass(frozen=True)
class PinnedPackage:
    """A package as requirements.txt pins it; `name` is normalized, `extras` in brackets or empty."""

    name: str
    extras: str
    version: str
    hashes: tuple[str, ...]

    def __str__(self) -> str:
        return " ".join([f"{self.name}{self.extras}=={self.version}", *self.hashes])


def read_requirements(folder: Path) -> tuple[PinnedPackage, ...]:
    """What the requirements.txt in FOLDER pins; nothing when there is none.

    Raises InvalidEntry, with the number of the line, for a line that is no pin, a package that is pinned twice, hashes
    for some packages only, and a numpy that is not the server's.
    """
    path = folder / REQUIREMENTS
    if not path.is_file():
        return ()
    if path.stat().st_size > _LARGEST:
        raise InvalidEntry(f"{REQUIREMENTS} is larger than 1 MiB; it lists packages, a line each.")
    try:
        text = path.read_text()
    except UnicodeDecodeError as bad:
        raise InvalidEntry(f"{REQUIREMENTS} is not text; write it again.") from bad
    pinned: dict[str, PinnedPackage] = {}
    lines: dict[str, int] = {}
    for number, line in _lines(text):
        package = _pinned(number, line)
        if package.name in pinned:
            raise InvalidEntry(f"line {number} of {REQUIREMENTS} pins {package.name} again; keep one of them.")
        pinned[package.name], lines[package.name] = package, number
    _require_all_hashes(pinned, lines)
    return tuple(pinned[name] for name in sorted(pinned))


def normalized(name: str) -> str:
    """A package's name as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Lines with something in them, with their numbers; one that ends in a backslash goes on in the next."""
    begun, so_far = 0, ""
    for number, line in enumerate(text.splitlines(), start=1):
        begun = begun or number
        bare = _COMMENT.sub("", line).rstrip()
        if bare.endswith("\\"):
            so_far += bare[:-1] + " "
            continue
        whole = (so_far + bare).strip()
        if whole:
            yield begun, whole
        begun, so_far = 0, ""
    if so_far.strip():
        yield begun, so_far.strip()


def _pinned(number: int, line: str) -> PinnedPackage:
    """The line is never repeated in a message: it may hold a password for an index."""
    where = f"line {number} of {REQUIREMENTS}"
    if line.startswith("-"):
        raise InvalidEntry(
            f"{where} is an option of pip; where packages come from is the affair of the machine that pushes (its "
            "pip or uv settings, or a folder wheels/): remove it."
        )
    if _PLACE.search(line):
        raise InvalidEntry(
            f"{where} names a place, whose content may change; write NAME==VERSION, and put a wheel of "
            "your own into a folder wheels/."
        )
    if ";" in line:
        raise InvalidEntry(
            f"{where} has a condition; the server is Python 3.11 on Linux x86-64: keep the line without "
            "it, or leave it out."
        )
    found = _PINNED.fullmatch(line)
    if found is None:
        raise InvalidEntry(f"{where} pins no exact version; write NAME==VERSION, as pip freeze does.")
    name, version = normalized(found["name"]), found["version"]
    if name == "numpy" and version != NUMPY:
        raise InvalidEntry(
            f"{where} pins numpy {version}, and Triton's Python backend has loaded numpy {NUMPY} before model.py is; "
            f"pin numpy=={NUMPY}, and versions of the other packages that take it."
        )
    extras = re.sub(r"\s", "", found["extras"] or "")
    return PinnedPackage(name, extras, version, tuple(found["hashes"].split()))


def _require_all_hashes(pinned: dict[str, PinnedPackage], lines: dict[str, int]) -> None:
    bare = [name for name, package in pinned.items() if not package.hashes]
    if bare and len(bare) < len(pinned):
        raise InvalidEntry(
            f"line {lines[bare[0]]} of {REQUIREMENTS} has no hash, and others have one; give every package its hashes, "
            "or none."
        )
