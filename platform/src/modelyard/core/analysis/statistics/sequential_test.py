"""Always-valid tests of one gate: a candidate's bad requests against an objective and against the stable.

A window counts the requests of one span of time in both arms. After every window the evidence may be read and
acted upon; however often that is done, a gate fails a candidate that keeps the objective and is no worse than
allowed with probability at most alpha, and passes one that misses the objective twofold with at most beta
(`evalues.py` has the formulas and their sources). p0 is the allowed bad rate, m the allowed regression.

| verdict | when |
|---|---|
| FAIL | rate > p0 is proven; or the burn rate is 14.4 in both spans (`burn_rate.py`); or |
|      | rate > (1+m) times the stable's is proven, and rate < p0 is not; each in spite of bursts |
| HOLD | the stable itself misses the objective; only a proven regression fails the candidate then, and for |
|      | five minutes after it; it ends with a minute in which the stable keeps the objective (`burn_rate.py`) |
| PASS | rate < 2 p0 is proven at beta, by at least 3/p0 requests, and, where there is a stable to compare to, |
|      | rate < p0 or rate < 1.6 (1+m) times the stable's is proven at 0.1 % |
| INCONCLUSIVE | none of these yet |

FAIL is final. With a comparison there are two ways to fail, so each gets half of alpha; the two ways past the
comparison share one mean e-value. Every log-LR is divided by phi, the stable's overdispersion. What was counted
up to the end of the stable's outage is forgotten then: a common outage counts neither for nor against the candidate.

The statement on alpha holds for independent requests whatever phi is. For requests that fail in bursts of a minute it
holds because every failure must be proven against these as well (`bursts.py`), unless the stable, before the rollout or
in it, has shown that its failures come evenly (`evenness`, which `reset_for_step` keeps).
"""

import math
from dataclasses import dataclass, replace
from enum import StrEnum

from modelyard.core.analysis.state import AnalysisState, FailedTest, Window, reset_for_step

from . import bursts, evalues
from .burn_rate import SPAN, RecoveryWindow, SlidingWindow
from .burst_laws import HISTORY

__all__ = ["AnalysisState", "FailedTest", "Rule", "RuleVerdict", "Window", "reset_for_step", "update", "verdict"]

LOWEST_RATE, HIGHEST_RATE = 1e-6, 0.5
PASS_FACTOR = 2.0
RATIO_MARGIN = 1.6
SAMPLE = 3.0
SURE = 0.001


class RuleVerdict(StrEnum):
    """The conclusion from the evidence of one gate."""

    PASS = "Pass"  # noqa: S105
    FAIL = "Fail"
    HOLD = "Hold"
    INCONCLUSIVE = "Inconclusive"


@dataclass(frozen=True, slots=True)
class Rule:
    """What a gate allows: the bad rate, errors of the two kinds, and the regression (0.25 for 25 %; None: not asked).

    Raises ValueError for numbers the tests are not made for.
    """

    allowed: float
    alpha: float = 0.01
    beta: float = 0.05
    max_regression: float | None = None

    def __post_init__(self) -> None:
        if not LOWEST_RATE < self.allowed < HIGHEST_RATE:
            raise ValueError(f"the allowed bad rate must lie between {LOWEST_RATE:g} and {HIGHEST_RATE}.")
        if not (0.0 < self.alpha < 1.0 and 0.0 < self.beta < 1.0):
            raise ValueError("alpha and beta must lie between 0 and 1.")
        if self.max_regression is not None and not 0.0 <= self.max_regression < math.inf:
            raise ValueError("the allowed regression must be a number from 0 on.")

    @property
    def fail_level(self) -> float:
        """log e from which on a test fails the candidate: log 1/alpha, or log 2/alpha with a comparison."""
        return math.log((1.0 if self.max_regression is None else 2.0) / self.alpha)

    @property
    def pass_level(self) -> float:
        """log e from which on the objective counts as kept: log 1/beta."""
        return -math.log(self.beta)

    @property
    def ratio(self) -> float:
        """The candidate's bad rate may be so many times the stable's; 1 where that is not asked."""
        return 1.0 + (self.max_regression or 0.0)

    @property
    def compared(self) -> float | None:
        """The same; None where that is not asked."""
        return None if self.max_regression is None else self.ratio

    @property
    def sure_level(self) -> float:
        """log e from which on the rate is proven below p0, or the comparison counts as settled: log 1/SURE."""
        return -math.log(SURE)


