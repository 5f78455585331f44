"""What a rollout sees, as an ordered list of questions: the first that has an answer decides.

What speaks against the candidate comes first, so that nothing else can delay a rollback; then what a person
commanded; then what is not known; then whether the phase is done.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from modelyard.api.rollout import Action, OnInconclusive, Strategy
from modelyard.api.rollout_status import GateName, GateStatus, GateVerdict, Phase
from modelyard.api.status import Stage

from .capacity.step_room import ENOUGH, INSUFFICIENT, StepRoom, step_room
from .clock import PAUSE_STEP, PAUSED
from .context import RolloutContext
from .state_machine import WATCHED, Signal, next_transition

GATES = (*WATCHED, Phase.HOLDING)
UNKNOWN_SCENARIO = "UnknownScenario"
"""Reason of a rollout whose load test nobody knows: a person has to name another."""
_UNKNOWN = {GateVerdict.HOLD, GateVerdict.NO_DATA, GateVerdict.PROVIDER_ERROR}
_REASONS = {
    (GateName.SAMPLE_RATIO, GateVerdict.HOLD): "SampleRatioMismatch",
    (GateName.LOAD_TEST, GateVerdict.HOLD): "CheckFailed",
    (GateName.REPLAY, GateVerdict.HOLD): "CheckFailed",
    (GateName.SHADOW, GateVerdict.HOLD): "CheckFailed",
    ("", GateVerdict.HOLD): "StableOutOfSlo",
    ("", GateVerdict.NO_DATA): "NoTraffic",
    ("", GateVerdict.PROVIDER_ERROR): "NoMetrics",
}
_PASSED = {Phase.BAKING: "The bake is over, and no gate spoke against the candidate."}
_FAILURES = {
    GateName.CLIENT_ERRORS.value: "ClientErrorsGateFailed",
    GateName.FEEDBACK.value: "FeedbackGateFailed",
    GateName.LOAD_TEST.value: "LoadTestFailed",
    GateName.REPLAY.value: "ReplayFailed",
    GateName.SHADOW.value: "OutputsDiffer",
}


class Observation(NamedTuple):
    """What a check has seen: the signal, one word why, and a sentence."""

    signal: Signal
    reason: str
    message: str


def first_signal(context: RolloutContext, action: Action | None) -> Observation | None:
    """The first observation of `CHECKS`, None when there is none; `action` is the command to carry out now."""
    return next((observation for check in CHECKS if (observation := check(context, action)) is not None), None)


def _reverted(context: RolloutContext, _: Action | None) -> Observation | None:
    """The spec asks for the stable again, or for a third revision."""
    rollout = context.rollout
    if rollout.phase in (Phase.IDLE, Phase.ABORTING) or context.wanted_revision is None:
        return None
    if context.wants(rollout.stable):
        return Observation(
            Signal.REVERTED, "Reverted", f"The spec asks for the stable revision {rollout.stable} again."
        )
    if rollout.candidate and not context.wants(rollout.candidate):
        gone = f"The spec asks for another revision than {rollout.candidate}, which is dropped."
        return Observation(Signal.SUPERSEDED, "Superseded", gone)
    return None


def _aborted(context: RolloutContext, action: Action | None) -> Observation | None:
    if action is not Action.ABORT:
        return None
    return Observation(Signal.ABORT, "AbortCommanded", "A command aborted the rollout.")


def _failed(context: RolloutContext, _: Action | None) -> Observation | None:
    """A gate has failed the candidate."""
    failed = next((gate for gate in context.rollout.gates if gate.verdict is GateVerdict.FAIL), None)
    if failed is None or not context.rollout.active or not context.analyzed:
        return None
    return Observation(Signal.FAILED, _failure(failed), failed.message)


def _failure(gate: GateStatus) -> str:
    return _FAILURES.get(gate.name, f"{gate.name.capitalize()}GateFailed")


def _promoted(context: RolloutContext, action: Action | None) -> Observation | None:
    if action is not Action.PROMOTE:
        return None
    return Observation(
        Signal.PROMOTE, "PromoteCommanded", "A command promoted the candidate without waiting for the gates."
    )


def _expired(context: RolloutContext, _: Action | None) -> Observation | None:
    """The time is over without a decision; a pause by a person suspends that."""
    spec, rollout = context.spec, context.rollout
    if rollout.paused or not _overdue(context):
        return None
    why = f"No decision within {spec.max_seconds() / 60:.0f} min: {_open(context)}"
    match spec.inconclusive():
        case OnInconclusive.ABORT:
            return Observation(Signal.EXPIRED, "Inconclusive", why)
        case OnInconclusive.PROMOTE if rollout.at is not Phase.BAKING and _room(context, Signal.PROMOTE).may_begin:
            return Observation(Signal.PROMOTE, "Inconclusive", why)
        case _:
            return None


def _overdue(context: RolloutContext) -> bool:
    """Longer than maxDuration without a decision; an A/B test decides nothing, and a bake only when it is held."""
    rollout, most = context.rollout, context.spec.max_seconds()
    if rollout.at is Phase.BAKING:
        return rollout.phase is Phase.HOLDING and context.elapsed(rollout.phase_start_time, most)
    return rollout.phase in GATES and rollout.at is not Phase.SPLITTING and context.elapsed(rollout.start_time, most)


def _open(context: RolloutContext) -> str:
    rollout = context.rollout
    messages = [gate.message for gate in rollout.gates if gate.verdict is not GateVerdict.PASS and gate.message]
    return rollout.message if rollout.phase is Phase.HOLDING else " ".join(messages) or "the gates are undecided."


def _inconclusive(context: RolloutContext, _: Action | None) -> Observation | None:
    """Nothing can be concluded, or a person holds it."""
    if context.rollout.phase not in GATES:
        return None
    held = hold_reason(context)
    if held is not None:
        return Observation(Signal.INCONCLUSIVE, *held)
    return Observation(Signal.CONCLUSIVE, "", "") if context.rollout.phase is Phase.HOLDING else None


def hold_reason(context: RolloutContext) -> tuple[str, str] | None:
    """Why a watched rollout is to be held: a reason word and a sentence; None when it may go on."""
    return next(_hold_reasons(context), None)


def _hold_reasons(context: RolloutContext) -> Iterator[tuple[str, str]]:
    rollout, spec = context.rollout, context.spec
    goes_on = f"`modelyard rollout resume {context.model.name}` goes on"
    step_waits = (PAUSE_STEP, f"This step waits for a person; {goes_on}.")
    asked = _pauses(context) and rollout.resumed < rollout.step
    if asked and rollout.phase is Phase.HOLDING and rollout.reason == PAUSE_STEP:
        yield step_waits
    if rollout.at is Phase.TESTING and context.unknown_scenario:
        yield UNKNOWN_SCENARIO, context.unknown_scenario
    if context.artifact.stalled:
        stuck = context.artifact.built if context.artifact.resolved.holds else context.artifact.resolved
        yield stuck.reason, stuck.message
    if rollout.paused:
        yield PAUSED, f"A command holds it; {goes_on}."
    for gate in rollout.gates:
        if gate.verdict in _UNKNOWN:
            reason = gate.reason or _REASONS.get((gate.name, gate.verdict)) or _REASONS["", gate.verdict]
            yield reason, gate.message
    if asked and _step_done(context):
        yield step_waits
    yield from _room_reasons(context)
    if _overdue(context) and spec.inconclusive() is OnInconclusive.HOLD:
        yield "Inconclusive", f"maxDuration is over without a decision: {_open(context)}"[:900]


def _room_reasons(context: RolloutContext) -> Iterator[tuple[str, str]]:
    """That the cluster does not hold what is to come next; it stays so while that is asked again."""
    rollout = context.rollout
    if _step_done(context):
        room = _room(context, Signal.PASSED)
    elif _overdue(context) and context.spec.inconclusive() is OnInconclusive.PROMOTE:
        room = _room(context, Signal.PROMOTE)
    else:
        return
    if room.refused:
        yield INSUFFICIENT, room.missing
    elif not room.known and rollout.phase is Phase.HOLDING and rollout.reason == INSUFFICIENT:
        yield INSUFFICIENT, rollout.message


def _room(context: RolloutContext, signal: Signal) -> StepRoom:
    """Whether there is room for where `signal` leads from the phase that is watched."""
    rollout = context.rollout
    transition = next_transition(rollout.at, rollout.step, signal, context.spec_view)
    return ENOUGH if transition is None else step_room(context, transition)


def room_to_begin(context: RolloutContext) -> StepRoom:
    """Whether there is room to go on for a candidate that is not tried yet and waits for nothing else."""
    ready = {Phase.BUILDING: _to_start, Phase.STARTING: _to_try}.get(context.rollout.phase)
    if ready is None or not ready(context):
        return ENOUGH
    return _room(context, Signal.BUILT if context.rollout.phase is Phase.BUILDING else Signal.WARMED_UP)


def _to_start(context: RolloutContext) -> bool:
    """Its artifact is there, its load test can be made, and no person keeps it waiting."""
    return context.artifact.revision is not None and not context.unknown_scenario and not _kept_waiting(context)


def _to_try(context: RolloutContext) -> bool:
    """It answered, and no person keeps it waiting."""
    answered = context.rollout.candidate in context.facts.answered
    return answered and not context.artifact.stalled and not _kept_waiting(context)


def _pauses(context: RolloutContext) -> bool:
    """Whether what the rollout is at asks for a person before it goes on."""
    spec = context.spec
    match context.rollout.at:
        case Phase.ADVANCING:
            return spec.step(context.rollout.step).pause
        case Phase.PREVIEWING:
            return spec.preview is not None and spec.preview.pause
        case _:
            return False


def _step_done(context: RolloutContext) -> bool:
    done = _DONE.get(context.rollout.at)
    return done is not None and done(context)


def _progress(context: RolloutContext, _: Action | None) -> Observation | None:
    """The phase is done. While it is not known what the spec asks for now, nothing gets more traffic."""
    rollout = context.rollout
    if context.wanted_revision is None and rollout.phase not in (Phase.ABORTING, Phase.REPLACING):
        return None
    match rollout.phase:
        case Phase.IDLE if _preconditions_met(context):
            return Observation(
                Signal.SPEC_CHANGED, "SpecChanged", "The spec asks for another revision; its artifact comes first."
            )
        case Phase.BUILDING if _to_start(context) and room_to_begin(context).may_begin:
            assert context.artifact.revision is not None
            return Observation(Signal.BUILT, "Built", f"Revision {context.artifact.revision.name} is starting.")
        case Phase.REPLACING if not context.revisions:
            return Observation(Signal.DRAINED, "Replaced", "The old revision is gone.")
        case Phase.STARTING if _to_try(context) and room_to_begin(context).may_begin:
            return Observation(
                Signal.WARMED_UP, "Answered", f"Revision {rollout.candidate} answered a warm-up request."
            )
        case Phase.ABORTING if _drained(context):
            return Observation(Signal.DRAINED, rollout.reason, rollout.message)
        case phase if phase in _DONE and _DONE[phase](context) and _room(context, Signal.PASSED).may_begin:
            return Observation(Signal.PASSED, "Passed", _PASSED.get(phase, "Every gate passed."))
        case _:
            return None


def _kept_waiting(context: RolloutContext) -> bool:
    """A person's pause keeps a revision from its first request; a first one, which nobody waits beside, goes on.

    Building and starting go on in a pause, because they concern no user.
    """
    rollout = context.rollout
    if not rollout.paused or context.first:
        return False
    return rollout.phase is Phase.STARTING or context.strategy is Strategy.RECREATE


def _preconditions_met(context: RolloutContext) -> bool:
    """The spec asks for another revision than the stable, and it was not refused before."""
    return context.wanted_revision is not None and not context.wants(context.rollout.stable) and not context.refused


def _drained(context: RolloutContext) -> bool:
    """No request goes to the candidate any more."""
    candidate = context.candidate
    return candidate is None or candidate.stage in (Stage.STARTING, Stage.DRAINING, Stage.DROPPED)


def _all_pass(context: RolloutContext) -> bool:
    gates = context.rollout.gates
    return bool(gates) and all(gate.verdict is GateVerdict.PASS for gate in gates)


def _carried(context: RolloutContext) -> str:
    """Since when (RFC 3339) the gateway carries the candidate's weight; empty while it does not."""
    candidate = context.candidate
    if candidate is None or candidate.weight != context.rollout.weight or not context.facts.programmed:
        return ""
    return candidate.programmed_time


