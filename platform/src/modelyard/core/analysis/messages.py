"""The sentence of a counting gate: what was counted, what is allowed, what follows, and what to do about it."""

from modelyard.api.rollout_status import GateVerdict

from .gate_input import GateInput
from .gate_result import LARGEST, EvidenceBars, GateResult
from .statistics.sequential_test import FailedTest

LONGEST = 1024
_LONGEST_FAILURE = 300
_NEWS_SECONDS = 300.0
_PROMOTE = "`modelyard rollout promote`"
_MORE = f"send traffic, use rollout.loadTest, or decide with {_PROMOTE}"


def sentence(gate_input: GateInput, result: GateResult, bars: EvidenceBars) -> str:
    """The message of a counting gate's status, cut to LONGEST characters."""
    numbers = f"{_counts(result)}, {_allowed(result)}{_stable(gate_input, result)}"
    return f"{result.objective.name}: {numbers}; {_end(gate_input, result, bars)}."[:LONGEST]


def percent(fraction: float) -> str:
    """A fraction as a percentage with three digits: 0.025 is "2.5 %"."""
    return f"{100.0 * fraction:.3g} %"


def duration_text(seconds: float) -> str:
    """A duration in seconds below 100 s, in minutes below 100 min, else in hours: "90 s", "15 min", "2.5 h"."""
    if seconds < 100.0:
        return f"{seconds:.0f} s"
    return f"{seconds / 60.0:.0f} min" if seconds < 6000.0 else f"{seconds / 3600.0:.3g} h"


def rate_text(per_second: float) -> str:
    """A rate of requests, given per second: "2.5/s", or per minute below 1/s: "30/min"."""
    return f"{per_second:.3g}/s" if per_second >= 1.0 else f"{60.0 * per_second:.2g}/min"


def _counts(result: GateResult) -> str:
    state = result.state
    rate = f" ({percent(state.bad / state.requests)})" if state.bad else ""
    if result.objective.threshold is None:
        return f"{state.bad} of {state.requests} requests failed{rate}"
    limit = result.objective.threshold if result.bound is None else result.bound
    return f"{state.bad} of {state.requests} answers took longer than {limit:g} ms{rate}"


def _allowed(result: GateResult) -> str:
    allowed = f"allowed {percent(result.objective.allowed)}"
    if not result.objective.promised:
        return f"{allowed} (the default of slo.errorRate)"
    threshold = result.objective.threshold
    if result.bound is not None and threshold is not None and result.bound < threshold:
        return f"{allowed} ({threshold:g} ms is no bound of the gateway's buckets: the next lower one counts)"
    return allowed


def _stable(gate_input: GateInput, result: GateResult) -> str:
    if gate_input.without_baseline:
        return ""
    return f"; stable {result.state.stable_bad} of {result.state.stable_requests}"


def _end(gate_input: GateInput, result: GateResult, bars: EvidenceBars) -> str:
    match result.verdict:
        case GateVerdict.FAIL:
            return f"{_failure(gate_input, result, bars)}: fails"
        case GateVerdict.PASS:
            return f"evidence for it {_number(bars.evidence_for)} of {_number(bars.pass_threshold)} needed: passes"
        case GateVerdict.HOLD:
            return _held(gate_input, result)
        case GateVerdict.PROVIDER_ERROR:
            failure = gate_input.traffic.failure.rstrip(".")[:_LONGEST_FAILURE]
            missing = duration_text(result.outage or 0.0)
            return (
                f"the gateway's counters have not come for {missing} ({failure}): it waits for them; "
                "check that the gateway's pods run and that the operator reaches them"
            )
        case GateVerdict.NO_DATA:
            expected = f"{percent(gate_input.share)} of the traffic"
            silence = duration_text(result.silence)
            return f"no request reached the candidate for {silence} though it should get {expected}: {_MORE}"
        case _:
            return _undecided(gate_input, result)


def _failure(gate_input: GateInput, result: GateResult, bars: EvidenceBars) -> str:
    against = f"evidence against {_number(bars.evidence_against)} of {_number(bars.fail_threshold)} needed"
    match result.state.failed:
        case FailedTest.BURN:
            recent = result.state.recent.buckets
            bad, requests = sum(bucket[1] for bucket in recent), sum(bucket[0] for bucket in recent)
            return f"in {_span(gate_input, result)} {bad} of {requests} were bad, 14.4 times what is allowed or more"
        case FailedTest.REGRESSION:
            allowed = 1.0 + (result.rule.max_regression or 0.0)
            return f"its bad rate is more than {allowed:.3g} times the stable's, {against}"
        case _:
            return against


def _held(gate_input: GateInput, result: GateResult) -> str:
    if result.least is not None:
        return (
            f"the gateway counts no answers below {result.least:g} ms, so nobody can say which took longer than that: "
            f"set slo.latency.threshold to {result.least:g}ms or more, or decide with {_PROMOTE} or `abort`"
        )
    recent = result.state.recent.buckets
    bad, requests = sum(bucket[3] for bucket in recent), sum(bucket[2] for bucket in recent)
    return (
        f"the stable itself misses the objective ({bad} of {requests} in {_span(gate_input, result)}), which is not "
        "held against the candidate: it waits until the stable is well; mend the stable, or decide with "
        f"{_PROMOTE} or `abort`"
    )


def _span(gate_input: GateInput, result: GateResult) -> str:
    """The minutes the recent counts are of: the last five, unless nobody has counted since."""
    age = gate_input.now - result.state.end
    return "the last 5 min" if age < _NEWS_SECONDS else f"the 5 min that ended {duration_text(age)} ago"


def _undecided(gate_input: GateInput, result: GateResult) -> str:
    if gate_input.without_baseline:
        return "nothing speaks against the candidate so far"
    if not gate_input.share:
        return "it has no traffic yet"
    if result.missing is None:
        return "undecided, and at this rate of bad ones no pass is in sight"
    needs = f"undecided: needs about {max(result.missing, 1)} more requests"
    if result.rate <= 0.0:
        return needs
    eta, most = result.missing / result.rate, gate_input.spec.rollout.max_seconds()
    needs = f"{needs}, {duration_text(eta)} at {rate_text(result.rate)}"
    return needs if eta <= most else f"{needs}, longer than maxDuration ({duration_text(most)}): {_MORE}"


def _number(e_value: float) -> str:
    if e_value >= LARGEST:
        return "more than 10^12"
    return f"{e_value:.3g}" if e_value < 100.0 else f"{e_value:.0f}"
