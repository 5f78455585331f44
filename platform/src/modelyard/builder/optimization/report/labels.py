"""Names beside the points that matter, moved up or down where they would cover each other."""

from dataclasses import dataclass

from .tradeoff import Panel, Point, Role

LINE, LETTER, GAP = 13.0, 7.0, 10.0
"""Height of a line, width of a letter and distance from the point, in the drawing's units."""
_NAMED: tuple[Role, ...] = ("chosen", "original", "pareto")
_STEPS = 6


@dataclass(frozen=True)
class Label:
    """A name; `x` and `y` are shares of the panel, the text starts (`right`) or ends there."""

    text: str
    role: Role
    x: float
    y: float
    right: bool


@dataclass(frozen=True)
class _Box:
    start: float
    width: float
    middle: float

    def covers(self, box: "_Box") -> bool:
        """Whether the two overlap."""
        beside = self.start + self.width < box.start or box.start + box.width < self.start
        return abs(self.middle - box.middle) < LINE and not beside


def labels(panel: Panel, width: float, height: float) -> list[Label]:
    """Labels for a panel drawn `width` by `height` units large; points that matter more get their place first."""
    placed: list[Label] = []
    taken = [_mark(panel, point, width, height) for point in panel.points]
    for point in sorted((p for p in panel.points if p.role in _NAMED), key=lambda p: _NAMED.index(p.role)):
        x, y = panel.x.place(point.x) * width, panel.y.place(point.y) * height
        size = LETTER * len(point.name)
        right = x + GAP + size < width
        start = x + GAP if right else x - GAP - size
        places = [_Box(start, size, y + shift) for shift in _shifts() if 0 <= y + shift <= height]
        box = next((place for place in places if not any(place.covers(mark) for mark in taken)), places[0])
        taken.append(box)
        edge = start if right else start + size
        placed.append(Label(point.name, point.role, edge / width, box.middle / height, right))
    return placed


def _mark(panel: Panel, point: Point, width: float, height: float) -> _Box:
    """The place of the point itself, which no name may cover."""
    return _Box(panel.x.place(point.x) * width - GAP / 2, GAP - 1, panel.y.place(point.y) * height)


def _shifts() -> list[float]:
    """Nearest first, upwards before downwards."""
    return [0.0, *(sign * step * LINE for step in range(1, _STEPS) for sign in (1, -1))]
