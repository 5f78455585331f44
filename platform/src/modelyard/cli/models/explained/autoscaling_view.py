"""What an autoscaler sees: its metrics beside their targets, from the status of the HorizontalPodAutoscaler.

KEDA works through one of those, too, which carries the labels of its ScaledObject.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from modelyard.api.quantity import amount
from modelyard.core.snapshot import Object

_SOURCES = ("external", "containerResource")


def seen_now(objects: Sequence[Object], deployment: str) -> str:
    """A sentence such as ` It sees 62.5 of 90 and 0 of 3 a replica.`; empty when no autoscaler has said anything."""
    for thing in objects:
        if thing["kind"] == "HorizontalPodAutoscaler" and thing["spec"]["scaleTargetRef"]["name"] == deployment:
            seen = " and ".join(_metrics(thing))
            return f" It sees {seen} a replica." if seen else ""
    return ""


def _metrics(autoscaler: Object) -> Iterator[str]:
    """Value and target of every metric that has a value."""
    current = {_name(row): row for row in autoscaler.get("status", {}).get("currentMetrics") or ()}
    for row in autoscaler["spec"].get("metrics") or ():
        value, target = _value(current.get(_name(row), {}), "current"), _value(row, "target")
        if value and target:
            yield f"{value} of {target}"


def _name(row: Mapping[str, Any]) -> str:
    """What a metric is known by; the status has its rows in the order it likes."""
    source = next((row[kind] for kind in _SOURCES if row.get(kind)), {})
    return source.get("metric", source).get("name", "")


def _value(row: Mapping[str, Any], part: str) -> str:
    source = next((row[kind] for kind in _SOURCES if row.get(kind)), {})
    value = source.get(part, {})
    if "averageUtilization" in value:
        return f"{value['averageUtilization']}%"
    return f"{float(amount(value['averageValue'])):.4g}" if "averageValue" in value else ""
