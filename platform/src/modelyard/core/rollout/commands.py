"""Commands of a person to a rollout: every id is carried out once, and the latest answer is kept.

| action | when | what happens |
|---|---|---|
| abort | a rollout is under way | the stable gets all the traffic; also after a promote, as long as it bakes |
| promote | the candidate has answered, and the | all traffic now, then the bake; while it bakes: the end of the bake |
|         | cluster has room for all of it | |
| pause | a rollout with steps is under way | the weight stays; the gates go on watching |
| resume | it is paused, a step waits, or a check is to be begun again | goes on |
| retry | the wanted revision was refused | it is tried once more |
|       | a check ended without an answer | it is begun again at once, and as often again as the first time |

An abort wins over everything, so a promote that comes after it is refused.

The last ten ids are remembered: a manifest that is applied again brings an old command back, and it stays done.

The answer is what came of a command in the pass that took it up, not what was meant: evidence may have ended the
rollout in the same pass, something else may hold it, or the candidate may lack replicas (`with_outcome`).
"""

from modelyard.api.rollout import Action, Strategy
from modelyard.api.rollout_status import HISTORY, CommandStatus, Outcome, Phase, RolloutStatus
from modelyard.core.conditions import timestamp

from .capacity.step_room import ENOUGH, StepRoom, step_room
from .context import RolloutContext
from .state_machine import WATCHED, Transition
from .traffic_target import limited_by_capacity, needed

REFUSED = "Refused: "
_LONGEST = 512


def handle_command(context: RolloutContext) -> tuple[RolloutStatus, Action | None]:
    """The state with the command of the spec answered, and the action the table of transitions has to carry out.

    The action is None when there is none: no command, one that was handled before, a refusal, or one that only changes
    the state (pause, resume, retry).
    """
    command, rollout = context.spec.command, context.rollout
    if command is None or rollout.has_handled(command.id):
        return rollout, None
    if command.action is Action.PROMOTE and not _room_for_all(context).known:
        return rollout, None
    changed, answer, action = _ACTIONS[command.action](context)
    status = CommandStatus(id=command.id, action=command.action, answer=answer, time=timestamp(context.now))
    before = rollout.handled_commands or [last.id for last in (rollout.command,) if last is not None]
    return changed.model_copy(update={"command": status, "handled_commands": [command.id, *before][:HISTORY]}), action


def with_outcome(before: RolloutStatus, context: RolloutContext) -> RolloutStatus:
    """The state with the answer to a command that was handled in this pass, by what came of it; else as it is.

    `before` is the state the pass began with, `context` that in which it ended.
    """
    rollout = context.rollout
    command = rollout.command
    if command is None or command == before.command or command.answer.startswith(REFUSED):
        return rollout
    outcome = _OUTCOMES[command.action](before, context)
    if not outcome:
        return rollout
    return rollout.model_copy(update={"command": command.model_copy(update={"answer": outcome[:_LONGEST]})})


Answer = tuple[RolloutStatus, str, Action | None]


def _abort(context: RolloutContext) -> Answer:
    rollout = context.rollout
    if rollout.phase is Phase.IDLE:
        return rollout, "Refused: no rollout is under way; to go back, apply the spec of the version before.", None
    if rollout.phase is Phase.ABORTING:
        return rollout, "It is being aborted already.", None
    if context.first:
        return rollout, "Refused: there is no other revision that could take the traffic.", None
    return rollout, f"Revision {rollout.candidate or 'to come'} is taken out of the traffic.", Action.ABORT


def _promote(context: RolloutContext) -> Answer:
    rollout = context.rollout
    if rollout.phase not in WATCHED and rollout.phase is not Phase.HOLDING:
        return rollout, f"Refused: {_no_promotion(rollout)}", None
    room = _room_for_all(context)
    if room.refused:
        return rollout, f"Refused: {room.missing}"[:_LONGEST], None
    changed = rollout.model_copy(update={"paused": False})
    if rollout.at is Phase.BAKING:
        return changed, "The bake is over; the old revision goes.", Action.PROMOTE
    return changed, f"Revision {rollout.candidate} gets all the traffic; then it bakes.", Action.PROMOTE


def _room_for_all(context: RolloutContext) -> StepRoom:
    """Whether there is room for a candidate that has all the traffic; asked while it is tried and has less."""
    rollout = context.rollout
    tried = rollout.at in WATCHED and rollout.at is not Phase.BAKING
    return step_room(context, Transition(Phase.BAKING)) if tried else ENOUGH


