"""`modelyard drift`: which features of a Model's rows are no longer like the reference, or of one file like another.

Exit code 0 when nothing is, 1 when something is, 2 when there is nothing to compare.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from modelyard.cli.terminal.console import Output, dump, out, say
from modelyard.cli.terminal.options import Namespace, Shown
from modelyard.cli.terminal.table import table
from modelyard.core.monitoring.findings import FeatureFinding, sentence
from modelyard.errors import InvalidInput, UserError

if TYPE_CHECKING:
    from .watched_rows import WatchedRows

_COLUMNS = ("feature", "kind", "since", "what", "how far", "weight", "smallest visible change")


def drift(
    name: Annotated[str, typer.Argument(help="Name of the Model; none with --file.")] = "",
    namespace: Namespace = "",
    revision: Annotated[str, typer.Option(help="Another revision than the one that serves.")] = "",
    days: Annotated[int, typer.Option(min=1, max=90, help="How many days of counts are read.")] = 7,
    reference: Annotated[Path | None, typer.Option(help="Without a Model: a .csv, .parquet or .npz of rows.")] = None,
    file: Annotated[Path | None, typer.Option(help="Without a Model: the rows to compare with it.")] = None,
    time_column: Annotated[
        str, typer.Option("--time", metavar="COLUMN", help="With --file: its column of times; compared once without.")
    ] = "",
    false_alarms: Annotated[str, typer.Option(help="With --time: how many are fine, such as 1/y or 2/m.")] = "1/y",
    html: Annotated[Path | None, typer.Option(help="Write a page with the distributions then and now.")] = None,
    output: Shown = Output.TABLE,
) -> None:
    """Show which features of a Model's rows are no longer like the reference, and since when."""
    rows = _rows(name, namespace, revision, days, reference, file, time_column, false_alarms)
    found = rows.findings()
    if html is not None:
        _write(html, rows, found)
    if output is Output.TABLE:
        console = out()
        console.print(rows.title, markup=False, soft_wrap=True)
        console.print(table(_COLUMNS, [_cells(one, timed=rows.timed) for one in found]))
        for note in rows.notes:
            console.print(note, markup=False, soft_wrap=True)
    else:
        dump(document(rows, found), output)
    if any(one.alarm is not None for one in found):
        raise typer.Exit(1)


def document(rows: "WatchedRows", found: list[FeatureFinding]) -> dict[str, Any]:
    """The findings as plain values, for scripts."""
    return {
        "title": rows.title,
        "rowsADay": rows.rows_a_day,
        "features": [_plain(one, timed=rows.timed) for one in found],
        "notes": list(rows.notes),
    }


def visible_text(finding: FeatureFinding) -> str:
    """The smallest visible change in words: missing 0.4%, shape 3.1% (0.08 sigma)."""
    visible, parts = finding.visible, []
    if visible.missing < 1.0:
        parts.append(f"missing {100 * visible.missing:.2g}%")
    if visible.shape < 1.0:
        sigma = "" if visible.sigma is None else f" ({visible.sigma:.2g} sigma)"
        parts.append(f"shape {100 * visible.shape:.2g}%{sigma}")
    return ", ".join(parts) or "none: too few rows"


def moment(minute: int) -> str:
    """A minute since the epoch as 2026-11-29 10:00Z."""
    return f"{datetime.fromtimestamp(minute * 60, UTC):%Y-%m-%d %H:%MZ}"


def _rows(
    name: str, namespace: str, revision: str, days: int, reference: Path | None, file: Path | None,
    time_column: str, false_alarms: str,
) -> "WatchedRows":  # fmt: skip
    from pydantic import ValidationError

    from modelyard.api.monitoring.spec import Drift

    from .watched_rows import of_files

    if (reference is None) != (file is None) or bool(name) == (file is not None):
        raise InvalidInput("name a Model, or give both --reference FILE and --file FILE and no Model.")
    if reference is not None and file is not None:
        try:
            allowed = Drift(false_alarms=false_alarms).false_alarms_a_year
        except ValidationError as bad:
            raise InvalidInput(f"--false-alarms {false_alarms}: {bad.errors()[0]['msg']}.") from bad
        return of_files(reference, file, time_column, allowed)
    return _of_cluster(name, namespace, revision, days)


def _of_cluster(name: str, namespace: str, revision: str, days: int) -> "WatchedRows":
    from modelyard.api.model import Model
    from modelyard.cli.connection import open_store
    from modelyard.clients.cluster.access import access
    from modelyard.clients.cluster.api_server import Cluster
    from modelyard.clients.cluster.context import current_namespace
    from modelyard.clients.cluster.models import read

    from .watched_rows import current_time, of_model

    model = Model.of(read(Cluster(access()), namespace or current_namespace(), name)[0])
    return of_model(model, revision, days, open_store(), current_time())


def _write(path: Path, rows: "WatchedRows", found: list[FeatureFinding]) -> None:
    from .page import page

    try:
        path.write_text(page(rows, found), encoding="utf-8")
    except OSError as bad:
        raise UserError(f"{path} cannot be written ({bad.strerror}): choose another file.") from bad
    say(f"wrote {path}")


def _cells(finding: FeatureFinding, *, timed: bool) -> list[str]:
    alarm = finding.alarm
    weight = "?" if finding.weight is None else f"{finding.weight:.2g}"
    return [
        finding.profile.name,
        alarm.kind if alarm else "",
        moment(alarm.since) if alarm and timed else "",
        sentence(alarm) if alarm else "",
        f"{100 * finding.shift:.2g}%" if alarm else "",
        weight if alarm else "",
        visible_text(finding),
    ]


def _plain(finding: FeatureFinding, *, timed: bool) -> dict[str, Any]:
    alarm, visible = finding.alarm, finding.visible
    told = {
        "name": finding.profile.name,
        "role": finding.profile.role,
        "kind": alarm.kind if alarm else None,
        "broken": alarm.broken if alarm else None,
        "clock": alarm.clock.name.lower() if alarm and timed else None,
        "since": moment(alarm.since) if alarm and timed else None,
        "what": sentence(alarm) if alarm else None,
        "shift": round(finding.shift, 5),
        "weight": None if finding.weight is None else round(finding.weight, 5),
        "rows": finding.rows,
    }
    seen = {"missing": visible.missing, "shape": visible.shape, "sigma": visible.sigma}
    return told | {"smallestVisible": {key: None if value is None else round(value, 5) for key, value in seen.items()}}