def update(rule: Rule, state: AnalysisState, window: Window) -> AnalysisState:
    """The state after one more window; the same state for a window that is not newer. Sets `failed` for good."""
    if window.end <= state.end:
        return state
    added = (window.requests, window.bad, window.stable_requests, window.stable_bad)
    recent, out, run = _stable_health(rule, state, window, state.recent.plus(window.end, added))
    counted = (state.requests, state.bad, state.stable_requests, state.stable_bad)
    in_bursts, evenness, history = state.bursts, state.evenness, state.history
    if state.recent.buckets and (window.end - 1) // SPAN != state.recent.slot:
        closed, *past = state.recent.buckets
        in_bursts = in_bursts.with_minute(closed, rule.allowed, rule.compared)
        evenness = bursts.evenness(evenness, closed, past)
        history = (*history, closed[2:])[-HISTORY:] if closed[2] else history
    if window.requests and not state.requests:
        in_bursts = in_bursts.after(history, rule.allowed, rule.compared)
    if state.stable_out and not out:
        counted, in_bursts = (0, 0, 0, 0), in_bursts.restarted()
    in_bursts = in_bursts.with_window(window.requests, window.bad, rule.allowed)
    dispersion = state.dispersion
    if not out:
        dispersion = dispersion.plus(window.end, window.stable_requests, window.stable_bad)
    a, b, c, d = (before + new for before, new in zip(counted, added, strict=True))
    after = AnalysisState(
        window.end, a, b, c, d, recent, dispersion, out, run, state.failed, in_bursts, evenness, history
    )
    if window.bad and not state.failed:
        return _judged(rule, after)
    return after


def _stable_health(
    rule: Rule, state: AnalysisState, window: Window, recent: SlidingWindow
) -> tuple[SlidingWindow, bool, RecoveryWindow]:
    """The last minutes, whether the stable misses its objective, and its counts since or after that."""
    now, phi = (window.stable_requests, window.stable_bad), state.dispersion.phi
    suspected = state.stable_out or window.stable_bad
    out = bool(suspected) and recent.stable_out(rule.allowed, rule.sure_level, phi, now)
    if not state.stable_out:
        after = state.run if state.run.fresh(window.end) else RecoveryWindow()
        return recent, out, RecoveryWindow(window.end) if out else after
    run = state.run.plus(window.end, *now, rule.allowed)
    well = window.stable_bad <= rule.allowed * window.stable_requests and recent.recovered(run, window.end, phi)
    if well or not out:
        counts = (window.requests, window.bad, *now)
        return SlidingWindow().plus(window.end, counts), False, RecoveryWindow(window.end)
    return recent, True, run


def verdict(rule: Rule, state: AnalysisState) -> RuleVerdict:
    """The verdict on the state as it is now, by the table above."""
    if state.failed:
        return RuleVerdict.FAIL
    if state.stable_out:
        return RuleVerdict.HOLD
    return RuleVerdict.PASS if _passes(rule, state) else RuleVerdict.INCONCLUSIVE


def _judged(rule: Rule, state: AnalysisState) -> AnalysisState:
    """With the cause of a failure, if there is one; only a bad request of the candidate can bring one about."""
    phi = _divisor(rule, state)
    alone = rule.max_regression is None
    if not state.stable_out and (alone or state.run == RecoveryWindow()):
        if state.recent.burning(rule.allowed) and in_bursts_log_e(rule, state) >= rule.fail_level:
            return replace(state, failed=FailedTest.BURN)
        if _exceeds(rule, state, phi):
            return replace(state, failed=FailedTest.OBJECTIVE)
    if not alone and _regresses(rule, state, phi):
        return replace(state, failed=FailedTest.REGRESSION)
    return state


def _exceeds(rule: Rule, state: AnalysisState, phi: float) -> bool:
    """rate > p0 is proven. The ceiling, cheap to compute, mostly spares the mean over the grid."""
    requests, bad, level = state.requests, state.bad, rule.fail_level
    if bad <= requests * rule.allowed or evalues.ceiling(bad, requests - bad, rule.allowed) < level * phi:
        return False
    return exceeds_log_e(rule, state) >= level


