"""Pictures as inline SVG: lines over seconds or percentiles, a bound across, a tooltip at each point."""

import math
from collections.abc import Sequence
from html import escape
from typing import NamedTuple

WIDTH, HEIGHT = 560, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 62, 16, 34, 44
_MOST_POINTS = 600


class Line(NamedTuple):
    """Points (x, y) with a name; `kind` is its class in the style sheet."""

    name: str
    kind: str
    points: Sequence[tuple[float, float]]


class Ticks(NamedTuple):
    """Places on an axis and what stands there; the first and the last are its ends."""

    places: Sequence[float]
    texts: Sequence[str]

    def place(self, value: float) -> float:
        """From 0 at the first tick to 1 at the last; what lies beyond is put at the end."""
        low, high = self.places[0], self.places[-1]
        return min(1.0, max(0.0, (value - low) / (high - low)))


def ticks(most: float, unit: str = "") -> Ticks:
    """From 0 to a round number that is not below `most`, in four or five steps."""
    most = most if math.isfinite(most) and most > 0.0 else 1.0
    scale = 10.0 ** math.floor(math.log10(most))
    top = next(step * scale for step in (1, 1.5, 2, 3, 4, 5, 6, 8, 10) if step * scale >= most * (1 - 1e-9))
    places = [top * part / 4 for part in range(5)]
    return Ticks(places, [f"{place:.4g}{unit}" for place in places])


def drawn(title: str, x: Ticks, y: Ticks, lines: Sequence[Line], bound: float = 0.0, bound_text: str = "") -> str:
    """One picture as an <svg> element of WIDTH by HEIGHT units; `bound` 0 is none."""
    elements = [
        f'<svg class="panel" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title)}">',
        f'<text class="title" x="{_LEFT}" y="18">{escape(title)}</text>',
        *_axes(x, y),
    ]
    for line in lines:
        step = max(1, len(line.points) // _MOST_POINTS)
        places = [(_x(x, at), _y(y, value)) for at, value in line.points[::step]]
        path = " ".join(f"{left:.1f},{top:.1f}" for left, top in places)
        elements.append(f'<polyline class="{line.kind}" points="{path}"><title>{escape(line.name)}</title></polyline>')
    if bound:
        at = _y(y, bound)
        elements.append(f'<line class="bound" x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{at:.1f}" y2="{at:.1f}"/>')
        elements.append(
            f'<text class="bound" x="{WIDTH - _RIGHT}" y="{at - 5:.1f}" text-anchor="end">{escape(bound_text)}</text>'
        )
    for number, line in enumerate(lines):
        left = _LEFT + 8 + 130 * number
        elements.append(f'<text class="{line.kind} key" x="{left}" y="{_TOP + 4}">{escape(line.name)}</text>')
    return "\n".join([*elements, "</svg>"])


def _x(axis: Ticks, value: float) -> float:
    return _LEFT + axis.place(value) * (WIDTH - _LEFT - _RIGHT)


def _y(axis: Ticks, value: float) -> float:
    return HEIGHT - _BOTTOM - axis.place(value) * (HEIGHT - _TOP - _BOTTOM)


def _axes(x: Ticks, y: Ticks) -> list[str]:
    bottom, elements = HEIGHT - _BOTTOM, []
    for place, text in zip(x.places, x.texts, strict=True):
        at = _x(x, place)
        elements.append(f'<line class="grid" x1="{at:.1f}" x2="{at:.1f}" y1="{_TOP}" y2="{bottom}"/>')
        elements.append(f'<text class="tick" x="{at:.1f}" y="{bottom + 17}" text-anchor="middle">{escape(text)}</text>')
    for place, text in zip(y.places, y.texts, strict=True):
        at = _y(y, place)
        elements.append(f'<line class="grid" x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{at:.1f}" y2="{at:.1f}"/>')
        elements.append(f'<text class="tick" x="{_LEFT - 8}" y="{at + 4:.1f}" text-anchor="end">{escape(text)}</text>')
    return elements
