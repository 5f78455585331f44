"""The rollouts of a Model that have ended, newest first: a line each, and below it why."""

from collections.abc import Iterator, Sequence
from typing import Any

from rich.text import Text

from modelyard.api.rollout_status import Outcome, RolloutRecord
from modelyard.cli.terminal.durations import ago, spell
from modelyard.cli.terminal.table import EMPTY
from modelyard.core.conditions import epoch

_COLUMNS = ("WHEN", "VERSION", "OUTCOME", "STRATEGY", "TOOK", "REQUESTS", "BAD", "REVISION")
_COLOURS = {Outcome.PROMOTED: "green", Outcome.REPORTED: "cyan"}
_WIDE = 110


def lines(records: Sequence[RolloutRecord], now: float, width: int) -> Iterator[Text]:
    """Header, and two lines a record; a wide console gets the time of the end and the whole name of the revision."""
    rows = [_row(one, now, width >= _WIDE) for one in records]
    widths = [max(len(row[at]) for row in (_COLUMNS, *rows)) for at in range(len(_COLUMNS))]
    yield Text(_aligned(_COLUMNS, widths), "bold")
    for record, row in zip(records, rows, strict=True):
        told = Text(_aligned(row, widths))
        at = sum(widths[:2]) + 2 * 2
        told.stylize(_COLOURS.get(record.outcome, "red"), at, at + len(row[2]))
        yield told
        yield Text(f"  {record.reason}: {record.message}", "dim")


def documents(records: Sequence[RolloutRecord]) -> list[dict[str, Any]]:
    """The same as plain values, with the duration in seconds."""
    return [
        {
            **one.model_dump(by_alias=True, mode="json"),
            "durationSeconds": round(epoch(one.end_time) - epoch(one.start_time), 3),
        }
        for one in records
    ]


def _row(one: RolloutRecord, now: float, wide: bool) -> tuple[str, ...]:
    ended = one.end_time.partition(".")[0].removesuffix("Z").replace("T", " ") + "Z"
    return (
        ended if wide else ago(one.end_time, now),
        one.version or EMPTY,
        one.outcome.value,
        one.strategy,
        spell(epoch(one.end_time) - epoch(one.start_time)),
        f"{one.requests:,}",
        f"{one.failed_requests:,}",
        one.revision if wide else one.revision.rpartition("-")[2] or EMPTY,
    )


def _aligned(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()
