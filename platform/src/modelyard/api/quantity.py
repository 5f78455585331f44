"""Small written forms: names, percentages, durations and Kubernetes quantities, checked here and in the API server.

Each form is an annotated string. Its CEL rule carries the sentence a person reads when `kubectl apply`
refuses; the same pattern is checked in Python for callers that never meet an API server.
"""

import math
import re
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, WithJsonSchema

from .entry import NAME_PATTERN, VERSION_PATTERN
from .shape import cel

_LEAST_SHOWN, _MOST_SHOWN = 1e-9, 1e15
MODEL_NAME = "^[a-z]([-a-z0-9]*[a-z0-9])?$"
"""A DNS label that starts with a letter: KServe takes no other name for an InferenceService."""
_PERCENT = "^[0-9]+([.][0-9]+)?%$"
_DURATION = "^([0-9]{1,6}([.][0-9]{1,6})?(ms|s|m|h))+$"
"""As Go writes durations, and never so long that a date could not be told."""
_PART = re.compile("([0-9.]+)(ms|s|m|h)")
_AMOUNT = "^[+]?([0-9]+[.]?[0-9]*|[.][0-9]+)([KMGTPE]i|[numkMGTPE]|[eE][-+]?[0-9]{1,2})?$"
"""What Kubernetes reads as a quantity (https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity)
and takes for a resource, which cannot be negative."""
_UNITS = {suffix: Fraction(1000) ** power for power, suffix in enumerate(("n", "u", "m", "", *"kMGTPE"), start=-3)}
_UNITS |= {f"{letter}i": Fraction(1024) ** power for power, letter in enumerate("KMGTPE", start=1)}
_NANO = 10**9
_WORD = "^[A-Za-z0-9][-_A-Za-z0-9]*$"
_CACHE = "^[1-9][0-9]{0,7}([kMG]B|[KMG]i|[kMG])$"
_CACHE_FITS = f"!self.matches('{_CACHE}') || " + " && ".join(
    f"quantity(self.replace('B', '')).compareTo(quantity('{bound}')) {sign} 0"
    for bound, sign in (("1M", ">="), ("64Gi", "<="))
)
_SCENARIO = "^[a-z][-a-z0-9]*$"
_ID = "^[A-Za-z0-9][-_.:+A-Za-z0-9]*$"
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}

_SAY_PERCENT = 'write a percentage such as "0.1%"'
_SAY_BETWEEN = "a percentage must lie between 0% and 100%, both excluded: no service reaches either"
_SAY_PERCENTILE = "write a percentile from 50 to 99.99, such as 99"
_SAY_DURATION = 'write a duration above 0 with its unit, such as "100ms", "2s" or "10m"'
_SAY_BUDGET = 'write a duration from "30s" to "24h": less is over before anything was tried'
_SAY_PATIENCE = 'write a duration from "1s" to "1h": an autoscaler remembers no longer than that'
_SAY_INTERVAL = 'write a duration from "1h" to "8760h", such as "24h"'
_SAY_AMOUNT = "write a Kubernetes quantity such as 500m, 2 or 1Gi"
_SAY_ENTRY = "write the name of an entry as `modelyard entries` shows it, such as digits or sentence-embeddings"
_SAY_VERSION = 'write a version as `modelyard entries` shows it, such as "2" or "2026-01-15"'
_SAY_ALIAS = "write an alias as `modelyard entries` shows it, such as champion"
_SAY_CACHE = 'write a size from "1MB" to "64GB", such as "64MB" or "64Mi"'
_SAY_SCENARIO = "write steady, or the name of a load in the platform's config.check.scenarios, such as campaign"
_SAY_WORD = "write letters, digits, - and _ only, such as x-user-id"
_SAY_WEIGHT = "write a weight from 1 to 99, in percent: after the last step 100 comes by itself"
_SAY_REPLICAS = "write a number of replicas from 1 to 1000: a Model has one at least; delete it to have none"
_SAY_ID = 'write a new word without spaces as the id of a command, such as "2" or "2026-01-15T10:00"'


def _matching(pattern: str, say: str) -> AfterValidator:
    compiled = re.compile(pattern)

    def matching(text: str) -> str:
        if not compiled.fullmatch(text):
            raise ValueError(say)
        return text

    return AfterValidator(matching)