def _no_promotion(rollout: RolloutStatus) -> str:
    if rollout.phase is Phase.IDLE:
        return "no rollout is under way."
    if rollout.phase is Phase.ABORTING:
        return "the rollout is being aborted; `retry` tries the revision again."
    return "the candidate has not answered a warm-up request yet."


def _pause(context: RolloutContext) -> Answer:
    rollout = context.rollout
    if rollout.phase in (Phase.IDLE, Phase.ABORTING):
        return rollout, "Refused: no rollout is under way.", None
    if rollout.paused:
        return rollout, "It is paused already.", None
    if not context.analyzed:
        stepless = context.strategy in (Strategy.IMMEDIATE, Strategy.RECREATE)
        why = f"a revision of strategy {context.strategy}" if stepless else "the first revision"
        return rollout, f"Refused: {why} has no steps to pause at: it gets all the traffic once it answers.", None
    return rollout.model_copy(update={"paused": True}), "The weight stays until resume; the gates go on.", None


def _resume(context: RolloutContext) -> Answer:
    rollout = context.rollout
    if rollout.unanswered:
        return _begun_again(context).model_copy(update={"paused": False}), "The check is begun again.", None
    if not rollout.paused and rollout.reason != "PauseStep":
        return rollout, "Refused: it is not paused.", None
    step = rollout.step if rollout.reason == "PauseStep" else rollout.resumed
    return rollout.model_copy(update={"paused": False, "resumed": step}), "It goes on.", None


def _retry(context: RolloutContext) -> Answer:
    rollout = context.rollout
    if rollout.unanswered:
        return _begun_again(context), "The check is begun again.", None
    if rollout.phase is not Phase.IDLE or not context.refused:
        return rollout, "Refused: the wanted revision was not refused before.", None
    return (
        rollout.model_copy(update={"rejected": "", "rejected_build": "", "retain_until": ""}),
        "The revision is tried once more.",
        None,
    )


def _ended(context: RolloutContext) -> bool:
    """Whether the rollout has ended, or is ending, without a promotion."""
    rollout = context.rollout
    return rollout.phase is Phase.ABORTING or (rollout.phase is Phase.IDLE and rollout.reason != Outcome.PROMOTED)


def _aborted(before: RolloutStatus, context: RolloutContext) -> str:
    rollout = context.rollout
    if before.phase is Phase.ABORTING:
        return ""
    if rollout.reason != "AbortCommanded":
        return f"It ends for another reason: {rollout.message}"
    name = before.candidate or "to come"
    return "" if before.weight else f"Revision {name} is given up; it had no traffic."


def _promoted(_: RolloutStatus, context: RolloutContext) -> str:
    rollout = context.rollout
    if _ended(context):
        return f"{REFUSED}{rollout.message}"
    if limited_by_capacity(rollout, context.revisions, context.snapshot).weight < rollout.weight:
        few = f"as soon as it has {needed(rollout)} replicas that are ready"
        return f"Revision {rollout.candidate} gets all the traffic {few}; then it bakes."
    return ""


def _paused(_: RolloutStatus, context: RolloutContext) -> str:
    rollout = context.rollout
    if _ended(context):
        return f"{REFUSED}the rollout has just ended: {rollout.message}"
    if rollout.phase in (Phase.BUILDING, Phase.STARTING):
        return "The candidate may start, but gets no traffic until resume."
    return ""


def _resumed(_: RolloutStatus, context: RolloutContext) -> str:
    rollout = context.rollout
    if _ended(context):
        return f"The pause is over, and so is the rollout: {rollout.message}"
    return f"The pause is over, but it is held: {rollout.message}" if rollout.phase is Phase.HOLDING else ""


def _retried(before: RolloutStatus, context: RolloutContext) -> str:
    failed = before.active and _ended(context)
    return f"{REFUSED}the rollout has just ended: {context.rollout.message}" if failed else ""


def _begun_again(context: RolloutContext) -> RolloutStatus:
    """The state in which every check without an answer is begun again now."""
    now = {"attempts": 0, "next_attempt_time": timestamp(context.now)}
    gates = [gate.model_copy(update=now) if gate.unanswered else gate for gate in context.rollout.gates]
    return context.rollout.model_copy(update={"gates": gates})


_ACTIONS = {
    Action.ABORT: _abort,
    Action.PROMOTE: _promote,
    Action.PAUSE: _pause,
    Action.RESUME: _resume,
    Action.RETRY: _retry,
}

_OUTCOMES = {
    Action.ABORT: _aborted,
    Action.PROMOTE: _promoted,
    Action.PAUSE: _paused,
    Action.RESUME: _resumed,
    Action.RETRY: _retried,
}
