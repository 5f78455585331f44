"""What a rollout sees, as an ordered list of questions: the first that has an answer decides.

What speaks against the candidate comes first, so that nothing else can delay a rollback; then what a person
told; then what is not known; then whether the phase is done.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from modelyard.api.rollout import Action, OnInconclusive
from modelyard.api.rollout_status import GateStatus, GateVerdict, Phase
from modelyard.api.status import Stage

from .context import RolloutContext
from .state_machine import WATCHED, Signal

GATES = (*WATCHED, Phase.HOLDING)
_UNKNOWN = {GateVerdict.HOLD, GateVerdict.NO_DATA, GateVerdict.PROVIDER_ERROR}
_REASONS = {
    ("sampleRatio", GateVerdict.HOLD): "SampleRatioMismatch",
    ("loadTest", GateVerdict.HOLD): "CheckFailed",
    ("shadow", GateVerdict.HOLD): "CheckFailed",
    ("", GateVerdict.HOLD): "StableOutOfSlo",
    ("", GateVerdict.NO_DATA): "NoTraffic",
    ("", GateVerdict.PROVIDER_ERROR): "NoMetrics",
}
_PASSED = {Phase.BAKING: "The bake is over, and no gate spoke against the candidate."}
_FAILURES = {"loadTest": "LoadTestFailed", "shadow": "OutputsDiffer"}


class Observation(NamedTuple):
    """A signal, one word why, and a sentence."""

    signal: Signal
    reason: str
    message: str


def first_signal(scene: RolloutContext, told: Action | None) -> Observation | None:
    """The first thing there is to say; `told` is the command to carry out now."""
    return next((seen for question in CHECKS if (seen := question(scene, told)) is not None), None)


def _reverted(scene: RolloutContext, _: Action | None) -> Observation | None:
    """The spec asks for the stable again, or for a third revision."""
    rollout = scene.rollout
    if rollout.phase in (Phase.IDLE, Phase.ABORTING) or scene.wanted_revision is None:
        return None
    if scene.wants(rollout.stable):
        return Observation(
            Signal.REVERTED, "Reverted", f"The spec asks for the stable revision {rollout.stable} again."
        )
    if rollout.candidate and not scene.wants(rollout.candidate):
        gone = f"The spec asks for another revision than {rollout.candidate}, which is dropped."
        return Observation(Signal.SUPERSEDED, "Superseded", gone)
    return None


def _aborted(scene: RolloutContext, told: Action | None) -> Observation | None:
    if told is not Action.ABORT:
        return None
    return Observation(Signal.ABORT, "AbortCommanded", "A command aborted the rollout.")


def _failed(scene: RolloutContext, _: Action | None) -> Observation | None:
    """A gate has failed the candidate."""
    failed = next((gate for gate in scene.rollout.gates if gate.verdict is GateVerdict.FAIL), None)
    if failed is None or not scene.rollout.active or not scene.analyzed:
        return None
    return Observation(Signal.FAILED, _failure(failed), failed.message)


def _failure(gate: GateStatus) -> str:
    return _FAILURES.get(gate.name, f"{gate.name.capitalize()}GateFailed")


def _promoted(scene: RolloutContext, told: Action | None) -> Observation | None:
    if told is not Action.PROMOTE:
        return None
    return Observation(
        Signal.PROMOTE, "PromoteCommanded", "A command promoted the candidate without waiting for the gates."
    )


def _expired(scene: RolloutContext, _: Action | None) -> Observation | None:
    """The time is over without a decision; a pause by a person suspends that."""
    spec, rollout = scene.spec, scene.rollout
    if rollout.paused or not _overdue(scene):
        return None
    why = f"No decision within {spec.max_seconds() / 60:.0f} min: {_open(scene)}"
    match spec.inconclusive():
        case OnInconclusive.ABORT:
            return Observation(Signal.EXPIRED, "Inconclusive", why)
        case OnInconclusive.PROMOTE if rollout.at is not Phase.BAKING:
            return Observation(Signal.PROMOTE, "Inconclusive", why)
        case _:
            return None


def _overdue(scene: RolloutContext) -> bool:
    """Longer than maxDuration without a decision; an A/B test decides nothing, and a bake only when it is held."""
    rollout, most = scene.rollout, scene.spec.max_seconds()
    if rollout.at is Phase.BAKING:
        return rollout.phase is Phase.HOLDING and scene.elapsed(rollout.phase_start_time, most)
    return rollout.phase in GATES and rollout.at is not Phase.SPLITTING and scene.elapsed(rollout.start_time, most)


def _open(scene: RolloutContext) -> str:
    rollout = scene.rollout
    said = [one.message for one in rollout.gates if one.verdict is not GateVerdict.PASS and one.message]
    return rollout.message if rollout.phase is Phase.HOLDING else " ".join(said) or "the gates are undecided."


def _inconclusive(scene: RolloutContext, _: Action | None) -> Observation | None:
    """Nothing can be concluded, or a person holds it."""
    if scene.rollout.phase not in GATES:
        return None
    held = next(_hold_reasons(scene), None)
    if held is not None:
        return Observation(Signal.INCONCLUSIVE, *held)
    return Observation(Signal.CONCLUSIVE, "", "") if scene.rollout.phase is Phase.HOLDING else None


def _hold_reasons(scene: RolloutContext) -> Iterator[tuple[str, str]]:
    rollout, spec = scene.rollout, scene.spec
    goes_on = f"`modelyard rollout resume {scene.model.name}` goes on"
    if scene.wanted.stalled:
        stuck = scene.wanted.built if scene.wanted.resolved.holds else scene.wanted.resolved
        yield stuck.reason, stuck.message
    if rollout.paused:
        yield "Paused", f"A command holds it; {goes_on}."
    for gate in rollout.gates:
        if gate.verdict in _UNKNOWN:
            reason = gate.reason or _REASONS.get((gate.name, gate.verdict)) or _REASONS["", gate.verdict]
            yield reason, gate.message
    pauses = {
        Phase.ADVANCING: spec.step(rollout.step).pause,
        Phase.PREVIEWING: spec.preview is not None and spec.preview.pause,
    }
    waits = rollout.phase is Phase.HOLDING and rollout.reason == "PauseStep"
    if pauses.get(rollout.at, False) and rollout.resumed < rollout.step and (waits or _step_done(scene)):
        yield "PauseStep", f"This step waits for a person; {goes_on}."
    if _overdue(scene) and spec.inconclusive() is OnInconclusive.HOLD:
        yield "Inconclusive", f"maxDuration is over without a decision: {_open(scene)}"[:900]


def _step_done(scene: RolloutContext) -> bool:
    done = _DONE.get(scene.rollout.at)
    return done is not None and done(scene)


def _progress(scene: RolloutContext, _: Action | None) -> Observation | None:
    """The phase is done."""
    rollout = scene.rollout
    match rollout.phase:
        case Phase.IDLE if _preconditions_met(scene):
            return Observation(
                Signal.SPEC_CHANGED, "SpecChanged", "The spec asks for another revision; its artifact comes first."
            )
        case Phase.BUILDING if scene.wanted.revision is not None:
            return Observation(Signal.BUILT, "Built", f"Revision {scene.wanted.revision.name} is starting.")
        case Phase.REPLACING if not scene.revisions:
            return Observation(Signal.DRAINED, "Replaced", "The old revision is gone.")
        case Phase.STARTING if rollout.candidate in scene.facts.answered and not scene.wanted.stalled:
            return Observation(
                Signal.WARMED_UP, "Answered", f"Revision {rollout.candidate} answered a warm-up request."
            )
        case Phase.ABORTING if _drained(scene):
            return Observation(Signal.DRAINED, rollout.reason, rollout.message)
        case phase if phase in _DONE and _DONE[phase](scene):
            return Observation(Signal.PASSED, "Passed", _PASSED.get(phase, "Every gate passed."))
        case _:
            return None


def _preconditions_met(scene: RolloutContext) -> bool:
    """Another revision than the stable is wanted, and it was not refused before."""
    return scene.wanted_revision is not None and not scene.wants(scene.rollout.stable) and not scene.refused


def _drained(scene: RolloutContext) -> bool:
    """No request goes to the candidate any more."""
    candidate = scene.candidate
    return candidate is None or candidate.stage in (Stage.STARTING, Stage.DRAINING, Stage.DROPPED)


def _all_pass(scene: RolloutContext) -> bool:
    gates = scene.rollout.gates
    return bool(gates) and all(gate.verdict is GateVerdict.PASS for gate in gates)


def _carried(scene: RolloutContext) -> str:
    """Since when the gateway carries the wanted share; empty while it does not."""
    candidate = scene.candidate
    if candidate is None or candidate.weight != scene.rollout.weight or not scene.facts.programmed:
        return ""
    return candidate.programmed_time


def _step_over(scene: RolloutContext) -> bool:
    return _all_pass(scene) and scene.elapsed(_carried(scene), scene.spec.step(scene.rollout.step).hold_seconds())


def _preview_over(scene: RolloutContext) -> bool:
    hold = scene.spec.preview.hold_seconds() if scene.spec.preview else 0.0
    return _all_pass(scene) and scene.elapsed(scene.rollout.phase_start_time, hold)


def _mirrored(scene: RolloutContext) -> bool:
    shadow = scene.spec.shadow
    over = shadow is None or scene.elapsed(scene.rollout.phase_start_time, shadow.duration_seconds())
    compared = scene.rollout.gate("shadow")
    told = compared is not None and compared.verdict is GateVerdict.PASS
    return over and (_all_pass(scene) if shadow is not None and shadow.then else told)


def _split(scene: RolloutContext) -> bool:
    if scene.spec.ab is None:
        return True
    limit = scene.spec.ab.duration_seconds()
    return limit is not None and scene.elapsed(_carried(scene), limit)


def _baked(scene: RolloutContext) -> bool:
    health = scene.rollout.gate("health")
    well = health is not None and health.verdict is GateVerdict.PASS
    bake = scene.spec.bake_seconds()
    return well and scene.elapsed(_carried(scene), bake) and scene.elapsed(scene.rollout.phase_start_time, bake)


_DONE: dict[Phase, Callable[[RolloutContext], bool]] = {
    Phase.TESTING: _all_pass,
    Phase.PREVIEWING: _preview_over,
    Phase.MIRRORING: _mirrored,
    Phase.SPLITTING: _split,
    Phase.ADVANCING: _step_over,
    Phase.BAKING: _baked,
}

CHECKS = (_reverted, _aborted, _failed, _promoted, _expired, _inconclusive, _progress)
