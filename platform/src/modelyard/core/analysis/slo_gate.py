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
from .gate_input import GateInput
from .gate_result import GateResult
from .messages import sentence
from .objectives import Objective, alpha, newest_bounds
from .statistics.burn_rate import RecoveryWindow
from .statistics.sequential_test import AnalysisState, Rule, Verdict, Window, reset_for_step, update, verdict

_FURTHEST = 10**9
_THRESHOLD = "threshold"
TOO_LOW = "ThresholdTooLow"
"""Why the gate holds when every bucket's bound is above the threshold."""


def evaluate_slo_gate(look: GateInput, asked: Objective) -> GateStatus:
    """The gate with what was counted since the last look."""
    rule = Rule(
        asked.allowed,
        alpha(look.spec),
        max_regression=None if look.without_baseline else look.spec.rollout.regression(),
    )
    state = _with_new_windows(look, asked, rule)
    bounds = newest_bounds(look.traffic, (look.candidate_key, look.stable_slot))
    told = asked.threshold is None or asked.bound(bounds) is not None
    finding = GateResult(
        objective=asked,
        bound=asked.bound(bounds),
        least=None if told else min(bounds, default=None),
        rule=rule,
        state=state,
        rate=data_availability.rate(look, asked),
        silence=data_availability.silence(look, asked, state.end),
        outage=data_availability.outage(look),
    )
    finding = replace(finding, verdict=_verdict(look, finding))
    if finding.verdict is GateVerdict.CONTINUE and not look.without_baseline:
        finding = replace(finding, missing=_missing(rule, state))
    return _status(look, finding)


def renewed(gate: GateStatus) -> GateStatus:
    """The gate as a new weight begins: no evidence, and all that is known of the stable's habits."""
    kept = gate.state or {}
    state = ledger.as_json(reset_for_step(ledger.from_json(kept)))
    return GateStatus(
        name=gate.name, verdict=GateVerdict.CONTINUE, overdispersion=gate.overdispersion, state=_marked(state, kept)
    )


def _marked(state: dict, source: dict) -> dict:
    """With the threshold whose misses are counted: a state of another one is worth nothing."""
    return {**state, _THRESHOLD: source[_THRESHOLD]} if _THRESHOLD in source else state


def _with_new_windows(look: GateInput, asked: Objective, rule: Rule) -> AnalysisState:
    """The state after every window that is new."""
    state = _before(look, asked)
    slices = look.traffic.windows
    newer = slices[bisect_right(slices, state.end, key=lambda one: one.end) :]
    past = [one for one in newer if look.watched < one.end <= look.since]
    for one in past:
        state = update(rule, state, Window(one.end, 0, 0, *asked.count(one.of(look.stable_slot))))
    if state.end <= look.since:
        state = reset_for_step(state)
    if look.without_baseline:
        state = replace(state, stable_out=False, run=RecoveryWindow())
    for one in newer[bisect_right(newer, look.since, key=lambda one: one.end) :]:
        if state.failed:
            break
        compared = one.end > look.watched and not look.without_baseline
        stable = asked.count(one.of(look.stable_slot)) if compared else (0, 0)
        state = update(rule, state, Window(one.end, *asked.count(one.of(look.candidate_key)), *stable))
    return state


def _before(look: GateInput, asked: Objective) -> AnalysisState:
    gate = look.before.get(asked.name)
    if gate is None or gate.state is None or gate.state.get(_THRESHOLD) != asked.threshold:
        return AnalysisState()
    return ledger.from_json(gate.state)


def _verdict(look: GateInput, found: GateResult) -> GateVerdict:
    said = verdict(found.rule, found.state)
    if said is Verdict.FAIL:
        return GateVerdict.FAIL
    if found.outage is not None:
        return GateVerdict.PROVIDER_ERROR
    if said is Verdict.HOLD or found.least is not None:
        return GateVerdict.HOLD
    if said is Verdict.PASS:
        return GateVerdict.PASS
    expects = look.share > 0.0 and not look.without_baseline and found.silence >= data_availability.QUIET
    if expects and found.silence >= data_availability.silence_limit(look, found.objective):
        return GateVerdict.NO_DATA
    return GateVerdict.CONTINUE


def _missing(rule: Rule, state: AnalysisState) -> int | None:
    """The candidate's requests still to come for a pass; None when none is in sight."""
    missing = remaining(rule, state)
    return missing if missing is None or missing < _FURTHEST else None


def _status(look: GateInput, found: GateResult) -> GateStatus:
    state, bars = found.state, found.bars()
    eta = math.ceil(found.missing / found.rate) if found.missing is not None and found.rate > 0.0 else None
    kept = ledger.as_json(state)
    if found.objective.threshold is not None:
        kept[_THRESHOLD] = found.objective.threshold
    return GateStatus(
        name=found.objective.name,
        verdict=found.verdict,
        reason=TOO_LOW if found.verdict is GateVerdict.HOLD and found.least is not None else "",
        message=sentence(look, found, bars),
        requests=state.requests,
        failed_requests=state.bad,
        stable_requests=state.stable_requests,
        stable_failed_requests=state.stable_bad,
        evidence_against=bars.evidence_against,
        fail_threshold=bars.fail_threshold,
        evidence_for=bars.evidence_for,
        pass_threshold=bars.pass_threshold,
        overdispersion=found.phi,
        eta=eta,
        state=kept,
    )
