"""YAML that somebody wrote, as plain values; whatever PyYAML says of it becomes one sentence."""

import re
from typing import Any

import yaml

from modelyard.errors import InvalidEntry

_SHOWN = 300
_INTEGER, _DECIMAL = "tag:yaml.org,2002:int", re.compile(r"0|[1-9][0-9]*")


def parse_yaml(content: bytes, where: str) -> Any:
    """The values in `content`; raises InvalidEntry when it is no YAML, with `where`, the file's name, in front.

    PyYAML's constructors raise whatever fails inside them: a date that does not exist is a ValueError, a time stamp
    that is none an AttributeError.
    """
    try:
        return yaml.safe_load(content)
    except Exception as bad:
        said = " ".join(str(bad).split())[:_SHOWN] or type(bad).__name__
        raise InvalidEntry(f"{where} is not YAML: {said}; correct it.") from bad


def require_as_written(content: bytes, where: str, number: str) -> None:
    """Raises InvalidEntry when `content`, a mapping in YAML that parses, does not become what its author reads in it.

    Of a key that is there twice PyYAML takes the last; a value of the key `number` that is digits is a number of
    another base, and 010 becomes 8.
    """
    root: Any = yaml.compose(content, Loader=yaml.SafeLoader)
    seen: set[str] = set()
    for key, value in root.value:
        if key.value in seen:
            raise InvalidEntry(f"{where} has {key.value!r} twice; keep one of them.")
        seen.add(key.value)
        if key.value == number and value.tag == _INTEGER and not _DECIMAL.fullmatch(value.value):
            raise InvalidEntry(
                f'{where}: {number} {value.value} is another number in YAML; put it in quotes: "{value.value}".'
            )
