"""What a shadow, an A/B test or a load test found: nested plain values as indented lines."""

from collections.abc import Iterator, Mapping
from typing import Any

from rich.text import Text

_MOST = 12


def report(document: Mapping[str, Any] | None) -> Iterator[tuple[str, list[Text]]]:
    """Title and lines of every entry of a report, in its order; nothing for None.

    At most a dozen lines each, for the rest is in `--output json`.
    """
    for title, value in (document or {}).items():
        lines = list(_lines(value)) if isinstance(value, Mapping) else [_written(value)]
        shown = [Text(f"  {line}") for line in lines[:_MOST]]
        more = [Text(f"  and {len(lines) - _MOST} more: --output json", "dim")] if len(lines) > _MOST else []
        yield title, [*shown, *more]


def _lines(values: Mapping[str, Any]) -> Iterator[str]:
    """One line for a plain value, one for a group of them."""
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield f"{name}: " + ", ".join(f"{key} {_written(inner)}" for key, inner in value.items())
        else:
            yield f"{name}: {_written(value)}"


def _written(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "-"}[value]
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, list | tuple):
        return ", ".join(_written(item) for item in value)
    if isinstance(value, Mapping):
        return "; ".join(f"{key} {_written(inner)}" for key, inner in value.items())
    return str(value)
