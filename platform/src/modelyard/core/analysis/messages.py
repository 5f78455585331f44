"""The sentence of a counting gate: what was counted, what is allowed, what follows, and what to do about it."""

from modelyard.api.rollout_status import GateVerdict

from .gate_input import GateInput
from .gate_result import LARGEST, EvidenceBars, GateResult
from .statistics.sequential_test import Cause

LONGEST = 1024
_TROUBLE = 300
_PROMOTE = "`modelyard rollout promote`"
_MORE = f"send traffic, use rollout.loadTest, or decide with {_PROMOTE}"


def sentence(look: GateInput, found: GateResult, bars: EvidenceBars) -> str:
    """At most LONGEST characters."""
    said = (
        f"{found.objective.name}: {_counts(found)}, {_allowed(found)}{_stable(look, found)}; {_end(look, found, bars)}."
    )
    return said[:LONGEST]


def percent(share: float) -> str:
    """0.025 as 2.5 %."""
    return f"{100.0 * share:.3g} %"


def duration_text(seconds: float) -> str:
    """Seconds, minutes or hours, whichever a person would say."""
    if seconds < 100.0:
        return f"{seconds:.0f} s"
    return f"{seconds / 60.0:.0f} min" if seconds < 6000.0 else f"{seconds / 3600.0:.3g} h"


def rate_text(per_second: float) -> str:
    """Requests per second, or per minute where they are rare."""
    return f"{per_second:.3g}/s" if per_second >= 1.0 else f"{60.0 * per_second:.2g}/min"


def _counts(found: GateResult) -> str:
    state = found.state
    rate = f" ({percent(state.bad / state.requests)})" if state.bad else ""
    if found.objective.threshold is None:
        return f"{state.bad} of {state.requests} requests failed{rate}"
    limit = found.objective.threshold if found.bound is None else found.bound
    return f"{state.bad} of {state.requests} answers took longer than {limit:g} ms{rate}"


def _allowed(found: GateResult) -> str:
    said = f"allowed {percent(found.objective.allowed)}"
    if not found.objective.promised:
        return f"{said} (the default of slo.errorRate)"
    if found.bound is not None and found.objective.threshold is not None and found.bound < found.objective.threshold:
        return (
            f"{said} ({found.objective.threshold:g} ms is no bound of the gateway's buckets: the next lower one counts)"
        )
    return said


def _stable(look: GateInput, found: GateResult) -> str:
    return "" if look.without_baseline else f"; stable {found.state.stable_bad} of {found.state.stable_requests}"


def _end(look: GateInput, found: GateResult, bars: EvidenceBars) -> str:
    match found.verdict:
        case GateVerdict.FAIL:
            return f"{_failure(found, bars)}: fails"
        case GateVerdict.PASS:
            return f"evidence for it {_number(bars.evidence_for)} of {_number(bars.pass_threshold)} needed: passes"
        case GateVerdict.HOLD:
            return _held(found)
        case GateVerdict.PROVIDER_ERROR:
            trouble = look.traffic.failure.rstrip(".")[:_TROUBLE]
            missing = duration_text(found.outage or 0.0)
            return (
                f"the gateway's counters have not come for {missing} ({trouble}): it waits for them; "
                "check that the gateway's pods run and that the operator reaches them"
            )
        case GateVerdict.NO_DATA:
            share = f"{percent(look.share)} of the traffic"
            silence = duration_text(found.silence)
            return f"no request reached the candidate for {silence} though it should get {share}: {_MORE}"
        case _:
            return _undecided(look, found)


def _failure(found: GateResult, bars: EvidenceBars) -> str:
    against = f"evidence against {_number(bars.evidence_against)} of {_number(bars.fail_threshold)} needed"
    match found.state.failed:
        case Cause.BURN:
            recent = found.state.recent.buckets
            bad, requests = sum(one[1] for one in recent), sum(one[0] for one in recent)
            return f"in the last 5 min {bad} of {requests} were bad, 14.4 times what is allowed or more"
        case Cause.REGRESSION:
            allowed = 1.0 + (found.rule.max_regression or 0.0)
            return f"its bad rate is more than {allowed:.3g} times the stable's, {against}"
        case _:
            return against


def _held(found: GateResult) -> str:
    if found.least is not None:
        return (
            f"the gateway counts no answers below {found.least:g} ms, so nobody can say which took longer than that: "
            f"set slo.latency.threshold to {found.least:g}ms or more, or decide with {_PROMOTE} or `abort`"
        )
    recent = found.state.recent.buckets
    bad, requests = sum(one[3] for one in recent), sum(one[2] for one in recent)
    return (
        f"the stable itself misses the objective ({bad} of {requests} in the last 5 min), which is not held against "
        f"the candidate: it waits until the stable is well; mend the stable, or decide with {_PROMOTE} or `abort`"
    )


def _undecided(look: GateInput, found: GateResult) -> str:
    if look.without_baseline:
        return "nothing speaks against the candidate so far"
    if not look.share:
        return "it has no traffic yet"
    if found.missing is None:
        return "undecided, and at this rate of bad ones no pass is in sight"
    needs = f"undecided: needs about {max(found.missing, 1)} more requests"
    if found.rate <= 0.0:
        return needs
    eta, most = found.missing / found.rate, look.spec.rollout.max_seconds()
    needs = f"{needs}, {duration_text(eta)} at {rate_text(found.rate)}"
    return needs if eta <= most else f"{needs}, longer than maxDuration ({duration_text(most)}): {_MORE}"


def _number(e_value: float) -> str:
    if e_value >= LARGEST:
        return "more than 10^12"
    return f"{e_value:.3g}" if e_value < 100.0 else f"{e_value:.0f}"
