"""Two load tests beside each other: by how much each percentile and the error rate differ, and which of it is sure.

A percentile differs for sure when the intervals that hold it 95 times of a hundred in either test do not touch; shares
of failed requests when their difference is more than 1.96 of its standard deviations. Else it may be chance.
"""

import json
import math
from pathlib import Path
from typing import Any

from modelyard.errors import InvalidSettings

from .histogram import Histogram

PERCENTS = (50.0, 90.0, 95.0, 99.0, 99.9)
_SURE = 1.96


def read_report(path: Path) -> dict[str, Any]:
    """A report that was written by a load test; raises InvalidSettings when it is none."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        histogram = Histogram(found["histogram"])
        if not len(histogram) or not found["requests"] or not {"failed", "rate", "seconds"} <= set(found):
            raise ValueError("it holds no request")
    except OSError as bad:
        raise InvalidSettings(f"the report {path} cannot be read: {bad.strerror}.") from bad
    except (ValueError, KeyError, TypeError) as bad:
        raise InvalidSettings(
            f"{path} is no report of a load test with requests in it ({bad}); write one with --report FILE."
        ) from bad
    return found


def compare(before: dict[str, Any], after: dict[str, Any]) -> list[dict[str, Any]]:
    """One row a figure: name, before, after, ratio (None where before is 0) and whether the difference is sure."""
    sides = Histogram(before["histogram"]), Histogram(after["histogram"])
    rows = []
    for percent in PERCENTS:
        (low, high), (other_low, other_high) = (side.interval(percent) for side in sides)
        apart = other_low > high or other_high < low
        values = [side.percentile(percent) for side in sides]
        rows.append(_row(f"p{percent:g} ms", values[0], values[1], apart))
    failed, others = (found["failed"] / found["requests"] for found in (before, after))
    deviation = math.sqrt(sum(share * (1 - share) / found["requests"] for share, found in
                              ((failed, before), (others, after))))  # fmt: skip
    rows.append(_row("failed", failed, others, abs(others - failed) > _SURE * deviation))
    return [*rows, _row("per second", before["rate"]["achieved"], after["rate"]["achieved"], False)]


def _row(name: str, before: float, after: float, sure: bool) -> dict[str, Any]:
    ratio = round(after / before, 3) if before else None
    return {"name": name, "before": round(before, 4), "after": round(after, 4), "ratio": ratio, "sure": sure}


def text(rows: list[dict[str, Any]], before: str, after: str) -> str:
    """The same as a few lines."""
    lines = [f"{'':12}{'before':>12}{'after':>12}{'ratio':>9}", ""]
    for row in rows:
        ratio = "" if row["ratio"] is None else f"{row['ratio']:.3f}"
        lines.append(
            f"{row['name']:12}{row['before']:>12g}{row['after']:>12g}{ratio:>9}  {'differs' if row['sure'] else ''}"
        )
    return "\n".join([*lines, "", f"before: {before}, after: {after}; what does not say differs may be chance"])
