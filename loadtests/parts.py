"""The pieces of a load that changes: which were kept, the highest rate that was, and where to stop looking for it.

`kept` counts and proves nothing: nine tenths of the requests could be sent while the piece lasted or a second later,
and no more of them than allowed failed or were answered too late.
"""

from dataclasses import dataclass

from .arrivals import Piece
from .options import Options
from .recording import Recording, Row

ENOUGH = 0.9
IN_TIME_SECONDS = 1.0


@dataclass(frozen=True)
class Part:
    """One piece, its requests by when they were due, and whether it was kept; `start` in seconds from the beginning."""

    piece: Piece
    start: float
    rows: tuple[Row, ...]
    kept: bool

    @property
    def end(self) -> float:
        """When it ends, in seconds from the beginning."""
        return self.start + self.piece.seconds


def parts(recording: Recording, options: Options) -> list[Part]:
    """Every piece of the load in its order; a load that does not change has none."""
    pieces = getattr(options.arrivals, "pieces", ())
    if len(pieces) < 2:
        return []
    rows, found, start = list(recording.rows()), [], 0.0
    for piece in pieces:
        mine = tuple(row for row in rows if start <= row.due < start + piece.seconds)
        found.append(Part(piece, start, mine, _kept(piece, start, mine, recording, options)))
        start += piece.seconds
    return found


def _kept(piece: Piece, start: float, rows: tuple[Row, ...], recording: Recording, options: Options) -> bool:
    end, limit = start + piece.seconds, options.latency * 1000.0
    owed = sum(start <= due < end for due in recording.owed)
    in_time = sum(row.due + row.late / 1000.0 <= end + IN_TIME_SECONDS for row in rows)
    late = sum(row.total > limit for row in rows) + owed if limit else 0
    return (
        in_time >= ENOUGH * piece.requests
        and sum(row.failed for row in rows) <= options.error_rate * len(rows)
        and late <= (1.0 - options.percentile / 100.0) * (len(rows) + owed)
    )


def rising(found: list[Part]) -> list[Part]:
    """The parts before the first that was not kept."""
    missed = next((place for place, part in enumerate(found) if not part.kept), len(found))
    return found[:missed]


def missed_by(recording: Recording, options: Options, elapsed: float, patience: float) -> bool:
    """Whether a piece that ended `patience` seconds ago, or before, was not kept; `elapsed` from the beginning."""
    return any(not part.kept for part in parts(recording, options) if part.end + patience <= elapsed)


def judged_seconds(recording: Recording, options: Options) -> float:
    """Up to where the load is judged: to its end, or where a limit is looked for, to the end of what was kept, and of
    the first piece at least."""
    if not options.until_missed:
        return options.seconds
    found = parts(recording, options)
    return (rising(found) or found)[-1 if rising(found) else 0].end


def highest_kept(recording: Recording, options: Options) -> float | None:
    """Requests per second at the end of the last piece before the first that was not kept; None when none was."""
    kept = rising(parts(recording, options))
    return kept[-1].piece.end if kept else None
