"""What the pictures show, before anybody draws it: points, axes and ticks of the two trade-off panels.

    latency against quality loss     with the allowed loss as a line; without an evaluation set this panel is missing
    latency against size

Latency is the original's median over the speed-up: what was compared within rounds, so that the pictures say what
the choice and the front are made of.

Both axes are better towards the lower left. Losses far above the allowed one would squeeze everything else flat, so
they are shown at the upper edge, marked as beyond it.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from modelyard.api.optimization import Optimization, Variant
from modelyard.builder.optimization.search.selection import percent

Role = Literal["chosen", "original", "pareto", "eligible", "refused"]


@dataclass(frozen=True)
class Point:
    """One variant: milliseconds, loss in percent or size in bytes; `beyond` when y is above the panel."""

    name: str
    x: float
    y: float
    role: Role
    tip: str
    beyond: bool = False


@dataclass(frozen=True)
class Axis:
    """A range and its ticks (value, text); `log` for a logarithmic one."""

    low: float
    high: float
    ticks: tuple[tuple[float, str], ...]
    log: bool
    label: str

    def place(self, value: float) -> float:
        """0 at the low end, 1 at the high end; values outside are moved to the end."""
        low, high, at = (math.log(v) if self.log else v for v in (self.low, self.high, max(value, self.low)))
        return min(1.0, max(0.0, (at - low) / (high - low)))


@dataclass(frozen=True)
class Panel:
    """One picture; `bound` is the y of the line for the allowed loss, in percent."""

    title: str
    x: Axis
    y: Axis
    points: tuple[Point, ...]
    bound: float | None = None


def role(variant: Variant, report: Optimization) -> Role:
    """How a variant is drawn and named; the choice counts more than the Pareto front."""
    if variant.name == report.chosen.name:
        return "chosen"
    if variant.name == report.baseline:
        return "original"
    if variant.refused is not None:
        return "refused"
    return "pareto" if variant.pareto else "eligible"


def panels(report: Optimization) -> tuple[Panel, ...]:
    """The panels (quality first, then size) of all variants that were timed; none when nothing was."""
    times = _times(report)
    timed = [variant for variant in report.variants if variant.name in times]
    if not timed:
        return ()
    x = _log(list(times.values()), "latency at batch 1 (ms)", _plain)
    sizes = [variant for variant in timed if variant.size]
    others = [_by_size(report, sizes, x)] if sizes else []
    judged = [variant for variant in timed if variant.quality_loss is not None]
    return (_by_quality(report, judged, x), *others) if judged and report.metric else tuple(others)


def _times(report: Optimization) -> dict[str, float]:
    """Milliseconds at batch 1 by name, as ratios within the rounds give them."""
    original = next(variant for variant in report.variants if variant.name == report.baseline)
    if 1 not in original.latency:
        return {}
    return {v.name: original.latency[1].p50 / v.speedup for v in report.variants if v.speedup and 1 in v.latency}


def _by_quality(report: Optimization, variants: Sequence[Variant], x: Axis) -> Panel:
    bound, times = 100 * report.max_quality_loss, _times(report)
    losses = {variant.name: 100 * (variant.quality_loss or 0.0) for variant in variants}
    within = [loss for loss in losses.values() if loss <= 3 * bound]
    low, high = min([0.0, *within]), max(3 * bound, 1e-6)
    margin = 0.06 * (high - low)
    y = _linear(low - margin, high, f"{report.metric.name if report.metric else ''} lost (%)")
    points = tuple(
        Point(v.name, times[v.name], losses[v.name], role(v, report), tip(v), losses[v.name] > high) for v in variants
    )
    return Panel("Latency and quality", x, y, points, bound)


def _by_size(report: Optimization, variants: Sequence[Variant], x: Axis) -> Panel:
    y = _log([float(variant.size or 1) for variant in variants], "size on disk", in_bytes)
    times = _times(report)
    points = tuple(Point(v.name, times[v.name], float(v.size or 1), role(v, report), tip(v)) for v in variants)
    return Panel("Latency and size", x, y, points)


def tip(variant: Variant) -> str:
    """A variant in one line."""
    facts = [variant.name]
    if 1 in variant.latency:
        facts.append(f"{variant.latency[1].p50:.3g} ms")
    if variant.size:
        facts.append(in_bytes(variant.size))
    if variant.quality_loss is not None:
        facts.append(f"{percent(variant.quality_loss)} lost")
    return ", ".join(facts) + (f": {variant.refused}" if variant.refused else "")


def in_bytes(size: float) -> str:
    """Bytes with the unit that fits: 41338 is 41.3 kB."""
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size >= factor:
            return f"{size / factor:.3g} {unit}"
    return f"{size:.0f} B"


def _plain(value: float) -> str:
    return f"{value:g}"


def _log(values: Sequence[float], label: str, write: Callable[[float], str]) -> Axis:
    """A logarithmic axis around the values; ticks at powers of ten, and between them as long as those are few."""
    low, high = min(values) / 1.25, max(values) * 1.4
    inside: list[float] = []
    exponents = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for steps in ((1,), (1, 2, 5), (1, 1.5, 2, 3, 4, 5, 6, 8)):
        inside = [step * 10.0**power for power in exponents for step in steps if low <= step * 10.0**power <= high]
        if len(inside) >= 3:
            break
    return Axis(low, high, tuple((tick, write(tick)) for tick in inside), True, label)


def _linear(low: float, high: float, label: str) -> Axis:
    """A linear axis with four to eight round ticks."""
    rough = (high - low) / 5
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough)
    first = math.ceil(low / step)
    ticks = tuple(number * step for number in range(first, math.floor(high / step) + 1))
    return Axis(low, high, tuple((tick, _plain(round(tick, 9))) for tick in ticks), False, label)
