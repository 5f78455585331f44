"""What rich would print, as plain text: no terminal, no colours."""

from rich.console import Console, RenderableType


def printed(what: RenderableType, width: int = 80) -> str:
    """The lines without the blanks at their ends."""
    console = Console(width=width, no_color=True, force_terminal=False, highlight=False)
    with console.capture() as shown:
        console.print(what)
    return "\n".join(line.rstrip() for line in shown.get().splitlines())


def widest(text: str) -> int:
    """Length of the longest line."""
    return max(map(len, text.splitlines()))


def row_with(text: str, word: str) -> str:
    """The first line that has the word in it."""
    return next(line for line in text.splitlines() if word in line)
