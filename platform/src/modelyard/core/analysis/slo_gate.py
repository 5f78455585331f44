"""The gates that count, latency and errors: from the gateway's slices to a verdict with its numbers.

A state (`ledger.py`) belongs to one weight and is known by the end of its last window, so slices that were
counted before change nothing, and an operator that starts anew goes on from the state in the status. What was
counted before the weight was written says nothing of the candidate at this weight, which may break under more
load than it had; of the stable it tells the habits.

| verdict | when, the first that holds |
|---|---|
| Fail | the evidence fails the candidate; nothing that comes later is counted then |
| ProviderError | the gateway's counters do not come (`supply.py`) |
| Hold | the gateway has no bucket as low as the threshold, or the stable itself misses the objective |
| Pass | the evidence suffices |
| NoData | no request reaches the candidate though it should; not while it bakes |
| Continue | none of these |
"""

import math
from bisect import bisect_right
from dataclasses import replace

from modelyard.api.rollout_status import GateStatus, GateVerdict

from . import data_availability
from . import state as ledger
from .evidence import remaining
from .gate_input import Look
from .gate_result import Finding
from .messages import sentence
from .objectives import Objective, alpha, newest_bounds
from .statistics.burn_rate import Run
from .statistics.sequential_test import Rule, State, Verdict, Window, next_step, update, verdict

_FURTHEST = 10**9
_THRESHOLD = "threshold"
TOO_LOW = "ThresholdTooLow"
"""Why the gate holds when every bucket's bound is above the threshold."""


def judged(look: Look, asked: Objective) -> GateStatus:
    """The gate with what was counted since the last look."""
    rule = Rule(asked.allowed, alpha(look.spec), max_regression=None if look.alone else look.spec.rollout.regression())
    state = _fed(look, asked, rule)
    bounds = newest_bounds(look.traffic, (look.arm, look.stable_slot))
    told = asked.threshold is None or asked.bound(bounds) is not None
    finding = Finding(
        asked=asked,
        bound=asked.bound(bounds),
        least=None if told else min(bounds, default=None),
        rule=rule,
        state=state,
        rate=data_availability.rate(look, asked),
        silence=data_availability.silence(look, asked, state.end),
        outage=data_availability.outage(look),
    )
    finding = replace(finding, verdict=_verdict(look, finding))
    if finding.verdict is GateVerdict.CONTINUE and not look.alone:
        finding = replace(finding, missing=_missing(rule, state))
    return _status(look, finding)


def renewed(gate: GateStatus) -> GateStatus:
    """The gate as a new weight begins: no evidence, and all that is known of the stable's habits."""
    kept = gate.state or {}
    state = ledger.as_json(next_step(ledger.from_json(kept)))
    return GateStatus(name=gate.name, verdict=GateVerdict.CONTINUE, phi=gate.phi, state=_marked(state, kept))


def _marked(state: dict, source: dict) -> dict:
    """With the threshold whose misses are counted: a state of another one is worth nothing."""
    return {**state, _THRESHOLD: source[_THRESHOLD]} if _THRESHOLD in source else state


def _fed(look: Look, asked: Objective, rule: Rule) -> State:
    """The state after every window that is new."""
    state = _before(look, asked)
    slices = look.traffic.slices
    newer = slices[bisect_right(slices, state.end, key=lambda one: one.end) :]
    past = [one for one in newer if look.watched < one.end <= look.since]
    for one in past:
        state = update(rule, state, Window(one.end, 0, 0, *asked.count(one.of(look.stable_slot))))
    if state.end <= look.since:
        state = next_step(state)
    if look.alone:
        state = replace(state, stable_out=False, run=Run())
    for one in newer[bisect_right(newer, look.since, key=lambda one: one.end) :]:
        if state.failed:
            break
        compared = one.end > look.watched and not look.alone
        stable = asked.count(one.of(look.stable_slot)) if compared else (0, 0)
        state = update(rule, state, Window(one.end, *asked.count(one.of(look.arm)), *stable))
    return state


def _before(look: Look, asked: Objective) -> State:
    gate = look.before.get(asked.name)
    if gate is None or gate.state is None or gate.state.get(_THRESHOLD) != asked.threshold:
        return State()
    return ledger.from_json(gate.state)


def _verdict(look: Look, found: Finding) -> GateVerdict:
    said = verdict(found.rule, found.state)
    if said is Verdict.FAIL:
        return GateVerdict.FAIL
    if found.outage is not None:
        return GateVerdict.PROVIDER_ERROR
    if said is Verdict.HOLD or found.least is not None:
        return GateVerdict.HOLD
    if said is Verdict.PASS:
        return GateVerdict.PASS
    expects = look.share > 0.0 and not look.alone and found.silence >= data_availability.QUIET
    if expects and found.silence >= data_availability.patience(look, found.asked):
        return GateVerdict.NO_DATA
    return GateVerdict.CONTINUE


def _missing(rule: Rule, state: State) -> int | None:
    """The candidate's requests still to come for a pass; None when none is in sight."""
    missing = remaining(rule, state)
    return missing if missing is None or missing < _FURTHEST else None


def _status(look: Look, found: Finding) -> GateStatus:
    state, bars = found.state, found.bars()
    eta = math.ceil(found.missing / found.rate) if found.missing is not None and found.rate > 0.0 else None
    kept = ledger.as_json(state)
    if found.asked.threshold is not None:
        kept[_THRESHOLD] = found.asked.threshold
    return GateStatus(
        name=found.asked.name,
        verdict=found.verdict,
        reason=TOO_LOW if found.verdict is GateVerdict.HOLD and found.least is not None else "",
        message=sentence(look, found, bars),
        requests=state.requests,
        bad=state.bad,
        stable_requests=state.stable_requests,
        stable_bad=state.stable_bad,
        against=bars.against,
        fails_at=bars.fails_at,
        favour=bars.favour,
        passes_at=bars.passes_at,
        phi=found.phi,
        eta=eta,
        state=kept,
    )