def _holding(holds: Callable[[Any], bool], say: str) -> AfterValidator:
    def holding(value: Any) -> Any:
        if not holds(value):
            raise ValueError(say)
        return value

    return AfterValidator(holding)


def _written(description: str, max_length: int, *rules: dict[str, str]) -> Any:
    return WithJsonSchema(
        {"type": "string", "maxLength": max_length, "description": description, "x-kubernetes-validations": list(rules)}
    )


def _up_to(most: int, description: str, say: str) -> Any:
    """The schema of a whole number from 1 on."""
    return WithJsonSchema(
        {
            "type": "integer",
            "maximum": most,
            "description": description,
            "x-kubernetes-validations": [cel(f"self >= 1 && self <= {most}", say)],
        }
    )


def _matches(pattern: str, say: str) -> dict[str, str]:
    return cel(f"self.matches('{pattern}')", say)


def _number_as_text(value: Any) -> Any:
    """`cpu: 2` is what people write, and `cpu: 0.5`."""
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


EntryName = Annotated[
    str,
    _matching(NAME_PATTERN, _SAY_ENTRY),
    _written("Name of the entry in the registry.", 63, _matches(NAME_PATTERN, _SAY_ENTRY)),
]

EntryVersion = Annotated[
    str,
    _matching(VERSION_PATTERN, _SAY_VERSION),
    _written("Version of an entry.", 63, _matches(VERSION_PATTERN, _SAY_VERSION)),
]

EntryAlias = Annotated[
    str,
    _matching(VERSION_PATTERN, _SAY_ALIAS),
    _written("Alias of a version.", 63, _matches(VERSION_PATTERN, _SAY_ALIAS)),
]

CacheSize = Annotated[
    str,
    _matching(_CACHE, _SAY_CACHE),
    _holding(lambda text: 10**6 <= bytes_of(text) <= 64 * 1024**3, _SAY_CACHE),
    _written("Bytes of memory.", 11, _matches(_CACHE, _SAY_CACHE), cel(_CACHE_FITS, _SAY_CACHE)),
]

LoadScenarioName = Annotated[
    str,
    _matching(_SCENARIO, _SAY_SCENARIO),
    _written("Name of a load.", 63, _matches(_SCENARIO, _SAY_SCENARIO)),
]

Percent = Annotated[
    str,
    _matching(_PERCENT, _SAY_PERCENT),
    _holding(lambda text: 0 < fraction(text) < 1, _SAY_BETWEEN),
    _written(
        'A percentage between 0% and 100%, both excluded, such as "0.1%".',
        16,
        _matches(_PERCENT, _SAY_PERCENT),
        cel(
            f"!self.matches('{_PERCENT}') || (double(self.replace('%', '')) > 0.0 "
            "&& double(self.replace('%', '')) < 100.0)",
            _SAY_BETWEEN,
        ),
    ),
]

Percentile = Annotated[
    float,
    _holding(lambda number: 50 <= number <= 99.99, _SAY_PERCENTILE),
    WithJsonSchema(
        {
            "type": "number",
            "description": "Share of requests, in percent, that must meet the threshold: 50 to 99.99.",
            "x-kubernetes-validations": [cel("self >= 50.0 && self <= 99.99", _SAY_PERCENTILE)],
        }
    ),
]

Duration = Annotated[
    str,
    _matching(_DURATION, _SAY_DURATION),
    _holding(lambda text: seconds(text) > 0, _SAY_DURATION),
    _written(
        'A duration above 0 with its unit (ms, s, m, h), such as "100ms".',
        16,
        cel(f"self.matches('{_DURATION}') && self.matches('[1-9]')", _SAY_DURATION),
    ),
]


def _span(low: str, high: str, say: str) -> Any:
    """The schema of a duration between two others."""
    within = f"duration(self) >= duration('{low}') && duration(self) <= duration('{high}')"
    return _written(
        f'A duration from "{low}" to "{high}".',
        16,
        _matches(_DURATION, _SAY_DURATION),
        cel(f"!self.matches('{_DURATION}') || ({within})", say),
    )


Budget = Annotated[
    str,
    _matching(_DURATION, _SAY_DURATION),
    _holding(lambda text: 30 <= seconds(text) <= 24 * 3600, _SAY_BUDGET),
    _span("30s", "24h", _SAY_BUDGET),
]

