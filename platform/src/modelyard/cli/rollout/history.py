"""The rollouts of a Model that have ended, newest first: a line each, and below it why, and who asked for it."""

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
    """Header, and the lines of every record; a wide console gets the time of the end and whole names of revisions."""
    rows = [_row(record, now, width >= _WIDE) for record in records]
    widths = [max(len(row[at]) for row in (_COLUMNS, *rows)) for at in range(len(_COLUMNS))]
    yield Text(_aligned(_COLUMNS, widths), "bold")
    for record, row in zip(records, rows, strict=True):
        line = Text(_aligned(row, widths))
        at = sum(widths[:2]) + 2 * 2
        line.stylize(_COLOURS.get(record.outcome, "red"), at, at + len(row[2]))
        yield line
        yield Text(f"  {record.reason}: {record.message}", "dim")
        yield from (Text(f"  {line}", "dim") for line in _told(record))


def former_versions(records: Sequence[RolloutRecord], current: str) -> list[str]:
    """Versions that had all the traffic before `current` has it, the latest first, each once."""
    promoted = [record for record in records if record.outcome is Outcome.PROMOTED]
    versions = [version for record in promoted for version in (record.version, record.stable_version)]
    return [version for version in dict.fromkeys(versions) if version not in ("", current)]


def documents(records: Sequence[RolloutRecord]) -> list[dict[str, Any]]:
    """The same as plain values, with the duration in seconds."""
    return [
        {
            **record.model_dump(by_alias=True, mode="json"),
            "durationSeconds": round(epoch(record.end_time) - epoch(record.start_time), 3),
        }
        for record in records
    ]


def _told(record: RolloutRecord) -> Iterator[str]:
    """Who asked for it, why, and for which entry; then what the gates said. Nothing of what nobody said."""
    cause = record.cause
    if cause is not None and (cause.reason or cause.changed_by or cause.digest):
        who = f"asked for by {cause.changed_by}" if cause.changed_by else "asked for"
        why = f": {cause.reason}" if cause.reason else ""
        yield f"{who}{why}{f' (entry {cause.digest})' if cause.digest else ''}"
    if record.evidence:
        yield record.evidence


def _row(record: RolloutRecord, now: float, wide: bool) -> tuple[str, ...]:
    ended = record.end_time.partition(".")[0].removesuffix("Z").replace("T", " ") + "Z"
    return (
        ended if wide else ago(record.end_time, now),
        record.version or EMPTY,
        record.outcome.value,
        record.strategy,
        spell(epoch(record.end_time) - epoch(record.start_time)),
        f"{record.requests:,}",
        f"{record.failed_requests:,}",
        record.revision if wide else record.revision.rpartition("-")[2] or EMPTY,
    )


def _aligned(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()
