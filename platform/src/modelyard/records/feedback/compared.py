"""Labelled answers of two revisions beside each other, in the units that a rollout's gate counts evidence by.

    label of a row   --by request-->   share of the request's rows that is wrong
                     --by when labels came (PERIOD_SECONDS), and in it by the minute of the answer-->   groups
                     --in the order of both, until both revisions have a request-->   up to PARTS units a group

A period is taken when it is over for SETTLED_SECONDS: by then every recorder has written the labels of it. So units
only ever come behind those that are there, and evidence may be read after each of them. Of many units later ones are
larger: from LONG on parts are fewer, from four times that on a group is of more minutes.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from modelyard.api.monitoring.comparison import LabelledComparison, LabelledUnit
from modelyard.core.conditions import epoch, timestamp
from modelyard.core.monitoring.performance.decay import QualityQuestion

from .judged_rows import JudgedRows
from .performance import ALL, ModelQuality, RevisionQuality

PERIOD_SECONDS = 300
SETTLED_SECONDS = 180
PARTS = 10
LONG = 1000
_ERROR_ABOVE = "error above "


class LabelledTrial(NamedTuple):
    """A rollout whose candidate is compared with its stable by labels: both names, and when it began, RFC 3339."""

    stable: str
    candidate: str
    since: str


Shares = dict[tuple[int, int], list[float]]
"""Of each labelled request the share of its rows that is wrong, by period and minute."""


def comparison_of(found: ModelQuality, trial: LabelledTrial, now: float) -> LabelledComparison:
    """What labels that came before `now` (seconds since the epoch) say of both revisions of a trial."""
    known = LabelledComparison(stable=trial.stable, candidate=trial.candidate, since=trial.since, time=timestamp(now))
    pair = _pair(found, trial)
    if pair is None:
        return known
    stable, candidate = pair
    event, learning = _event(stable)
    known = known.model_copy(update={"output": stable.output[:128], "event": event, "learning": learning})
    if learning:
        return known
    first = int(epoch(trial.since) // 60)
    mine, others = (_shares(one.judged, event, first, now) for one in (candidate, stable))
    return known.model_copy(
        update={
            "requests": sum(map(len, mine.values())),
            "wrong": _sum(share for many in mine.values() for share in many),
            "stable_requests": sum(map(len, others.values())),
            "stable_wrong": _sum(share for many in others.values() for share in many),
            "units": tuple(units(mine, others)),
        }
    )


def units(mine: Shares, others: Shares) -> Iterator[LabelledUnit]:
    """The units of a candidate's requests and a stable's; what has no counterpart yet is in none."""
    made = waited = 0
    here: tuple[list[float], list[float]] = ([], [])
    for group, place in enumerate(sorted({*mine, *others})):
        here[0].extend(mine.get(place, ()))
        here[1].extend(others.get(place, ()))
        waited += 1
        if not all(here) or waited < _groups_together(made):
            continue
        parts = min(len(here[0]), len(here[1]), max(1, PARTS >> made // LONG))
        for one, other in zip(_split(here[0], parts), _split(here[1], parts), strict=True):
            yield LabelledUnit(group, len(one), _sum(one), len(other), _sum(other))
        made, waited, here = made + parts, 0, ([], [])


def _groups_together(made: int) -> int:
    return 1 << max(0, made // LONG - 3)


def _split(shares: Sequence[float], parts: int) -> list[Sequence[float]]:
    return [shares[len(shares) * at // parts : len(shares) * (at + 1) // parts] for at in range(parts)]


def _sum(shares: Any) -> float:
    return round(float(sum(shares)), 6)


def _pair(found: ModelQuality, trial: LabelledTrial) -> tuple[RevisionQuality, RevisionQuality] | None:
    """Stable and candidate, of the first output that both have labels of; of the stable alone, beside nothing."""
    stable = {one.output: one for one in found.revisions if one.revision == trial.stable}
    candidate = {one.output: one for one in found.revisions if one.revision == trial.candidate}
    both = sorted({*stable} & {*candidate})
    return (stable[both[0]], candidate[both[0]]) if both else None


def _event(stable: RevisionQuality) -> tuple[str, int]:
    """What counts as wrong, and how many labels of the stable that still needs: its median error, once learnt."""
    if stable.kind == "class":
        return "wrong", 0
    questions: list[QualityQuestion] = [one.question for one in stable.decays if one.question.slice == ALL]
    edges = sorted(float(one.event.removeprefix(_ERROR_ABOVE)) for one in questions)
    return (f"{_ERROR_ABOVE}{edges[0]!r}", 0) if edges else ("wrong", max(1, stable.learning))


def _shares(judged: JudgedRows | None, event: str, first: int, now: float) -> Shares:
    """Requests that were answered in the minute `first` or later, and whose labels' period is over."""
    if judged is None or judged.told is None:
        return {}
    period = judged.told.astype(np.int64) // PERIOD_SECONDS
    over = (period + 1) * PERIOD_SECONDS + SETTLED_SECONDS <= now
    rows = over & (judged.minutes >= first)
    kept = judged.only(rows)
    wrong = kept.wrong if event == "wrong" else kept.errors > float(event.removeprefix(_ERROR_ABOVE))
    places = np.stack([period[rows], kept.minutes, kept.requests], axis=1)
    distinct, which = np.unique(places, axis=0, return_inverse=True)
    which = which.reshape(-1)
    shares = np.bincount(which, wrong.astype(float)) / np.bincount(which) if len(which) else np.zeros(0)
    found: Shares = {}
    for (at, minute, _), share in zip(distinct.tolist(), shares.tolist(), strict=True):
        found.setdefault((at, minute), []).append(share)
    return found
