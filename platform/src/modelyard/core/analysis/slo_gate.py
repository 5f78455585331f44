"""The gates that count, latency and errors: from the gateway's slices to a verdict with its numbers.

A state (`state.py`) belongs to one weight and is known by the end of its last window, so slices that were
counted before change nothing, and an operator that starts anew goes on from the state in the status. What was
counted before the weight was written says nothing of the candidate at this weight, which may break under more
load than it had; of the stable it tells the habits.

| verdict | when, the first that holds |
|---|---|
| Fail | the evidence fails the candidate; nothing that comes later is counted then |
| ProviderError | the gateway's counters do not come (`data_availability.py`) |
| Hold | the gateway has no bucket as low as the threshold, or the stable itself misses the objective |
| Pass | the evidence suffices |
| NoData | no request reaches the candidate though it should; not while it bakes |
| Continue | none of these |
"""

import math
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from modelyard.api.rollout_status import GateStatus, GateVerdict

from . import data_availability
from .evidence import remaining
from .gate_input import GateInput
from .gate_result import GateResult
from .messages import sentence
from .objectives import Objective, alpha, newest_bounds
from .state import as_json, from_json
from .statistics.burn_rate import RecoveryWindow
from .statistics.sequential_test import AnalysisState, Rule, RuleVerdict, Window, reset_for_step, update, verdict

_FURTHEST = 10**9
_THRESHOLD, _ALLOWED = "threshold", "allowed"
TOO_LOW = "ThresholdTooLow"
"""Why the gate holds when every bucket's bound is above the threshold."""


def evaluate_slo_gate(gate_input: GateInput, objective: Objective) -> GateStatus:
    """The status of one counting gate: the previous state plus the windows since the last reconcile pass.

    Nothing is written: the caller keeps the returned `GateStatus` and hands it in as `gate_input.before` next time.
    """
    rule = Rule(
        objective.allowed,
        alpha(gate_input.spec),
        max_regression=None if gate_input.without_baseline else gate_input.spec.rollout.regression(),
    )
    state = _with_new_windows(gate_input, objective, rule)
    bounds = newest_bounds(gate_input.traffic, (gate_input.candidate_key, gate_input.stable_slot))
    measurable = objective.threshold is None or objective.bound(bounds) is not None
    result = GateResult(
        objective=objective,
        bound=objective.bound(bounds),
        least=None if measurable else min(bounds, default=None),
        rule=rule,
        state=state,
        rate=data_availability.rate(gate_input, objective),
        silence=data_availability.silence(gate_input, objective),
        outage=data_availability.outage(gate_input),
    )
    result = replace(result, verdict=_verdict(gate_input, result))
    if result.verdict is GateVerdict.CONTINUE and not gate_input.without_baseline:
        result = replace(result, missing=_missing(rule, state))
    return _status(gate_input, result)


def renewed(gate: GateStatus) -> GateStatus:
    """The gate as a new weight begins: counts at 0, the stable's overdispersion and health kept. Needs `gate.state`."""
    kept = gate.state or {}
    state = as_json(reset_for_step(_readable(kept)))
    return GateStatus(
        name=gate.name,
        verdict=GateVerdict.CONTINUE,
        overdispersion=gate.overdispersion,
        state=_with_threshold(state, kept),
    )


def _with_threshold(state: dict, source: dict) -> dict:
    """`state` with the latency threshold of `source`: counts against another threshold cannot be used."""
    return {**state, _THRESHOLD: source[_THRESHOLD]} if _THRESHOLD in source else state


def _with_new_windows(gate_input: GateInput, objective: Objective, rule: Rule) -> AnalysisState:
    """The state after every window that ended later than `state.end`."""
    state = _before(gate_input, objective)
    slices = gate_input.traffic.windows
    newer = slices[bisect_right(slices, state.end, key=lambda window: window.end) :]
    past = [window for window in newer if gate_input.watched < window.end <= gate_input.since]
    for window in past:
        state = update(rule, state, Window(window.end, 0, 0, *objective.count(window.of(gate_input.stable_slot))))
    if state.end <= gate_input.since:
        state = reset_for_step(state)
    if gate_input.without_baseline:
        state = replace(state, stable_out=False, run=RecoveryWindow())
    for window in newer[bisect_right(newer, gate_input.since, key=lambda window: window.end) :]:
        if state.failed:
            break
        compared = window.end > gate_input.watched and not gate_input.without_baseline
        stable = objective.count(window.of(gate_input.stable_slot)) if compared else (0, 0)
        state = update(rule, state, Window(window.end, *objective.count(window.of(gate_input.candidate_key)), *stable))
    return state


def _before(gate_input: GateInput, objective: Objective) -> AnalysisState:
    """The stored state; what was proven of another promise is none of this one, but the stable is the same."""
    gate = gate_input.before.get(objective.name)
    if gate is None or gate.state is None or gate.state.get(_THRESHOLD) != objective.threshold:
        return AnalysisState()
    state = _readable(gate.state)
    same = gate.state.get(_ALLOWED, objective.allowed) == objective.allowed
    return state if same else reset_for_step(state)


def _readable(stored: Mapping[str, Any]) -> AnalysisState:
    """The state that was stored; an empty one when another version wrote it in another form: counting begins anew."""
    try:
        return from_json(stored)
    except (KeyError, TypeError, ValueError):
        return AnalysisState()


def _verdict(gate_input: GateInput, result: GateResult) -> GateVerdict:
    evidence_verdict = verdict(result.rule, result.state)
    if evidence_verdict is RuleVerdict.FAIL:
        return GateVerdict.FAIL
    if result.outage is not None:
        return GateVerdict.PROVIDER_ERROR
    if evidence_verdict is RuleVerdict.HOLD or result.least is not None:
        return GateVerdict.HOLD
    if evidence_verdict is RuleVerdict.PASS:
        return GateVerdict.PASS
    expects = gate_input.share > 0.0 and not gate_input.without_baseline and result.silence >= data_availability.QUIET
    if expects and result.silence >= data_availability.silence_limit(gate_input, result.objective):
        return GateVerdict.NO_DATA
    return GateVerdict.CONTINUE


def _missing(rule: Rule, state: AnalysisState) -> int | None:
    """The candidate's requests still to come for a pass; None when none is in sight."""
    missing = remaining(rule, state)
    return missing if missing is None or missing < _FURTHEST else None


def _status(gate_input: GateInput, result: GateResult) -> GateStatus:
    state, bars = result.state, result.bars()
    eta = math.ceil(result.missing / result.rate) if result.missing is not None and result.rate > 0.0 else None
    kept = {**as_json(state), _ALLOWED: result.objective.allowed}
    if result.objective.threshold is not None:
        kept[_THRESHOLD] = result.objective.threshold
    return GateStatus(
        name=result.objective.name,
        verdict=result.verdict,
        reason=TOO_LOW if result.verdict is GateVerdict.HOLD and result.least is not None else "",
        message=sentence(gate_input, result, bars),
        requests=state.requests,
        failed_requests=state.bad,
        stable_requests=state.stable_requests,
        stable_failed_requests=state.stable_bad,
        evidence_against=bars.evidence_against,
        fail_threshold=bars.fail_threshold,
        evidence_for=bars.evidence_for,
        pass_threshold=bars.pass_threshold,
        overdispersion=result.phi,
        eta=eta,
        state=kept,
    )
