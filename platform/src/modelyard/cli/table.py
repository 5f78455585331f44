"""Results on the terminal: a table for people, or JSON or YAML for scripts."""

import json
from collections.abc import Sequence
from typing import Any

import yaml
from rich.console import Console
from rich.table import Table

from .options import Form

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


def emit(value: Any, form: Form, console: Console) -> None:
    """Prints data as JSON or YAML, unwrapped and uncoloured."""
    if form is Form.JSON:
        text = json.dumps(value, indent=2, ensure_ascii=False)
    else:
        text = yaml.safe_dump(value, sort_keys=False, allow_unicode=True).rstrip()
    console.out(text, highlight=False)
