"""Spans of time as people say them: 45s, 2m10s, 1h5m, 3d4h."""

from modelyard.core.conditions import epoch

_UNITS = (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1))


def spell(seconds: float) -> str:
    """The two largest units of a span in seconds, rounded down: 3725 is `1h2m`; `0s` for less than a second."""
    rest, parts = max(0, int(seconds)), []
    for unit, size in _UNITS:
        count, rest = divmod(rest, size)
        parts.append(f"{count}{unit}" if count else "")
    first = next((at for at, part in enumerate(parts) if part), len(parts) - 1)
    return "".join(parts[first : first + 2]) or "0s"


def passed(since: str, now: float) -> float | None:
    """Seconds between an RFC 3339 time and `now`, in seconds since the epoch; None when the time is empty."""
    return now - epoch(since) if since else None


def ago(since: str, now: float) -> str:
    """`3m ago` for an RFC 3339 time; empty when the time is. `now` is in seconds since the epoch."""
    span = passed(since, now)
    return "" if span is None else f"{spell(span)} ago"


def rest(since: str, seconds: float, now: float) -> float | None:
    """What is left of a span of `seconds` that began at `since`, not below 0; None when `since` is empty."""
    span = passed(since, now)
    return None if span is None else max(0.0, seconds - span)
