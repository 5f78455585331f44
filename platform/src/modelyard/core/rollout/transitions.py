"""What changes when a rollout enters a state: the weight, the counts, the message, the record of how it ended."""

from modelyard.api.rollout import DEFAULT_BAKE
from modelyard.api.rollout_status import (
    HELD_TRAFFIC,
    HISTORY,
    GateName,
    GateStatus,
    Outcome,
    Phase,
    RolloutCause,
    RolloutRecord,
    RolloutStatus,
)
from modelyard.core.analysis import gates
from modelyard.core.conditions import timestamp
from modelyard.core.names import CHANGED_BY_ANNOTATION, CHANGED_TO_ANNOTATION, REASON_ANNOTATION, predictor
from modelyard.core.revisions.readiness import replicas
from modelyard.core.snapshot import MAX_REASON

from .capacity.step_room import INSUFFICIENT, step_room
from .clock import PAUSED, PERSONS
from .context import RolloutContext
from .effective_spec import pinned_spec
from .signals import UNKNOWN_SCENARIO, Observation, hold_reason, room_to_begin
from .state_machine import AGAINST, Transition

_MESSAGE = 1000
_REASON, _PERSON, _EVIDENCE = 256, 128, 512
_UNTRIED = (Phase.BUILDING, Phase.STARTING)
_UNINTERRUPTED = PERSONS | {INSUFFICIENT}
"""Reasons of a hold after which a phase goes on where it was: all that it asks for was there."""
_REPORTED = "The comparison is over and does not promote by itself; its findings are in status.rollout.report."


def apply_transition(context: RolloutContext, observation: Observation, transition: Transition) -> RolloutStatus:
    """The state after `transition`, with what was counted at the last weight added up.

    `observation` gives its reason and its message where the new phase has none of its own.
    """
    rollout, now = context.rollout, timestamp(context.now)
    fresh = {"phase": transition.phase, "step": transition.step, "phase_start_time": now}
    if transition.outcome is Outcome.REPORTED:
        observation = observation._replace(reason="Reported", message=_REPORTED)
    explanation = {"reason": observation.reason[:MAX_REASON], "message": observation.message[:_MESSAGE]}
    if transition.phase is Phase.HOLDING:
        since = rollout.phase_start_time if observation.reason in _UNINTERRUPTED else ""
        return rollout.model_copy(update={**fresh, **explanation, "held": rollout.phase, "held_start_time": since})
    if rollout.phase is Phase.HOLDING and transition.phase is rollout.held:
        return rollout.model_copy(
            update={
                **fresh,
                "phase_start_time": rollout.held_start_time or now,
                "held_start_time": "",
                "held": None,
                "reason": transition.phase.value,
                "message": _phase_message(context, transition),
            }
        )
    state = rollout.model_copy(
        update={
            **fresh,
            **explanation,
            "held": None,
            "held_start_time": "",
            **_reset_gates(rollout),
            "weight": context.weight_after(transition),
            "report": _report(context),
        }
    )
    if rollout.phase is Phase.IDLE:
        state = _start_rollout(context, state)
    if rollout.phase is Phase.BUILDING:
        state = state.model_copy(update={"strategy": context.strategy, "pinned_spec": pinned_spec(context.spec)})
    if transition.phase is Phase.STARTING:
        state = state.model_copy(update=_candidate(context))
    if transition.phase is Phase.REPLACING:
        state = state.model_copy(update={"stable": ""})
    if transition.outcome is not None:
        return _end_rollout(context, state, observation, transition)
    if transition.phase is Phase.IDLE:
        return _idle_state(state)
    if transition.phase not in (Phase.BUILDING, Phase.ABORTING):
        state = state.model_copy(
            update={"reason": transition.phase.value, "message": _phase_message(context.at(state), transition)}
        )
    missing = step_room(context, transition).missing
    if missing:
        update = {"reason": INSUFFICIENT, "message": f"{state.message} {missing}"[:_MESSAGE]}
        state = state.model_copy(update=update)
    return state