def _regresses(rule: Rule, state: AnalysisState, phi: float) -> bool:
    """rate > (1+m) times the stable's is proven, and there is no proof of rate < p0 to excuse it."""
    bad, stable_bad, share, level = state.bad, state.stable_bad, state.share, rule.fail_level
    expected = evalues.odds_share(share, rule.ratio)
    if not 0.0 < share < 1.0 or bad <= (bad + stable_bad) * expected:
        return False
    if evalues.ceiling(bad, stable_bad, expected) < level * phi or regresses_log_e(rule, state) < level:
        return False
    return state.stable_out or evalues.below(state.requests, state.bad, rule.allowed, phi) < rule.sure_level


def exceeds_log_e(rule: Rule, state: AnalysisState) -> float:
    """log e against "the rate is at most p0": that of independent requests or, if less, that in spite of bursts."""
    log_e = evalues.above(state.requests, state.bad, rule.allowed, _divisor(rule, state))
    return min(log_e, in_bursts_log_e(rule, state))


def regresses_log_e(rule: Rule, state: AnalysisState) -> float:
    """The same against "the rate is at most (1+m) times the stable's"; for a rule with a comparison."""
    phi = _divisor(rule, state)
    log_e = evalues.ratio_above(state.bad, state.stable_bad, state.share, rule.ratio, phi)
    return min(log_e, in_bursts_log_e(rule, state))


def in_bursts_log_e(rule: Rule, state: AnalysisState) -> float:
    """log e against a candidate that keeps the objective and is no worse than allowed, but may fail in bursts.

    Infinite where no bursts are to be feared: failures have shown themselves even, or no stable was ever seen, so that
    nothing is known of this service.
    """
    if not _bursts_feared(rule, state):
        return math.inf
    return state.bursts.log_e((state.requests, state.bad), state.recent.buckets, rule.allowed, rule.compared)


def _bursts_feared(rule: Rule, state: AnalysisState) -> bool:
    nothing_known = rule.max_regression is None and not state.dispersion.requests
    even = state.evenness >= bursts.EVEN and len(state.history) >= HISTORY
    return not nothing_known and not even


def _divisor(rule: Rule, state: AnalysisState) -> float:
    """What divides the evidence against: phi or, where bursts are feared anyhow, only a phi that has shown itself."""
    return state.dispersion.shown if _bursts_feared(rule, state) else state.dispersion.phi


def _passes(rule: Rule, state: AnalysisState) -> bool:
    """The objective is kept and, where asked, the comparison settled."""
    requests, bad, limit = state.requests, state.bad, PASS_FACTOR * rule.allowed
    if requests * rule.allowed < SAMPLE or bad >= requests * limit:
        return False
    phi = state.dispersion.phi
    if evalues.ceiling(bad, requests - bad, limit) < rule.pass_level * phi:
        return False
    if evalues.below(requests, bad, limit, phi) < rule.pass_level:
        return False
    return rule.max_regression is None or _settled(rule, state, phi)


def _settled(rule: Rule, state: AnalysisState, phi: float) -> bool:
    """rate < p0, or rate < 1.6 (1+m) times the stable's: the mean of both e-values speaks against "neither"."""
    level = rule.sure_level
    bad, stable_bad = state.bad, state.stable_bad
    expected = evalues.odds_share(state.share, ratio_limit(rule))
    room = state.bad < state.requests * rule.allowed and (
        evalues.ceiling(state.bad, state.requests - state.bad, rule.allowed) >= level * phi
    )
    kept = (
        0.0 < state.share < 1.0
        and bad < (bad + stable_bad) * expected
        and (evalues.ceiling(bad, stable_bad, expected) >= level * phi)
    )
    return (room or kept) and settled_log_e(rule, state, phi) >= level


def ratio_limit(rule: Rule) -> float:
    """The ratio to the stable's bad rate that must be disproved before a pass."""
    return RATIO_MARGIN * rule.ratio


def settled_log_e(rule: Rule, state: AnalysisState, phi: float) -> float:
    """log of the mean of the e-values for rate < p0 and for rate < 1.6 (1+m) times the stable's."""
    room = evalues.below(state.requests, state.bad, rule.allowed, phi)
    kept = evalues.ratio_below(state.bad, state.stable_bad, state.share, ratio_limit(rule), phi)
    top = max(room, kept)
    return top + math.log((math.exp(room - top) + math.exp(kept - top)) / 2.0)
