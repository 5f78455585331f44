"""What changes when a rollout enters a state: the share, the counts, the words, the record of how it ended."""

from modelyard.api.rollout import DEFAULT_BAKE
from modelyard.api.rollout_status import HISTORY, Outcome, Phase, RolloutRecord, RolloutStatus
from modelyard.core.analysis import gates
from modelyard.core.conditions import timestamp
from modelyard.core.names import predictor
from modelyard.core.reporting.view import replicas

from .context import RolloutContext
from .effective_spec import pinned_spec
from .signals import Observation
from .state_machine import AGAINST, Transition

_MESSAGE = 1000
_REPORTED = "The comparison is over and does not promote by itself; its findings are in status.rollout.report."


def apply_transition(scene: RolloutContext, seen: Observation, move: Transition) -> RolloutStatus:
    """The next state, with what was counted at the last weight added up."""
    rollout, now = scene.rollout, timestamp(scene.now)
    fresh = {"phase": move.phase, "step": move.step, "phase_start_time": now}
    if move.outcome is Outcome.REPORTED:
        seen = seen._replace(reason="Reported", message=_REPORTED)
    said = {"reason": seen.reason, "message": seen.message[:_MESSAGE]}
    if move.phase is Phase.HOLDING:
        return rollout.model_copy(update={**fresh, **said, "held": rollout.phase})
    if rollout.phase is Phase.HOLDING and move.phase is rollout.held:
        return rollout.model_copy(
            update={**fresh, "held": None, "reason": move.phase.value, "message": _phase_message(scene, move)}
        )
    state = rollout.model_copy(
        update={
            **fresh,
            **said,
            "held": None,
            **_reset_gates(rollout),
            "weight": _weight(scene, move),
            "report": _report(scene),
        }
    )
    if rollout.phase is Phase.IDLE:
        state = _start_rollout(scene, state)
    if rollout.phase is Phase.BUILDING:
        state = state.model_copy(update={"strategy": scene.strategy, "pinned_spec": pinned_spec(scene.spec)})
    if move.phase is Phase.STARTING:
        state = state.model_copy(update=_candidate(scene))
    if move.phase is Phase.REPLACING:
        state = state.model_copy(update={"stable": ""})
    if move.outcome is not None:
        return _end_rollout(scene, state, seen, move)
    if move.phase is Phase.IDLE:
        return _idle_state(state)
    if move.phase not in (Phase.BUILDING, Phase.ABORTING):
        state = state.model_copy(update={"reason": move.phase.value, "message": _phase_message(scene.at(state), move)})
    return state


def _start_rollout(scene: RolloutContext, entered: RolloutStatus) -> RolloutStatus:
    """A new rollout: nothing of the last one but its end."""
    kept = {
        name: getattr(entered, name)
        for name in (
            "phase",
            "reason",
            "message",
            "stable",
            "phase_start_time",
            "command",
            "handled_commands",
            "history",
        )
    }
    holder = scene.rollout.stable
    return RolloutStatus(
        **kept,
        strategy=scene.spec.strategy,
        start_time=timestamp(scene.now),
        replicas=max(1, replicas(scene.snapshot, predictor(holder))) if holder else 0,
    )


def _candidate(scene: RolloutContext) -> dict[str, str]:
    wanted = scene.wanted.revision
    return {"candidate": wanted.name, "version": wanted.version} if wanted is not None else {}


def _weight(scene: RolloutContext, move: Transition) -> int:
    """The candidate's share in the next state, in percent."""
    match move.phase:
        case Phase.ADVANCING:
            return scene.spec.weights()[min(move.step, len(scene.spec.weights()) - 1)]
        case Phase.SPLITTING:
            return scene.spec.ab.weight if scene.spec.ab else 0
        case Phase.BAKING:
            return 100
        case _:
            return 0