def explained_pause(context: RolloutContext) -> RolloutStatus:
    """The state that says so when a person's pause, or the wait for room, begins or ends within a phase.

    It is itself when it says it already.

    A phase that anything else held as well begins anew afterwards: what it asks for was not there all the time.
    """
    rollout = context.rollout
    if rollout.phase in _UNTRIED:
        return rollout if context.first else _explained_start(context)
    held = hold_reason(context) if rollout.phase is Phase.HOLDING else None
    if held is None or not _said_anew(rollout, *held):
        return rollout
    reason, message = held
    kept = rollout.held_start_time if {reason, rollout.reason} <= _UNINTERRUPTED else ""
    return rollout.model_copy(
        update={"reason": reason[:MAX_REASON], "message": message[:_MESSAGE], "held_start_time": kept}
    )


def _said_anew(rollout: RolloutStatus, reason: str, message: str) -> bool:
    """Whether a hold is told of again: a person's begins or ends, or what is missing of room is another."""
    if INSUFFICIENT in (reason, rollout.reason):
        return (reason, message[:_MESSAGE]) != (rollout.reason, rollout.message)
    return (reason in PERSONS) != (rollout.reason in PERSONS)


def _explained_start(context: RolloutContext) -> RolloutStatus:
    rollout, room = context.rollout, room_to_begin(context)
    if not room.known and rollout.reason == INSUFFICIENT:
        return rollout
    reason, message = rollout.reason, rollout.message
    if rollout.paused:
        resume = f"`modelyard rollout resume {context.model.name}` goes on"
        reason = PAUSED
        message = f"A command holds it: the candidate may start, but gets no traffic; {resume}."
    elif rollout.phase is Phase.BUILDING and context.unknown_scenario:
        reason, message = UNKNOWN_SCENARIO, context.unknown_scenario
    elif room.refused:
        reason, message = INSUFFICIENT, room.missing[:_MESSAGE]
    elif reason in (PAUSED, UNKNOWN_SCENARIO) or (
        reason == INSUFFICIENT and context.settings.serving.capacity_check == "refuse"
    ):
        reason, message = rollout.phase.value, _phase_message(context, Transition(rollout.phase))
    if (reason, message) == (rollout.reason, rollout.message):
        return rollout
    return rollout.model_copy(update={"reason": reason, "message": message})


def _start_rollout(context: RolloutContext, entered: RolloutStatus) -> RolloutStatus:
    """The state of a new rollout: of the last one only its end, the commands and the history are left."""
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
    holder = context.rollout.stable
    return RolloutStatus(
        **kept,
        strategy=context.spec.strategy,
        start_time=timestamp(context.now),
        replicas=max(1, replicas(context.snapshot, predictor(holder))) if holder else 0,
    )


def _candidate(context: RolloutContext) -> dict[str, object]:
    revision = context.artifact.revision
    return (
        {"candidate": revision.name, "version": revision.version, "cause": _cause(context, revision.version)}
        if revision is not None
        else {}
    )


def _cause(context: RolloutContext, version: str) -> RolloutCause:
    """What was asked for; who and why as far as the annotations are about this version."""
    entry, said = context.artifact.entry, context.model.metadata.get("annotations") or {}
    digest = entry.digest if entry is not None else ""
    if said.get(CHANGED_TO_ANNOTATION, version) != version:
        return RolloutCause(digest=digest)
    why, who = (" ".join(said.get(name, "").split()) for name in (REASON_ANNOTATION, CHANGED_BY_ANNOTATION))
    return RolloutCause(digest=digest, reason=why[:_REASON], changed_by=who[:_PERSON])


def _phase_message(context: RolloutContext, transition: Transition) -> str:
    """What goes on in a state, in a sentence."""
    name, spec = context.rollout.candidate, context.spec
    match transition.phase:
        case Phase.BUILDING:
            return "The artifact of the candidate comes first."
        case Phase.REPLACING:
            return "The old revision goes first: requests fail until the new one answers."
        case Phase.STARTING:
            starting = context.artifact.revision
            return f"Revision {name or (starting.name if starting else '')} is starting."
        case Phase.TESTING:
            tests = (("recorded requests", spec.replay), ("a load test", spec.load_test))
            asking = " and then ".join(words for words, options in tests if options is not None)
            return f"Revision {name} is asked through its pinned route: by {asking or 'nobody any more'}."
        case Phase.PREVIEWING:
            return f"Revision {name} answers at its preview host only."
        case Phase.MIRRORING:
            return f"{spec.shadow.percent if spec.shadow else 0} % of the requests are mirrored to revision {name}."
        case Phase.SPLITTING:
            return f"{context.weight_after(transition)} % of the users get revision {name}."
        case Phase.ADVANCING:
            weight, steps = context.weight_after(transition), len(spec.weights())
            return f"Revision {name} gets {weight} % of the traffic, step {transition.step + 1} of {steps}."
        case _:
            return f"Revision {name} gets all the traffic; the old one stands by for {spec.bake or DEFAULT_BAKE}."


