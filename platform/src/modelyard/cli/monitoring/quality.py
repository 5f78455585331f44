"""`modelyard quality`: how right a Model's answers are, by the labels that came, by revision, slice and day.

Exit code 0 when nothing has decayed, 1 when something has, 2 when there is nothing to judge.
"""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from modelyard.api.quantity import shown
from modelyard.cli.terminal.console import Output, dump, out
from modelyard.cli.terminal.options import Namespace, Shown
from modelyard.cli.terminal.table import table
from modelyard.core.monitoring.performance.decay import DecayFinding, said
from modelyard.errors import InvalidModel

if TYPE_CHECKING:
    from modelyard.records.feedback.measures import Measure
    from modelyard.records.feedback.performance import ModelQuality, RevisionQuality

_COLUMNS = ("revision", "of", "measure", "value", "95 % interval", "labels", "decay")


def quality(
    name: Annotated[str, typer.Argument(help="Name of the Model.")],
    namespace: Namespace = "",
    days: Annotated[int, typer.Option(min=1, max=365, help="How many days back, today included.")] = 30,
    by_day: Annotated[bool, typer.Option("--by-day", help="A line for each day, too.")] = False,
    output: Shown = Output.TABLE,
) -> None:
    """Show how right a Model is by the labels that came, and what has decayed."""
    found, title = _of_cluster(name, namespace, days)
    if output is Output.TABLE:
        console = out()
        console.print(title, markup=False, soft_wrap=True)
        console.print(table(_COLUMNS, [line for one in found.revisions for line in _lines(one, by_day=by_day)]))
        for note in _notes(found):
            console.print(note, markup=False, soft_wrap=True)
    else:
        dump(document(found), output)
    if any(finding.alarm for one in found.revisions for finding in one.decays):
        raise typer.Exit(1)


def document(found: "ModelQuality") -> dict[str, Any]:
    """All of it as plain values, for scripts."""
    return {
        "labels": found.labels,
        "unknown": found.unknown,
        "unfit": found.unfit,
        "repeated": found.repeated,
        "contradicting": found.contradicting,
        "revisions": [_plain(one) for one in found.revisions],
        "notes": list(_notes(found)),
    }


def _of_cluster(name: str, namespace: str, days: int) -> "tuple[ModelQuality, str]":
    from modelyard.api.model import Model
    from modelyard.cli.connection import open_store
    from modelyard.clients.cluster.access import access
    from modelyard.clients.cluster.api_server import Cluster
    from modelyard.clients.cluster.context import current_namespace
    from modelyard.clients.cluster.models import read
    from modelyard.records.feedback.performance import quality_of

    model = Model.of(read(Cluster(access()), namespace or current_namespace(), name)[0])
    asked = model.spec.monitoring.feedback if model.spec.monitoring else None
    if asked is None:
        raise InvalidModel(f"{model.name} takes no labels: write spec.monitoring.feedback, and record what it answers.")
    now = time.time()
    first = (datetime.fromtimestamp(now, UTC).date() - timedelta(days=days - 1)).isoformat()
    digests = {revision.name: revision.digest for revision in model.status.revisions}
    found = quality_of(open_store(), model.namespace, model.name, digests, asked, first, int(now // 60))
    if not found.revisions:
        raise InvalidModel(_nothing(model.namespace, model.name, days, found))
    return found, f"{model.name} in {model.namespace}, labels of the last {days} days"


def _nothing(namespace: str, name: str, days: int, found: "ModelQuality") -> str:
    if not found.labels:
        return (
            f"no label of {namespace}/{name} came in the last {days} days: send some to /{namespace}/{name}/feedback, "
            f"or `modelyard feedback {name} --input FILE`."
        )
    if found.unknown == found.labels:
        return (
            f"none of the {found.labels} labels is of a recorded request: take the id of the answer (x-request-id), "
            "and only answers with x-modelyard-sample."
        )
    return (
        f"none of the {found.labels} labels fits the recorded answers ({found.unknown} are of unknown rows, "
        f"{found.unfit} do not fit): see that spec.monitoring.log.columns keeps the output, and what its classes are."
    )


def _lines(one: "RevisionQuality", *, by_day: bool) -> Iterator[list[str]]:
    decays = {finding.question.slice: finding for finding in one.decays if finding.alarm is not None}
    for name, found in one.slices.items():
        for at, measure in enumerate(found):
            decayed = decays.get(name) if at == 0 else None
            yield [one.revision, name or f"all ({one.output})", *_cells(measure), _decayed(decayed)]
    for name, value in one.estimates.items():
        yield [one.revision, f"last day ({one.output})", f"{name}, estimated", shown(value), "", "without labels", ""]
    for day, found in one.days.items() if by_day else ():
        for measure in found:
            yield [one.revision, day, *_cells(measure), ""]


def _cells(measure: "Measure") -> list[str]:
    value = "none" if measure.value is None else shown(measure.value)
    interval = "" if measure.low is None or measure.high is None else f"{shown(measure.low)} to {shown(measure.high)}"
    return [measure.name, value, interval or "too few", str(measure.rows)]


def _decayed(finding: "DecayFinding | None") -> str:
    if finding is None or finding.alarm is None:
        return ""
    return f"since {_moment(finding.alarm.since)}: {said(finding)}"


def _notes(found: "ModelQuality") -> Iterator[str]:
    from modelyard.records.feedback.performance_status import sentences

    yield from sentences(found)
    for one in found.revisions:
        if one.learning:
            yield f"{one.revision}, {one.output}: {one.learning} labels more, and decay can be told."
        if one.estimates:
            yield "What is estimated goes by how sure the answers are, and does not see it when their meaning changes."


def _plain(one: "RevisionQuality") -> dict[str, Any]:
    return {
        "revision": one.revision,
        "output": one.output,
        "kind": one.kind,
        "labels": one.rows,
        "slices": {name or "all": [_measured(measure) for measure in found] for name, found in one.slices.items()},
        "days": {day: [_measured(measure) for measure in found] for day, found in one.days.items()},
        "estimated": {name: round(value, 6) for name, value in one.estimates.items()},
        "decays": [_finding(finding) for finding in one.decays],
        "learning": one.learning,
    }


def _measured(measure: "Measure") -> dict[str, Any]:
    numbers = {"value": measure.value, "low": measure.low, "high": measure.high}
    return {"measure": measure.name, "labels": measure.rows} | {
        key: None if number is None else round(number, 6) for key, number in numbers.items()
    }


def _finding(finding: "DecayFinding") -> dict[str, Any]:
    alarm = finding.alarm
    return {
        "of": finding.question.slice or "all",
        "event": finding.question.event,
        "reference": {"hits": finding.question.hits, "of": finding.question.trials},
        "now": {"hits": finding.hits, "of": finding.rows},
        "decayed": alarm is not None,
        "since": _moment(alarm.since) if alarm else None,
        "what": said(finding) or None,
    }


def _moment(minute: int) -> str:
    return f"{datetime.fromtimestamp(minute * 60, UTC):%Y-%m-%d %H:%MZ}"