def _phase_message(scene: RolloutContext, move: Transition) -> str:
    """What goes on in a state, in a sentence."""
    name, spec = scene.rollout.candidate, scene.spec
    match move.phase:
        case Phase.REPLACING:
            return "The old revision goes first: requests fail until the new one answers."
        case Phase.STARTING:
            return f"Revision {name or (scene.wanted.revision.name if scene.wanted.revision else '')} is starting."
        case Phase.TESTING:
            return f"A load test asks revision {name} through its pinned route."
        case Phase.PREVIEWING:
            return f"Revision {name} answers at its preview host only."
        case Phase.MIRRORING:
            return f"{spec.shadow.percent if spec.shadow else 0} % of the requests are mirrored to revision {name}."
        case Phase.SPLITTING:
            return f"{_weight(scene, move)} % of the users get revision {name}."
        case Phase.ADVANCING:
            share, steps = _weight(scene, move), len(spec.weights())
            return f"Revision {name} gets {share} % of the traffic, step {move.step + 1} of {steps}."
        case _:
            return f"Revision {name} gets all the traffic; the old one stands by for {spec.bake or DEFAULT_BAKE}."


def _reset_gates(rollout: RolloutStatus) -> dict[str, object]:
    """The gates begin anew; the candidate's requests are added up."""
    errors = rollout.gate("errors")
    requests, bad = (errors.requests, errors.failed_requests) if errors is not None else (0, 0)
    kept = [gate for gate in rollout.gates if gate.name in ("latency", "errors")]
    return {
        "gates": gates.reset_gates(kept),
        "requests": rollout.requests + requests,
        "failed_requests": rollout.failed_requests + bad,
    }


def _end_rollout(scene: RolloutContext, entered: RolloutStatus, seen: Observation, move: Transition) -> RolloutStatus:
    """Recorded; the pointer moves on promotion, and a refused candidate is remembered."""
    assert move.outcome is not None
    silent = not entered.candidate or (scene.first and not entered.replicas)
    history = entered.history if silent else [_record(scene, entered, seen, move.outcome), *entered.history][:HISTORY]
    if move.outcome is Outcome.PROMOTED:
        said = f"Revision {entered.candidate} (version {entered.version}) was promoted."
        update = {"stable": entered.candidate, "history": history, "reason": "Promoted", "message": said}
        return _idle_state(entered.model_copy(update=update))
    candidate = scene.candidate
    refused = seen.signal not in AGAINST or AGAINST[seen.signal] is Outcome.ABORTED
    keeps = refused and entered.candidate != "" and not scene.first
    update = {
        "history": history,
        "rejected": entered.candidate if keeps else "",
        "rejected_build": candidate.digest if keeps and candidate is not None else "",
        "retain_until": timestamp(scene.now + scene.spec.kept_seconds()) if keeps else "",
    }
    return entered.model_copy(update=update)


def _record(scene: RolloutContext, entered: RolloutStatus, seen: Observation, outcome: Outcome) -> RolloutRecord:
    return RolloutRecord(
        revision=entered.candidate,
        version=entered.version,
        strategy=entered.strategy,
        outcome=outcome,
        reason=seen.reason,
        message=seen.message[:_MESSAGE],
        start_time=entered.start_time,
        end_time=timestamp(scene.now),
        requests=entered.requests,
        failed_requests=entered.failed_requests,
    )


def _report(scene: RolloutContext) -> dict[str, object] | None:
    """What the examinations found."""
    found = {name: dict(check.report) for name, check in scene.snapshot.checks.items() if check.report}
    return {**(scene.rollout.report or {}), **found} or None


def _idle_state(entered: RolloutStatus) -> RolloutStatus:
    """Idle: nothing of the rollout is left but how it ended."""
    rest = {
        "phase": Phase.IDLE,
        "candidate": "",
        "weight": 0,
        "gates": [],
        "failing_since": "",
        "paused": False,
        "step": 0,
    }
    return entered.model_copy(
        update={**rest, "held": None, "resumed": -1, "last_analysis_time": "", "pinned_spec": None}
    )