def _reset_gates(rollout: RolloutStatus) -> dict[str, object]:
    """The gates begin anew; the candidate's requests are added up."""
    errors = rollout.gate(GateName.ERRORS)
    requests, bad = (errors.requests, errors.failed_requests) if errors is not None else (0, 0)
    kept = [gate for gate in rollout.gates if gate.name in (GateName.LATENCY, GateName.ERRORS)]
    return {
        "gates": gates.reset_gates(kept),
        "requests": rollout.requests + requests,
        "failed_requests": rollout.failed_requests + bad,
    }


def _end_rollout(
    context: RolloutContext, entered: RolloutStatus, observation: Observation, transition: Transition
) -> RolloutStatus:
    """The state with the end recorded: a promotion makes the candidate the stable, a refusal is remembered."""
    assert transition.outcome is not None
    silent = not entered.candidate or (context.first and not entered.replicas)
    history = (
        entered.history
        if silent
        else _remembered([_record(context, entered, observation, transition.outcome), *entered.history])
    )
    if transition.outcome is Outcome.PROMOTED:
        message = f"Revision {entered.candidate} (version {entered.version}) was promoted."
        update = {"stable": entered.candidate, "history": history, "reason": "Promoted", "message": message}
        return _idle_state(entered.model_copy(update=update))
    candidate = context.candidate
    refused = observation.signal not in AGAINST or AGAINST[observation.signal] is Outcome.ABORTED
    keeps = refused and entered.candidate != "" and not context.first
    update = {
        "history": history,
        "rejected": entered.candidate if keeps else "",
        "rejected_build": candidate.digest if keeps and candidate is not None else "",
        "retain_until": timestamp(context.now + context.spec.kept_seconds()) if keeps else "",
    }
    return entered.model_copy(update=update)


def _remembered(records: list[RolloutRecord]) -> list[RolloutRecord]:
    """The newest HISTORY records; where one has to go, it is none of the HELD_TRAFFIC newest promotions."""
    promoted = [record for record in records if record.outcome is Outcome.PROMOTED][:HELD_TRAFFIC]
    others = [record for record in records if record not in promoted][: HISTORY - len(promoted)]
    return [record for record in records if record in promoted or record in others]


def _record(
    context: RolloutContext, entered: RolloutStatus, observation: Observation, outcome: Outcome
) -> RolloutRecord:
    return RolloutRecord(
        revision=entered.candidate,
        version=entered.version,
        strategy=entered.strategy,
        outcome=outcome,
        stable=entered.stable,
        stable_version=context.stable.version if context.stable is not None else "",
        reason=observation.reason[:MAX_REASON],
        message=observation.message[:_MESSAGE],
        start_time=entered.start_time,
        end_time=timestamp(context.now),
        requests=entered.requests,
        failed_requests=entered.failed_requests,
        cause=entered.cause,
        evidence=_evidence(context.rollout.gates),
    )


def _evidence(asked: list[GateStatus]) -> str:
    """The gates' last answers in a line."""
    return "; ".join(f"{gate.name} {gate.verdict.value}: {gate.message}" for gate in asked)[:_EVIDENCE]


def _report(context: RolloutContext) -> dict[str, object] | None:
    """The reports of the checks so far, by check; None without any."""
    reports = {name: dict(check.report) for name, check in context.snapshot.checks.items() if check.report}
    return {**(context.rollout.report or {}), **reports} or None


def _idle_state(entered: RolloutStatus) -> RolloutStatus:
    """Idle: nothing of the rollout is left but how it ended."""
    rest = {
        "phase": Phase.IDLE,
        "candidate": "",
        "cause": None,
        "weight": 0,
        "gates": [],
        "counters": "",
        "failing_since": "",
        "paused": False,
        "step": 0,
    }
    return entered.model_copy(
        update={**rest, "held": None, "pauses": [], "resumed": -1, "last_analysis_time": "", "pinned_spec": None}
    )
