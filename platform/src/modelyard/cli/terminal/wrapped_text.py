"""Short texts side by side, broken between them and never inside, with further lines indented."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.text import Text


@dataclass(frozen=True)
class Flow:
    """A renderable; empty parts are left out."""

    parts: Sequence[Text]
    gap: int = 2
    indent: int = 2

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield from self._lines(options.max_width)

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        widths = [line.cell_len for line in self._lines(options.max_width)]
        return Measurement(min(widths), max(widths))

    def _lines(self, width: int) -> Iterable[Text]:
        line = Text()
        for text in filter(None, self.parts):
            if line.plain.strip() and line.cell_len + self.gap + text.cell_len > width:
                yield line
                line = Text(" " * self.indent)
            elif line.plain.strip():
                line.append(" " * self.gap)
            line.append_text(text)
        yield line