Patience = Annotated[
    str,
    _matching(_DURATION, _SAY_DURATION),
    _holding(lambda text: 1 <= seconds(text) <= 3600, _SAY_PATIENCE),
    _span("1s", "1h", _SAY_PATIENCE),
]

Interval = Annotated[
    str,
    _matching(_DURATION, _SAY_DURATION),
    _holding(lambda text: 3600 <= seconds(text) <= 8760 * 3600, _SAY_INTERVAL),
    _span("1h", "8760h", _SAY_INTERVAL),
]

HeaderName = Annotated[
    str,
    _matching(_WORD, _SAY_WORD),
    _written("Name of a request header or cookie.", 64, _matches(_WORD, _SAY_WORD)),
]

Weight = Annotated[
    int,
    _holding(lambda number: 1 <= number <= 99, _SAY_WEIGHT),
    _up_to(99, "A share of the traffic in percent, from 1 to 99.", _SAY_WEIGHT),
]

ReplicaCount = Annotated[
    int,
    _holding(lambda number: 1 <= number <= 1000, _SAY_REPLICAS),
    _up_to(1000, "A number of replicas from 1 to 1000.", _SAY_REPLICAS),
]

CommandId = Annotated[
    str,
    _matching(_ID, _SAY_ID),
    _written("A word that is new to the Model.", 63, _matches(_ID, _SAY_ID)),
]

Amount = Annotated[
    str,
    BeforeValidator(_number_as_text),
    _matching(_AMOUNT, _SAY_AMOUNT),
    WithJsonSchema(
        {
            "x-kubernetes-int-or-string": True,
            "maxLength": 24,
            "description": "A Kubernetes quantity such as 500m, 2 or 1Gi.",
            "x-kubernetes-validations": [cel(f"string(self).matches('{_AMOUNT}')", _SAY_AMOUNT)],
        }
    ),
]


def fraction(percent: str) -> float:
    """The fraction a percentage stands for: "0.1%" is 0.001. Raises ValueError for text that is none."""
    return float(percent.removesuffix("%")) / 100


def seconds(duration: str) -> float:
    """The seconds a duration stands for: "100ms" is 0.1, "1h30m" is 5400."""
    return sum(float(number) * _SECONDS[unit] for number, unit in _PART.findall(duration))


def amount(quantity: str) -> Fraction:
    """The number a Kubernetes quantity stands for: "500m" is 1/2, "1Ki" is 1024, "1e3" is 1000.

    Like Kubernetes it is exact to 10^-9 and rounded up to that. Raises ValueError for text that is no quantity.
    """
    matched = re.fullmatch(_AMOUNT, quantity)
    if matched is None:
        raise ValueError(_SAY_AMOUNT)
    suffix = matched[2] or ""
    unit = _UNITS[suffix] if suffix in _UNITS else Fraction(10) ** int(suffix[1:])
    number = Fraction(quantity.removesuffix(suffix)) * unit
    return Fraction(math.ceil(number * _NANO), _NANO)


def canonical(quantity: str) -> str:
    """The one way of writing that amount: whole, with the suffix that makes it shortest, such as 500m, 2 or 1Gi.

    Equal amounts give equal text, as Kubernetes writes it: 1000m gives 1, and 1024Mi gives 1Gi. Raises ValueError for
    text that is no quantity.
    """
    number = amount(quantity)
    if not number:
        return "0"
    counts = {suffix: number / unit for suffix, unit in _UNITS.items()}
    return min((f"{count}{suffix}" for suffix, count in counts.items() if count.denominator == 1), key=len)


def bytes_of(size: str) -> int:
    """The bytes of a size of memory: "64MB" is 64,000,000, as "64M" is, and "64Mi" 67,108,864."""
    return int(amount(size.removesuffix("B")))


def shown(value: float, digits: int = 4) -> str:
    """A number for people, such as 12,664 and not 1.266e+04, or 0.0000292: no exponent.

    `value` has so many significant digits, and never fewer than all before the point. What lies beyond 1e-9 to 1e15, or
    is no finite number, is written as Python does it.
    """
    size = abs(value)
    if not math.isfinite(value) or size >= _MOST_SHOWN or 0 < size < _LEAST_SHOWN:
        return f"{value:.{digits}g}"
    if size >= 10**digits:
        return f"{value:,.0f}"
    return f"{Decimal(f'{value:.{digits}g}'):,f}"
