"""What labels say of a Model's revisions: measures by revision, slice and day, and what has decayed.

The reference of a slice is written once it is learnt (`keep_reference`), and never learnt again: rows of the store
come and go with their retention, and a reference that moved with them would follow a slow decay.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np

from modelyard.api.monitoring.spec import Feedback
from modelyard.api.report import Report
from modelyard.core.monitoring.performance.decay import (
    LEARNT_ROWS,
    DecayFinding,
    QualityQuestion,
    decay,
    minutes_of,
)
from modelyard.core.storage.monitoring_keys import quality_key
from modelyard.core.storage.object_store import Store

from .build_reports import report_of
from .estimated import estimated
from .judged_rows import JudgedRows, chances, default_output, joined, outputs_in
from .labels import Settled, label_files, read_labels, settled
from .measures import FEWEST, Measure, measures
from .recorded_answers import answers

ALL = ""
"""The slice that all rows are in."""
MOST_SLICES = 20
_DAY = 1440


@dataclass(frozen=True)
class RevisionQuality:
    """Measures of one output of one revision.

    `slices` are by words such as "sex=Female", ALL for all rows; `days` by 2026-11-29; `estimates` by measure, of the
    answers of the last day, whether labelled or not.
    """

    revision: str
    output: str
    kind: str
    rows: int
    slices: Mapping[str, Sequence[Measure]]
    days: Mapping[str, Sequence[Measure]]
    decays: Sequence[DecayFinding]
    estimates: Mapping[str, float]
    learning: int
    """Labels that the reference still needs; 0 when it is there."""
    judged: JudgedRows | None = None
    """The answers themselves."""


@dataclass(frozen=True)
class ModelQuality:
    """All of a Model's revisions, and labels that say nothing: by why."""

    revisions: Sequence[RevisionQuality]
    labels: int
    unknown: int
    unfit: int
    repeated: int
    contradicting: int
    unkept: Sequence[str]
    """Columns of slices that no recorded row has."""


def quality_of(
    store: Store, namespace: str, model: str, digests: Mapping[str, str], asked: Feedback, first_day: str, now: int
) -> ModelQuality:
    """What labels since a day say of the revisions of a Model; `digests` are their builds', `now` is the minute.

    Raises what the store raises, and InvalidInput for files that cannot be read together.
    """
    labels = settled(read_labels(store, list(label_files(store, namespace, model, first_day))))
    wanted = {f"{side}{name}" for name in asked.slices or () for side in ("", "input.", "output.")}
    ids = {request for request, _, _ in labels.labels}
    found: list[RevisionQuality] = []
    known: set[tuple[str, int]] = set()
    seen: set[str] = set()
    unfit = 0
    for revision, table in answers(
        store, namespace, model, first_day, lambda name: name.startswith("output.") or name in wanted, ids
    ):
        known |= {(str(one), int(row)) for one, row in zip(table["request_id"], table["row"], strict=True)}
        seen |= set(table)
        digest = digests.get(revision, "")
        report = report_of(store, digest) if digest else None
        for judged, misfits in _judged(table, labels, asked, report):
            unfit += misfits
            if judged is not None:
                place = (namespace, model, revision)
                found.append(_quality(store, place, judged, asked, report, now))
    return ModelQuality(
        revisions=found,
        labels=len(labels.labels),
        unknown=sum((request, row) not in known for request, row, _ in labels.labels),
        unfit=unfit,
        repeated=labels.repeated,
        contradicting=labels.contradicting,
        unkept=[name for name in asked.slices or () if seen and not seen & {name, f"input.{name}", f"output.{name}"}],
    )


def keep_reference(store: Store, namespace: str, model: str, quality: RevisionQuality) -> bool:
    """Writes down what was learnt of a revision's slices, each once; whether there was something new."""
    before = _kept(store, (namespace, model, quality.revision), quality.output)
    new = [finding.question for finding in quality.decays if finding.question.slice not in before]
    if not new:
        return False
    whole = [list(question) for question in (*(one for many in before.values() for one in many), *new)]
    store.put(quality_key(namespace, model, quality.revision, quality.output), json.dumps(whole).encode())
    return True


def _judged(
    table: Mapping[str, Any], labels: Settled, asked: Feedback, report: Report | None
) -> Iterable[tuple[JudgedRows | None, int]]:
    """The rows of each output that has labels, and how many labels do not fit."""
    default = asked.output or default_output(table)
    names = report.labels if report is not None else ()
    for told in sorted({output for _, _, output in labels.labels}):
        yield joined(table, labels.labels, told or default, told, names, asked.slices or ())


