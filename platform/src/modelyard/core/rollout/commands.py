"""Commands of a person to a rollout: every id is carried out once, and the latest answer is kept.

| action | when | what happens |
|---|---|---|
| abort | a rollout is under way | the stable gets all the traffic; also after a promote, as long as it bakes |
| promote | the candidate has answered | all traffic now, then the bake; while it bakes: the end of the bake |
| pause | a rollout is under way | the weight stays; the gates go on watching |
| resume | it is paused, a step waits, or a check is to be begun again | goes on |
| retry | the wanted revision was refused | it is tried once more |
|       | a check ended without an answer | it is begun again at once, and as often again as the first time |

An abort wins over everything, so a promote that comes after it is refused.

The last ten ids are remembered: a manifest that is applied again brings an old command back, and it stays done.
"""

from modelyard.api.rollout import Action
from modelyard.api.rollout_status import HISTORY, CommandStatus, Phase, RolloutStatus
from modelyard.core.conditions import timestamp

from .context import RolloutContext
from .state_machine import WATCHED


def handle_command(context: RolloutContext) -> tuple[RolloutStatus, Action | None]:
    """The state with the command of the spec answered, and the action the table of transitions has to carry out.

    The action is None when there is none: no command, one that was handled before, a refusal, or one that only changes
    the state (pause, resume, retry).
    """
    command, rollout = context.spec.command, context.rollout
    if command is None or rollout.has_handled(command.id):
        return rollout, None
    changed, answer, action = _ACTIONS[command.action](context)
    status = CommandStatus(id=command.id, action=command.action, answer=answer, time=timestamp(context.now))
    before = rollout.handled_commands or [last.id for last in (rollout.command,) if last is not None]
    return changed.model_copy(update={"command": status, "handled_commands": [command.id, *before][:HISTORY]}), action


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
    changed = rollout.model_copy(update={"paused": False})
    if rollout.at is Phase.BAKING:
        return changed, "The bake is over; the old revision goes.", Action.PROMOTE
    return changed, f"Revision {rollout.candidate} gets all the traffic; then it bakes.", Action.PROMOTE


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
