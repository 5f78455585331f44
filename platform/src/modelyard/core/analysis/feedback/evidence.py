"""From labelled answers of two revisions to e-values: is the candidate wrong more often than it may be?

`margin` is how much larger than the stable's the candidate's share of wrong answers may be, 0..1 (`statistics.betting`
has the formulas).

| question | one bet is on | why |
|---|---|---|
| is it more than `margin` above? | a group, a minute of answers with all of its parts | who accuses must bear bursts |
| is it less than that above? | a part of one, divided by phi | a pass waits for parts, and a late one costs time only |

phi is how much more minutes vary than their parts would if those had nothing to do with each other. Dividing by it
keeps the guarantee where parts are independent, and stands for bursts where they are not, as in the gates that count
requests (`statistics.evalues`).

The greatest e-value so far is what counts, each with the phi of its time: Ville's inequality is about it, and what was
proven once stays so.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import groupby
from typing import NamedTuple

from modelyard.api.monitoring.comparison import LabelledUnit
from modelyard.core.analysis.statistics.betting import (
    NOTHING_STAKED,
    GroupedDispersion,
    after,
    after_opposite,
    log_e,
)

ALPHA = 0.01
"""Chance to fail a candidate that is no worse than allowed, over the whole rollout."""
BETA = 0.05
"""Chance to pass one that is worse than allowed."""
FAIL_LEVEL, PASS_LEVEL = -math.log(ALPHA), -math.log(BETA)


class LabelledEvidence(NamedTuple):
    """Greatest log e-values against and for the candidate, what is for it now, and phi."""

    against: float = 0.0
    favour: float = 0.0
    favour_now: float = 0.0
    phi: float = 1.0

    @property
    def fails(self) -> bool:
        """More than what is allowed above the stable, proven."""
        return self.against >= FAIL_LEVEL

    @property
    def passes(self) -> bool:
        """Less than that, proven; nothing once the opposite is."""
        return self.favour >= PASS_LEVEL and not self.fails


@lru_cache(maxsize=64)
def labelled_evidence(units: tuple[LabelledUnit, ...], margin: float) -> LabelledEvidence:
    """What units, in the order in which their labels came, say of a candidate that may be `margin` (0..1) worse."""
    found = LabelledEvidence()
    for _, latest in evidence_by_group(units, margin):
        found = latest
    return found


def evidence_by_group(units: Iterable[LabelledUnit], margin: float) -> Iterator[tuple[int, LabelledEvidence]]:
    """The candidate's requests so far and what they say, after each group."""
    dispersion, against, favour = GroupedDispersion(), NOTHING_STAKED, NOTHING_STAKED
    requests, found = 0, LabelledEvidence()
    for _, group in groupby(units, key=lambda unit: unit.group):
        parts = list(group)
        differences = [part.difference for part in parts]
        dispersion = dispersion.plus(differences)
        against = after(against, _difference(parts), margin)
        for difference in differences:
            favour = after_opposite(favour, difference, margin)
        phi = dispersion.phi
        now = log_e(tuple(capital / phi for capital in favour))
        found = LabelledEvidence(max(found.against, log_e(against)), max(found.favour, now), now, phi)
        requests += sum(part.requests for part in parts)
        yield requests, found


def remaining(evidence: LabelledEvidence, requests: int) -> int | None:
    """The candidate's labelled requests still to come for a pass, if all goes on as it did; None: none is in sight."""
    if evidence.favour_now <= 0.0:
        return None
    return math.ceil(max(0.0, PASS_LEVEL - evidence.favour_now) * requests / evidence.favour_now)


def _difference(group: Sequence[LabelledUnit]) -> float:
    """Of a whole group: the shares of all of its requests."""
    totals: Iterator[float] = (sum(column) for column in zip(*(unit[1:] for unit in group), strict=True))
    requests, wrong, stable_requests, stable_wrong = totals
    return wrong / requests - stable_wrong / stable_requests