def _quality(
    store: Store, place: tuple[str, str, str], judged: JudgedRows, asked: Feedback, report: Report | None, now: int
) -> RevisionQuality:
    slices = _slices(judged)
    questions, learning = _questions(store, place, judged, slices, report)
    decays = [
        decay(question, minutes_of(events), len(questions), asked.false_alarms_a_year, now)
        for question, events in questions
    ]
    days = judged.minutes // _DAY
    return RevisionQuality(
        revision=place[2],
        output=judged.output,
        kind=judged.kind,
        rows=judged.rows,
        slices={name: measures(judged.only(kept)) for name, kept in slices.items()},
        days={
            f"{datetime.fromtimestamp(int(day) * 86_400, UTC):%Y-%m-%d}": measures(judged.only(days == day))
            for day in np.unique(days)
        },
        decays=decays,
        estimates=_estimates(store, place, judged, now),
        learning=learning,
        judged=judged,
    )


def _slices(judged: JudgedRows) -> dict[str, Any]:
    """Which rows are in each slice, all of them first; the largest ones of those with rows enough."""
    found = {
        f"{name}={value}": values == value
        for name, values in judged.slices.items()
        for value in sorted(set(values.tolist()))
    }
    ranked = sorted(found, key=lambda name: -int(found[name].sum()))
    kept = [name for name in ranked[:MOST_SLICES] if found[name].sum() >= FEWEST]
    return {ALL: np.ones(judged.rows, bool)} | {name: found[name] for name in found if name in kept}


def _questions(
    store: Store, place: tuple[str, str, str], judged: JudgedRows, slices: Mapping[str, Any], report: Report | None
) -> tuple[list[tuple[QualityQuestion, list[tuple[int, bool]]]], int]:
    """Each question with (minute, event) of the rows that are held against it; how many labels are to be learnt."""
    kept = _kept(store, place, judged.output)
    found, learning = [], 0
    for name, inside in slices.items():
        rows = judged.only(inside)
        if name not in kept and rows.rows < LEARNT_ROWS and not (name == ALL and _promised(report, judged)):
            learning += LEARNT_ROWS - rows.rows if name == ALL else 0
            continue
        asked, first = kept.get(name), 0
        if asked is None:
            asked, first = _learnt(name, rows, report)
        for question in asked:
            events = rows.wrong if judged.kind == "class" else rows.errors > float(question.event.rpartition(" ")[2])
            found.append((question, list(zip(rows.minutes[first:].tolist(), events[first:].tolist(), strict=True))))
    return found, learning


def _learnt(name: str, rows: JudgedRows, report: Report | None) -> tuple[list[QualityQuestion], int]:
    """The questions about a slice, and how many of its first rows are their reference."""
    promised = _promised(report, rows) if name == ALL else None
    if promised is not None:
        return [QualityQuestion(name, "wrong", *promised)], 0
    first = rows.only(slice(0, LEARNT_ROWS))
    if rows.kind == "class":
        return [QualityQuestion(name, "wrong", int(first.wrong.sum()), LEARNT_ROWS)], LEARNT_ROWS
    edges = [float(f"{np.quantile(first.errors, share):.6g}") for share in (0.5, 0.9)]
    return [
        QualityQuestion(name, f"error above {edge!r}", int((first.errors > edge).sum()), LEARNT_ROWS)
        for edge in dict.fromkeys(edges)
    ], LEARNT_ROWS


def _promised(report: Report | None, judged: JudgedRows) -> tuple[int, int] | None:
    """(wrong, all) of the evaluation set, where the build measured accuracy; None elsewhere."""
    quality = report.quality if report is not None else None
    if judged.kind != "class" or quality is None or quality.metric != "accuracy" or quality.value is None:
        return None
    if not quality.rows or (report is not None and len(report.outputs) > 1 and judged.scores is None):
        return None
    return round((1.0 - quality.value) * quality.rows), quality.rows


def _kept(store: Store, place: tuple[str, str, str], output: str) -> dict[str, list[QualityQuestion]]:
    """The questions that were written down, by slice; none when there are none that can be read."""
    content = store.get(quality_key(*place, output))
    found: dict[str, list[QualityQuestion]] = {}
    try:
        for name, event, hits, trials in json.loads(content) if content else ():
            found.setdefault(name, []).append(QualityQuestion(name, event, int(hits), int(trials)))
    except (ValueError, TypeError):
        return {}
    return found


def _estimates(store: Store, place: tuple[str, str, str], judged: JudgedRows, now: int) -> dict[str, float]:
    """Estimated measures of the last day's answers."""
    if judged.scores is None:
        return {}
    first = f"{datetime.fromtimestamp((now - _DAY) * 60, UTC):%Y-%m-%d}"
    for revision, table in answers(
        store, place[0], place[1], first, lambda name: name.startswith(f"output.{judged.output}")
    ):
        columns = outputs_in(list(table)).get(judged.output, [])
        if revision == place[2] and len(columns) in (len(judged.classes), 1):
            recent = np.ma.getdata(table["time"]) >= (now - _DAY) * 60
            values = [np.ma.filled(np.ma.asarray(table[name]).astype(np.float64), np.nan)[recent] for name in columns]
            scores = chances(np.stack(values, 1)) if len(values) > 1 else np.stack([1 - values[0], values[0]], 1)
            sure = np.isfinite(scores).all(axis=1)
            return estimated(judged, scores[sure], np.ma.getdata(table["share"])[recent][sure].astype(float))
    return {}
