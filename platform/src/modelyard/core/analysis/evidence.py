"""The evidence of one gate in numbers a person can follow, and how much more of it a pass needs.

A log-LR grows, by request and in the mean, with the Kullback-Leibler divergence of the observed rate from the
refuted one, divided by phi. So what is missing to a threshold, divided by that slope, is the number of the
candidate's requests still to come; divided by its request rate it is the time.
"""

import math
from dataclasses import dataclass

from .statistics import evalues
from .statistics.sequential_test import (
    PASS_FACTOR,
    SAMPLE,
    AnalysisState,
    Rule,
    exceeds_log_e,
    ratio_limit,
    regresses_log_e,
    settled_log_e,
)

MOST = 700.0


@dataclass(frozen=True, slots=True)
class Evidence:
    """E-values for what would fail (`exceeds`, `regresses`) and pass (`keeps`, `settled`) the candidate.

    None where the comparison is not asked. A side is proven when its e-value reaches its threshold.
    """

    phi: float
    exceeds: float
    regresses: float | None
    fail_threshold: float
    keeps: float
    keeps_threshold: float
    settled: float | None
    settled_threshold: float


def evidence(rule: Rule, state: AnalysisState) -> Evidence:
    """E-values (not logarithms) of the state as it is now, exp(MOST) at most, and the thresholds they must reach."""
    phi, max_regression = state.dispersion.phi, rule.max_regression
    return Evidence(
        phi=phi,
        exceeds=_exp(exceeds_log_e(rule, state)),
        regresses=None if max_regression is None else _exp(regresses_log_e(rule, state)),
        fail_threshold=_exp(rule.fail_level),
        keeps=_exp(evalues.below(state.requests, state.bad, PASS_FACTOR * rule.allowed, phi)),
        keeps_threshold=_exp(rule.pass_level),
        settled=None if max_regression is None else _exp(settled_log_e(rule, state, phi)),
        settled_threshold=_exp(rule.sure_level),
    )


def remaining(rule: Rule, state: AnalysisState) -> int | None:
    """Requests the candidate still needs for a pass if all goes on as observed; None: no pass is in sight."""
    phi, limit = state.dispersion.phi, PASS_FACTOR * rule.allowed
    kept = evalues.below(state.requests, state.bad, limit, phi)
    needs = [
        SAMPLE / rule.allowed - state.requests,
        _more(rule.pass_level - kept, _slope(state.requests, state.bad, limit) / phi),
    ]
    if rule.max_regression is not None:
        missing = rule.sure_level + math.log(2.0)
        room = evalues.below(state.requests, state.bad, rule.allowed, phi)
        ratio = evalues.ratio_below(state.bad, state.stable_bad, state.share, ratio_limit(rule), phi)
        needs.append(
            min(
                _more(missing - room, _slope(state.requests, state.bad, rule.allowed) / phi),
                _more(missing - ratio, _ratio_slope(rule, state) / phi),
            )
        )
    most = max(0.0, *needs)
    return None if math.isinf(most) else math.ceil(most)


def _slope(requests: int, bad: int, limit: float) -> float:
    """What a request adds, in the mean, to the log-LR for a rate below `limit`; 0 where it adds nothing."""
    if not requests:
        return -math.log1p(-limit)
    return evalues.ceiling(bad, requests - bad, limit) / requests if bad < requests * limit else 0.0


def _ratio_slope(rule: Rule, state: AnalysisState) -> float:
    """The same for a ratio below the limit, per request of the candidate."""
    requests, bad, stable_bad = state.requests, state.bad, state.stable_bad
    expected = evalues.odds_share(state.share, ratio_limit(rule))
    if not requests or not 0.0 < expected < 1.0 or bad >= (bad + stable_bad) * expected:
        return 0.0
    return evalues.ceiling(bad, stable_bad, expected) / requests


def _more(missing: float, slope: float) -> float:
    if missing <= 0.0:
        return 0.0
    return missing / slope if slope > 0.0 else math.inf


def _exp(log_e: float) -> float:
    return math.exp(min(log_e, MOST))
