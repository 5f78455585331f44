"""A small grey picture on the terminal: two pixels a character cell, or shades where there are no colours."""

from collections.abc import Sequence

from rich.color import Color
from rich.style import Style
from rich.text import Text

_SHADES = " ░▒▓█"
_ENLARGED = 2


def drawn(rows: Sequence[Sequence[float]], *, colours: bool) -> Text:
    """The picture; `rows` are brightnesses from 0 to 1, from top to bottom."""
    if not colours:
        return Text("\n".join("".join(_shade(value) * 2 for value in row) for row in rows))
    large = [[value for value in row for _ in range(_ENLARGED)] for row in rows for _ in range(_ENLARGED)]
    if len(large) % 2:
        large.append([0.0] * len(large[0]))
    text = Text()
    for top, bottom in zip(large[::2], large[1::2], strict=True):
        for upper, lower in zip(top, bottom, strict=True):
            text.append("▀", Style(color=_grey(upper), bgcolor=_grey(lower)))
        text.append("\n")
    text.rstrip()
    return text


def _shade(value: float) -> str:
    return _SHADES[min(int(max(value, 0.0) * len(_SHADES)), len(_SHADES) - 1)]


def _grey(value: float) -> Color:
    level = round(255 * min(max(value, 0.0), 1.0))
    return Color.from_rgb(level, level, level)
