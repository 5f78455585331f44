"""Small written forms: percentages, durations and Kubernetes quantities, checked here and in the API server.

Each form is an annotated string. Its CEL rule carries the sentence a person reads when `kubectl apply`
refuses; the same rule is checked in Python for callers that never meet an API server.
"""

import re
from typing import Annotated, Any

from pydantic import AfterValidator, WithJsonSchema

from .shape import cel

_PERCENT = re.compile(r"^[0-9]+(\.[0-9]+)?%$")
_DURATION = re.compile(r"^[0-9]+(\.[0-9]+)?(ms|s|m|h)$")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


def _percent(text: str) -> str:
    if not _PERCENT.match(text):
        raise ValueError('write a percentage such as "0.1%"')
    if not 0 < fraction(text) < 1:
        raise ValueError("a percentage must lie between 0% and 100%, both excluded: no service reaches either")
    return text


def _duration(text: str) -> str:
    if not _DURATION.match(text) or seconds(text) <= 0:
        raise ValueError('write a duration above 0 with its unit, such as "100ms", "2s" or "10m"')
    return text


def _written(description: str, max_length: int, *rules: dict[str, str]) -> Any:
    return WithJsonSchema(
        {"type": "string", "maxLength": max_length, "description": description, "x-kubernetes-validations": list(rules)}
    )


Percent = Annotated[
    str,
    AfterValidator(_percent),
    _written(
        'A percentage between 0% and 100%, both excluded, such as "0.1%".',
        16,
        cel("self.matches('^[0-9]+([.][0-9]+)?%$')", 'write a percentage such as "0.1%"'),
        cel(
            "!self.matches('^[0-9]+([.][0-9]+)?%$') || (double(self.replace('%', '')) > 0.0 "
            "&& double(self.replace('%', '')) < 100.0)",
            "a percentage must lie between 0% and 100%, both excluded: no service reaches either",
        ),
    ),
]

Duration = Annotated[
    str,
    AfterValidator(_duration),
    _written(
        'A duration above 0 with its unit (ms, s, m, h), such as "100ms".',
        16,
        cel(
            "self.matches('^[0-9]+([.][0-9]+)?(ms|s|m|h)$') && !self.matches('^[0.]+(ms|s|m|h)$')",
            'write a duration above 0 with its unit, such as "100ms", "2s" or "10m"',
        ),
    ),
]


def fraction(percent: str) -> float:
    """The share a percentage stands for: "0.1%" is 0.001."""
    return float(percent.removesuffix("%")) / 100


def seconds(duration: str) -> float:
    """The seconds a duration stands for: "100ms" is 0.1."""
    number = duration.rstrip("msh")
    return float(number) * _SECONDS[duration[len(number) :]]
