"""The smallest change that is to be seen within a day: the reference's size bounds it, and how many rows come.

Of 500 rows without a null, up to 1.9 % may have one (`statistics/bounds.py`), so that 0 -> 2 % is never found, by
whatever means. Beyond the bound a share p must tell log E = log(threshold x evidence sums) phi within a day's n rows:
n KL(p : bound) = that. For numbers a move of the median's share is also one of the mean in standard deviations, were
they normal: the probit of p.
"""

import math
from statistics import NormalDist
from typing import NamedTuple

from .alarms import Clock
from .feature_state import FeatureState
from .feature_update import Thresholds
from .questions import MISSING, FeatureQuestions
from .statistics.evidence import smallest_share


class VisibleChange(NamedTuple):
    """The smallest share of missing rows, and the smallest move of a shape, that a day's rows show.

    `shape` is the share of rows that has to move at the most sensitive point; `sigma` the same in standard deviations,
    for numbers. 1 (and None) where nothing can be seen.
    """

    missing: float
    shape: float
    sigma: float | None


def visible_change(
    questions: FeatureQuestions, state: FeatureState | None, rows: int, thresholds: Thresholds
) -> VisibleChange:
    """What `rows` rows a day show of a feature; of a feature nothing is counted of, as if phi were 1."""
    phis = [phi.divisor for phi in state.phis] if state is not None else [1.0] * (1 + len(questions.breaks))
    sums = sum(len(question.against) for question in questions.breaks)
    missing = 1.0
    for question, phi in zip(questions.breaks, phis[1:], strict=True):
        if question.kind == MISSING:
            missing = smallest_share(question.bound, rows, math.log(thresholds[Clock.MINUTE] * sums), phi)
    asked = len(questions.sides(0.0))
    best, sigma = 1.0, None
    for question in questions.shapes:
        needed = math.log(thresholds[Clock.DAY] * asked) + math.log(7.0)
        share = smallest_share(question.high, rows, needed, phis[0])
        if share < 1.0 and share - question.share < best:
            best = share - question.share
            sigma = _probit(share) - _probit(question.share) if questions.both_sides else None
    return VisibleChange(missing, best, sigma)


def _probit(share: float) -> float:
    return NormalDist().inv_cdf(min(max(share, 1e-9), 1.0 - 1e-9))
