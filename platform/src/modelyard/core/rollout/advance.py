"""A rollout in one reconcile pass: the state it was in, what is seen, and the state it is in now.

    adopt      whose the traffic is, when there was no rollout yet
    command    a new command is answered
    judge      the gates read the counted traffic
    follow     signal by signal through the table of `state_machine.py`, until there is none

Evidence alone changes with every second; it is written every `CHECKPOINT` seconds, and with every change of
anything else. What is lost by a crash in between are seconds of counts.
"""

from collections.abc import Iterator
from itertools import islice

from modelyard.api.monitoring.comparison import LabelledComparison
from modelyard.api.rollout import Action
from modelyard.api.rollout_status import Outcome, Phase, RolloutStatus
from modelyard.api.status import ModelStatus, Stage
from modelyard.core.analysis import gates
from modelyard.core.analysis.ab_report import sides
from modelyard.core.conditions import epoch, timestamp
from modelyard.core.snapshot import Failure

from . import clock, commands, signals
from .capacity.step_room import INSUFFICIENT, ROOM_SECONDS
from .context import RolloutContext
from .state_machine import next_transition
from .traffic_target import has_capacity
from .transitions import apply_transition, explained_pause

CHECKPOINT = 5.0
POLL_SECONDS = 1.0
_MOST = 12


def advance(context: RolloutContext) -> RolloutStatus:
    """The rollout's state after this reconcile pass; the old object itself when nothing has to be written."""
    before = context.rollout
    rollout, action = commands.handle_command(context)
    *_, context = islice(_states(context.at(_evaluated(context.at(rollout))), action), _MOST)
    context = context.at(explained_pause(context))
    context = context.at(commands.with_outcome(before, context))
    context = context.at(clock.with_pauses(context.rollout, context.now))
    return _throttle_status(before, _cleared(context), context.now)


def _states(context: RolloutContext, action: Action | None) -> Iterator[RolloutContext]:
    """The state as it is, and every further one that this pass leads to, in order."""
    yield context
    while (observation := signals.first_signal(context, action)) is not None:
        transition = next_transition(context.rollout.phase, context.rollout.step, observation.signal, context.spec_view)
        if transition is None:
            return
        action = None
        context = context.at(apply_transition(context, observation, transition))
        yield context


def next_deadline(context: RolloutContext) -> float | None:
    """Seconds until time alone changes something, None when it does not; 1 while evidence is gathered.

    Nobody tells of room on nodes, so whoever waits for it asks.
    """
    rollout = context.rollout
    if rollout.phase in signals.GATES or rollout.failing_since:
        return POLL_SECONDS
    if rollout.reason == INSUFFICIENT:
        return ROOM_SECONDS
    rest = epoch(rollout.retain_until) - context.now if rollout.retain_until else 0.0
    return rest if rest > 0 else None


def initial_state(status: ModelStatus) -> RolloutStatus:
    """The stored state; before the first rollout, one in which the revision that serves is the stable."""
    if status.rollout is not None:
        return status.rollout
    return RolloutStatus(
        stable=next((revision.name for revision in status.revisions if revision.stage is Stage.SERVING), "")
    )


def _evaluated(context: RolloutContext) -> RolloutStatus:
    """The state with the gates' answers to what was counted since the last pass."""
    rollout, candidate = context.rollout, context.candidate
    if candidate is None or rollout.phase in (Phase.IDLE, Phase.ABORTING) or not context.analyzed:
        return rollout
    failure = context.failure_of(candidate)
    failing_since = "" if failure is None else rollout.failing_since or timestamp(context.now)
    stable = context.stable
    gate_input = gates.GateInput(
        now=context.now,
        spec=context.model.spec,
        stable_slot=stable.slot if stable else "",
        candidate_slot=candidate.slot,
        traffic=context.snapshot.traffic,
        since=epoch(candidate.stage_start_time),
        watched=_promoted_at(rollout),
        weight=candidate.weight,
        phase=rollout.at,
        before={gate.name: gate for gate in rollout.gates},
        failure=failure,
        failing_since=_failing_from(context, failing_since) if failing_since else None,
        checks=context.snapshot.checks,
        has_capacity=has_capacity(context.snapshot, rollout),
        labelled=_labelled(context),
    )
    counters = context.snapshot.traffic.counters or rollout.counters
    verdicts = list(gates.evaluate(gate_input))
    judged = rollout.model_copy(update={"gates": verdicts, "failing_since": failing_since, "counters": counters})
    compared = sides(judged) if rollout.at is Phase.SPLITTING else None
    return judged.model_copy(update={"report": {"sides": compared}}) if compared else judged


def _labelled(context: RolloutContext) -> LabelledComparison | Failure | None:
    """Labelled answers of this rollout's revisions since it began; what is known of another one says nothing."""
    known, rollout = context.snapshot.labelled, context.rollout
    if not context.settings.recorder.installed:
        return Failure("NoRecorder", "the platform runs no recorder: helm upgrade it with --set recorder.replicas=2")
    if not isinstance(known, LabelledComparison):
        return known
    of = (known.stable, known.candidate, known.since)
    return known if of == (rollout.stable, rollout.candidate, rollout.start_time) else None


def _failing_from(context: RolloutContext, since: str) -> float:
    """Since when the pods fail, by the rollout's clock while no user feels it, and by everybody's when users do."""
    unfelt = context.candidate is not None and context.candidate.weight == 0
    return epoch(since) + (context.paused_seconds(since) if unfelt else 0.0)


def _promoted_at(rollout: RolloutStatus) -> float:
    """Since when the stable's slot has been the stable's own; from the beginning for the very first one."""
    promoted = (
        record for record in rollout.history if record.revision == rollout.stable and record.outcome is Outcome.PROMOTED
    )
    return next((epoch(record.end_time) for record in promoted), 0.0)


def _cleared(context: RolloutContext) -> RolloutStatus:
    """A refusal is forgotten when the spec asks for something else, and a kept candidate when its time is over."""
    rollout = context.rollout
    if rollout.rejected and rollout.phase is Phase.IDLE and context.wanted_revision is not None and not context.refused:
        rollout = rollout.model_copy(update={"rejected": "", "rejected_build": "", "retain_until": ""})
    if rollout.retain_until and epoch(rollout.retain_until) <= context.now:
        rollout = rollout.model_copy(update={"retain_until": ""})
    return rollout


def _throttle_status(before: RolloutStatus, rollout: RolloutStatus, now: float) -> RolloutStatus:
    """The state before, when only evidence has changed and it was written less than `CHECKPOINT` seconds ago."""
    if not rollout.gates:
        return rollout
    fixed = {"gates": [], "last_analysis_time": "", "report": None, "counters": ""}
    same_state = before.model_copy(update=fixed) == rollout.model_copy(update=fixed)
    same_verdicts = _verdicts(before) == _verdicts(rollout)
    if (
        same_state
        and same_verdicts
        and (
            before.gates == rollout.gates
            or (before.last_analysis_time and now - epoch(before.last_analysis_time) < CHECKPOINT)
        )
    ):
        return before
    return rollout.model_copy(update={"last_analysis_time": timestamp(now)})


def _verdicts(rollout: RolloutStatus) -> list[tuple[str, str, str]]:
    return [(gate.name, gate.verdict, gate.next_attempt_time) for gate in rollout.gates]
