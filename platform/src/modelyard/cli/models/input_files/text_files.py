"""Text of a file whose encoding nobody wrote down: UTF-8, or what its byte order mark says.

Spreadsheets write the mark (EF BB BF for UTF-8, FF FE or FE FF for UTF-16), and their older formats none: those are
refused rather than guessed, because a wrong guess changes words without anybody seeing it.
"""

import codecs
from pathlib import Path

from modelyard.core.failure_causes import host_failure
from modelyard.errors import InvalidInput

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
"""Marks from the longest: that of UTF-32 begins as that of UTF-16 does."""


def read_text(path: Path) -> str:
    """The text of `path` without its byte order mark; raises InvalidInput when it is not text."""
    try:
        content = path.read_bytes()
    except OSError as bad:
        raise host_failure(bad) or InvalidInput(f"{path.name} cannot be read: {bad.strerror or bad}.") from bad
    encoding = next((name for mark, name in _MARKS if content.startswith(mark)), "utf-8")
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as bad:
        line = content[: bad.start].count(b"\n") + 1
        raise InvalidInput(
            f"{path.name} is not in {encoding.removesuffix('-sig').upper()} (line {line}): save it in UTF-8."
        ) from bad
    if "\0" in text:
        raise InvalidInput(f"{path.name} is not text in UTF-8 (it holds zero bytes): save it in UTF-8.")
    return text