def _step_over(context: RolloutContext) -> bool:
    hold = context.spec.step(context.rollout.step).hold_seconds()
    return _all_pass(context) and context.elapsed(_carried(context), hold)


def _preview_over(context: RolloutContext) -> bool:
    hold = context.spec.preview.hold_seconds() if context.spec.preview else 0.0
    return _all_pass(context) and context.elapsed(context.rollout.phase_start_time, hold)


def _mirrored(context: RolloutContext) -> bool:
    shadow = context.spec.shadow
    over = shadow is None or context.elapsed(context.rollout.phase_start_time, shadow.duration_seconds())
    comparison = context.rollout.gate(GateName.SHADOW)
    passed = comparison is not None and comparison.verdict is GateVerdict.PASS
    return over and (_all_pass(context) if shadow is not None and shadow.then else passed)


def _split(context: RolloutContext) -> bool:
    if context.spec.ab is None:
        return True
    limit = context.spec.ab.duration_seconds()
    return limit is not None and context.elapsed(_carried(context), limit)


def _baked(context: RolloutContext) -> bool:
    health = context.rollout.gate(GateName.HEALTH)
    well = health is not None and health.verdict is GateVerdict.PASS
    bake = context.spec.bake_seconds()
    return well and context.elapsed(_carried(context), bake) and context.elapsed(context.rollout.phase_start_time, bake)


_DONE: dict[Phase, Callable[[RolloutContext], bool]] = {
    Phase.TESTING: _all_pass,
    Phase.PREVIEWING: _preview_over,
    Phase.MIRRORING: _mirrored,
    Phase.SPLITTING: _split,
    Phase.ADVANCING: _step_over,
    Phase.BAKING: _baked,
}

CHECKS = (_reverted, _aborted, _failed, _promoted, _expired, _inconclusive, _progress)
