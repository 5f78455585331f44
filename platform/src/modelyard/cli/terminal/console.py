"""What every verb prints with: tables and progress for people, JSON or YAML for scripts, problems on stderr."""

import json
import math
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn
from rich.text import Text


class Output(StrEnum):
    """How a verb's result is written."""

    TABLE = "table"
    JSON = "json"
    YAML = "yaml"


def out() -> Console:
    """Console for results; a pipe gets wide lines, so that tables lose nothing."""
    return Console(width=None if sys.stdout.isatty() else 200, highlight=False)


def err() -> Console:
    """Console for progress and problems; never mixed into results."""
    return Console(stderr=True)


def problem(sentence: str) -> None:
    """One red sentence on stderr."""
    err().print(Text(sentence, style="bold red"), soft_wrap=True)


def say(text: str) -> None:
    """One line of progress on stderr."""
    err().print(Text(text, style="dim"), soft_wrap=True)


def dump(value: Any, output: Output) -> None:
    """A plain value as JSON or YAML on stdout; JSON has no word for NaN and infinity, so they are text there."""
    if output is Output.YAML:
        import yaml

        sys.stdout.write(yaml.safe_dump(value, sort_keys=False, allow_unicode=True))
    else:
        sys.stdout.write(json.dumps(_strict(value), indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def _strict(value: Any) -> Any:
    """`value` with "NaN", "Infinity" and "-Infinity", as Protobuf's JSON writes them, where JSON has no number."""
    if isinstance(value, dict):
        return {name: _strict(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_strict(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value


@contextmanager
def moving(what: str, total: int) -> Iterator[Any]:
    """A progress bar for bytes; yields the callback that advances it."""
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=err(), transient=True, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task(what, total=total)
        yield lambda count: bar.advance(task, count)
