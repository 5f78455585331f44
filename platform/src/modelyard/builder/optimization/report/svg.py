"""A trade-off panel as inline SVG: colours come from the page's style sheet, so that it follows light and dark."""

from html import escape

from .labels import labels
from .tradeoff import Axis, Panel, Point

WIDTH, HEIGHT = 560, 380
_LEFT, _RIGHT, _TOP, _BOTTOM = 70, 18, 34, 52


def drawn(panel: Panel) -> str:
    """A panel as an <svg> element of WIDTH by HEIGHT units; every point carries its line of text as a tooltip."""
    elements = [
        f'<svg class="panel" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(panel.title)}">',
        f'<text class="title" x="{_LEFT}" y="18">{escape(panel.title)}</text>',
        *_x_axis(panel.x),
        *_y_axis(panel.y),
        *(_bound(panel) if panel.bound is not None else ()),
        *(_mark(panel, point) for point in sorted(panel.points, key=lambda shown: shown.role != "refused")),
        *_labels(panel),
        "</svg>",
    ]
    return "\n".join(elements)


def _x(panel: Panel, point: Point) -> float:
    return _LEFT + panel.x.place(point.x) * (WIDTH - _LEFT - _RIGHT)


def _y(panel: Panel, value: float) -> float:
    return HEIGHT - _BOTTOM - panel.y.place(value) * (HEIGHT - _TOP - _BOTTOM)


def _x_axis(axis: Axis) -> list[str]:
    bottom, elements = HEIGHT - _BOTTOM, []
    for tick, text in axis.ticks:
        at = _LEFT + axis.place(tick) * (WIDTH - _LEFT - _RIGHT)
        elements.append(f'<line class="grid" x1="{at:.1f}" x2="{at:.1f}" y1="{_TOP}" y2="{bottom}"/>')
        elements.append(f'<text class="tick" x="{at:.1f}" y="{bottom + 17}" text-anchor="middle">{escape(text)}</text>')
    middle = (_LEFT + WIDTH - _RIGHT) / 2
    elements.append(
        f'<text class="axis" x="{middle}" y="{HEIGHT - 12}" text-anchor="middle">{escape(axis.label)}</text>'
    )
    return elements


def _y_axis(axis: Axis) -> list[str]:
    elements = []
    for tick, text in axis.ticks:
        at = HEIGHT - _BOTTOM - axis.place(tick) * (HEIGHT - _TOP - _BOTTOM)
        elements.append(f'<line class="grid" x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{at:.1f}" y2="{at:.1f}"/>')
        elements.append(f'<text class="tick" x="{_LEFT - 8}" y="{at + 4:.1f}" text-anchor="end">{escape(text)}</text>')
    middle = (_TOP + HEIGHT - _BOTTOM) / 2
    turned = f'transform="rotate(-90 16 {middle})"'
    elements.append(f'<text class="axis" x="16" y="{middle}" text-anchor="middle" {turned}>{escape(axis.label)}</text>')
    return elements


def _bound(panel: Panel) -> list[str]:
    at = _y(panel, panel.bound or 0.0)
    return [
        f'<line class="bound" x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{at:.1f}" y2="{at:.1f}"/>',
        f'<text class="bound" x="{WIDTH - _RIGHT}" y="{at - 5:.1f}" text-anchor="end">allowed</text>',
    ]


def _mark(panel: Panel, point: Point) -> str:
    x, y = _x(panel, point), _y(panel, point.y)
    tip = f"<title>{escape(point.tip)}</title>"
    if point.beyond:
        shape = f'<path d="M{x - 5:.1f} {y + 8:.1f} L{x:.1f} {y:.1f} L{x + 5:.1f} {y + 8:.1f} Z"/>'
    elif point.role == "refused":
        shape = f'<path d="M{x - 4:.1f} {y - 4:.1f} l8 8 m0 -8 l-8 8"/>'
    elif point.role == "original":
        shape = f'<rect x="{x - 5:.1f}" y="{y - 5:.1f}" width="10" height="10"/>'
    else:
        shape = f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{7 if point.role == "chosen" else 5}"/>'
    return f'<g class="{point.role}">{shape}{tip}</g>'


def _labels(panel: Panel) -> list[str]:
    elements = []
    for label in labels(panel, WIDTH - _LEFT - _RIGHT, HEIGHT - _TOP - _BOTTOM):
        x, y = _LEFT + label.x * (WIDTH - _LEFT - _RIGHT), HEIGHT - _BOTTOM - label.y * (HEIGHT - _TOP - _BOTTOM)
        anchor = "start" if label.right else "end"
        name = f'<text class="name {label.role}" x="{x:.1f}" y="{y + 4:.1f}" text-anchor="{anchor}">'
        elements.append(f"{name}{escape(label.text)}</text>")
    return elements
