"""YAML that somebody wrote, as plain values; whatever PyYAML says of it becomes one sentence."""

from typing import Any

import yaml

from modelyard.errors import InvalidEntry

_SHOWN = 300


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
