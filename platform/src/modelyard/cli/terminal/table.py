"""Tables for people: plain, without borders, honest about what is not known."""

from collections.abc import Sequence

from rich.table import Table

EMPTY = "-"


def table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    """A plain table without borders; an empty cell is shown as a dash."""
    made = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        made.add_column(column.upper(), overflow="fold")
    for row in rows:
        made.add_row(*(cell or EMPTY for cell in row))
    return made


def mark(good: bool | None) -> str:
    """A coloured word for yes, no and not known."""
    return {True: "[green]yes[/]", False: "[red]no[/]", None: "[yellow]?[/]"}[good]
