"""The sentence of a counting gate: what was counted, what is allowed, what follows, and what to do about it."""

from modelyard.api.rollout_status import GateVerdict

from .gate_input import Look
from .gate_result import LARGEST, Bars, Finding
from .statistics.sequential_test import Cause

LONGEST = 1024
_TROUBLE = 300
_PROMOTE = "`modelyard rollout promote`"
_MORE = f"send traffic, use rollout.loadTest, or decide with {_PROMOTE}"


def sentence(look: Look, found: Finding, bars: Bars) -> str:
    """At most LONGEST characters."""
    said = f"{found.asked.name}: {_counts(found)}, {_allowed(found)}{_stable(look, found)}; {_end(look, found, bars)}."
    return said[:LONGEST]


def percent(share: float) -> str:
    """0.025 as 2.5 %."""
    return f"{100.0 * share:.3g} %"


def span(seconds: float) -> str:
    """Seconds, minutes or hours, whichever a person would say."""
    if seconds < 100.0:
        return f"{seconds:.0f} s"
    return f"{seconds / 60.0:.0f} min" if seconds < 6000.0 else f"{seconds / 3600.0:.3g} h"


def pace(per_second: float) -> str:
    """Requests per second, or per minute where they are rare."""
    return f"{per_second:.3g}/s" if per_second >= 1.0 else f"{60.0 * per_second:.2g}/min"


def _counts(found: Finding) -> str:
    state = found.state
    rate = f" ({percent(state.bad / state.requests)})" if state.bad else ""
    if found.asked.threshold is None:
        return f"{state.bad} of {state.requests} requests failed{rate}"
    limit = found.asked.threshold if found.bound is None else found.bound
    return f"{state.bad} of {state.requests} answers took longer than {limit:g} ms{rate}"


def _allowed(found: Finding) -> str:
    said = f"allowed {percent(found.asked.allowed)}"
    if not found.asked.promised:
        return f"{said} (the default of slo.errorRate)"
    if found.bound is not None and found.asked.threshold is not None and found.bound < found.asked.threshold:
        return f"{said} ({found.asked.threshold:g} ms is no bound of the gateway's buckets: the next lower one counts)"
    return said


def _stable(look: Look, found: Finding) -> str:
    return "" if look.alone else f"; stable {found.state.stable_bad} of {found.state.stable_requests}"


def _end(look: Look, found: Finding, bars: Bars) -> str:
    match found.verdict:
        case GateVerdict.FAIL:
            return f"{_failure(found, bars)}: fails"
        case GateVerdict.PASS:
            return f"evidence for it {_number(bars.favour)} of {_number(bars.passes_at)} needed: passes"
        case GateVerdict.HOLD:
            return _held(found)
        case GateVerdict.PROVIDER_ERROR:
            trouble = look.traffic.trouble.rstrip(".")[:_TROUBLE]
            return (
                f"the gateway's counters have not come for {span(found.outage or 0.0)} ({trouble}): it waits for them; "
                "check that the gateway's pods run and that the operator reaches them"
            )
        case GateVerdict.NO_DATA:
            share = f"{percent(look.share)} of the traffic"
            return f"no request reached the candidate for {span(found.silence)} though it should get {share}: {_MORE}"
        case _:
            return _undecided(look, found)


def _failure(found: Finding, bars: Bars) -> str:
    against = f"evidence against {_number(bars.against)} of {_number(bars.fails_at)} needed"
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


def _held(found: Finding) -> str:
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


def _undecided(look: Look, found: Finding) -> str:
    if look.alone:
        return "nothing speaks against the candidate so far"
    if not look.share:
        return "it has no traffic yet"
    if found.missing is None:
        return "undecided, and at this rate of bad ones no pass is in sight"
    needs = f"undecided: needs about {max(found.missing, 1)} more requests"
    if found.rate <= 0.0:
        return needs
    eta, most = found.missing / found.rate, look.spec.rollout.max_seconds()
    needs = f"{needs}, {span(eta)} at {pace(found.rate)}"
    return needs if eta <= most else f"{needs}, longer than maxDuration ({span(most)}): {_MORE}"


def _number(e_value: float) -> str:
    if e_value >= LARGEST:
        return "more than 10^12"
    return f"{e_value:.3g}" if e_value < 100.0 else f"{e_value:.0f}"
