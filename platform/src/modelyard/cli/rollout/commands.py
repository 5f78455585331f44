"""What a person tells a rollout: looked at first, written once, and answered by the operator.

A command is written into `spec.rollout.command` with a new id, as a merge patch of that one field. Who applies the
Model's manifest is not disturbed by it: no other field changes hands, an apply of a manifest without `command`
leaves it where it is (`kubectl apply`, server-side or not, Helm, Flux and Argo CD alike), and when it is dropped all
the same nothing happens, because the answer is in the status. A command that stands in an applied manifest itself
is told again with every apply that follows another command: the last ten ids are remembered and not carried out
again, but nobody can tell what such a manifest means, so keep commands out of what is applied continuously.
"""

import secrets
import time
from collections.abc import Callable
from datetime import UTC, datetime

from modelyard.api.model import Model
from modelyard.api.rollout import Action, Strategy
from modelyard.api.rollout_status import CommandStatus, Phase, RolloutStatus
from modelyard.clients.cluster.api_server import Cluster
from modelyard.clients.cluster.context import caller
from modelyard.clients.cluster.models import read
from modelyard.core.names import CHANGED_BY_ANNOTATION, CHANGED_TO_ANNOTATION, REASON_ANNOTATION
from modelyard.core.rollout.effective_spec import effective_spec
from modelyard.core.rollout.state_machine import WATCHED
from modelyard.core.snapshot import Ref
from modelyard.errors import Conflict, Unreachable, UserError

from .history import former_versions

REFUSED = "Refused: "
_EVERY = 0.25
_BEHIND = " (The operator has not taken up the latest change of the Model yet: perhaps it is too early.)"
_UNGUIDED = {Action.PROMOTE, Action.PAUSE, Action.RESUME}


def objection(model: Model, action: Action) -> str:
    """Why the command makes no sense now, with what to do instead; empty when it does."""
    rollout = model.status.rollout or RolloutStatus()
    strategy = effective_spec(model, rollout).spec.rollout.strategy
    if action in _UNGUIDED and strategy in (Strategy.IMMEDIATE, Strategy.RECREATE):
        reason = f"strategy {strategy} has no steps to {action}: a revision gets all the traffic once it answers"
        return f"{reason}. `modelyard rollout abort {model.name}` drops one that is still starting."
    reason = _OBJECTIONS[action](model, rollout)
    behind = model.status.observed_generation < model.generation
    return f"{reason}{_BEHIND}" if reason and behind else reason


def _against_abort(model: Model, rollout: RolloutStatus) -> str:
    if rollout.phase is Phase.ABORTING:
        return f"the rollout of {model.name} is being aborted already."
    return "" if rollout.active else f"{_idle(model)}; to go back, apply the spec of the version before."


def _against_promote(model: Model, rollout: RolloutStatus) -> str:
    if not rollout.active:
        return f"{_idle(model)}; a changed spec begins one."
    if rollout.phase is Phase.ABORTING:
        return f"the rollout of {model.name} is being aborted; `modelyard rollout retry {model.name}` tries it again."
    if rollout.phase in WATCHED or rollout.phase is Phase.HOLDING:
        return ""
    return f"the candidate of {model.name} has not answered a warm-up request yet ({rollout.phase}): wait for it."


def _against_pause(model: Model, rollout: RolloutStatus) -> str:
    if not rollout.active:
        return f"{_idle(model)}; a changed spec begins one."
    if rollout.phase is Phase.ABORTING:
        return f"the rollout of {model.name} is being aborted: there is nothing left to pause."
    resume = f"`modelyard rollout resume {model.name}` goes on"
    return f"the rollout of {model.name} is paused already; {resume}." if rollout.paused else ""


def _against_resume(model: Model, rollout: RolloutStatus) -> str:
    if not rollout.active:
        return f"{_idle(model)}; a changed spec begins one."
    if rollout.paused or rollout.unanswered or rollout.reason == "PauseStep":
        return ""
    if rollout.phase is Phase.HOLDING:
        why = f"{rollout.reason}: {rollout.message}".rstrip(".")
        return f"the rollout of {model.name} is held, not paused, and goes on by itself. {why}."
    return f"the rollout of {model.name} is not paused."


def _against_retry(model: Model, rollout: RolloutStatus) -> str:
    if rollout.unanswered:
        return ""
    if rollout.active:
        return f"a rollout of {model.name} is under way ({rollout.phase}): abort it first, or wait for its end."
    if not rollout.rejected:
        return f"there is nothing to retry: no revision that {model.name} wants was refused."
    return ""


def _idle(model: Model) -> str:
    return f"no rollout of {model.name} is under way"


_OBJECTIONS: dict[Action, Callable[[Model, RolloutStatus], str]] = {
    Action.ABORT: _against_abort,
    Action.PROMOTE: _against_promote,
    Action.PAUSE: _against_pause,
    Action.RESUME: _against_resume,
    Action.RETRY: _against_retry,
}


def new_id() -> str:
    """An id that no command had before: the time (UTC) it was given, and six random hexadecimal digits."""
    return f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}-{secrets.token_hex(3)}"


def give(cluster: Cluster, namespace: str, name: str, action: Action) -> str:
    """Writes the command into the Model's spec and returns its id.

    Raises UserError when the command makes no sense, before anything is written, or when the Model is gone by then;
    InvalidModel when there is no such Model.
    """
    model = Model.of(read(cluster, namespace, name)[0])
    reason = objection(model, action)
    if reason:
        raise UserError(reason)
    command_id = new_id()
    change = {
        "metadata": {"uid": model.metadata["uid"]},
        "spec": {"rollout": {"command": {"id": command_id, "action": action.value}}},
    }
    if cluster.merge(Ref("Model", namespace, name), change) is None:
        raise UserError(f"there is no Model {name} in namespace {namespace} any more.")
    return command_id


def go_back(cluster: Cluster, namespace: str, name: str, version: str, reason: str = "") -> str:
    """Writes into the spec the version that had the traffic before, or `version`; the one that is written.

    Beside it goes, as annotations, who asked for it, as far as the API server says so, and `reason`.
    Raises UserError when a rollout is under way or no such version had it; InvalidModel when there is no such Model.
    """
    model = Model.of(read(cluster, namespace, name)[0])
    rollout = model.status.rollout or RolloutStatus()
    if rollout.active:
        raise UserError(f"a rollout of {name} is under way: `modelyard rollout abort {name}` gives the traffic back.")
    former = former_versions(rollout.history, model.status.version)
    if not former or version not in ("", *former):
        known = f"those that had it are {', '.join(former)}" if former else "the history knows no other that had it"
        wanted = f"version {version} of {name} has not had the traffic" if version else f"{name} has no version before"
        raise UserError(f"{wanted}: {known}; any version can be asked for with spec.source.version.")
    back = version or former[0]
    annotations = {
        REASON_ANNOTATION: reason or f"rolled back from version {model.status.version}",
        CHANGED_BY_ANNOTATION: caller(cluster) or None,
        CHANGED_TO_ANNOTATION: back,
    }
    metadata = {"uid": model.metadata["uid"], "annotations": annotations}
    change = {"metadata": metadata, "spec": {"source": {"version": back, "alias": None}}}
    if cluster.merge(Ref("Model", namespace, name), change) is None:
        raise UserError(f"there is no Model {name} in namespace {namespace} any more.")
    return back


def answer(cluster: Cluster, namespace: str, name: str, command_id: str, patience: float) -> CommandStatus:
    """The operator's answer to the command with that id.

    Raises Unreachable when it does not come within `patience` seconds, Conflict when somebody wrote another command.
    """
    end = time.monotonic() + patience
    while True:
        model = Model.of(read(cluster, namespace, name)[0])
        status = model.status.rollout.command if model.status.rollout else None
        if status is not None and status.id == command_id:
            return status
        command = model.spec.rollout.command
        if command is None or command.id != command_id:
            written = f"{command.action} with id {command.id}" if command else "nothing"
            raise Conflict(
                f"somebody else wrote {written} before an answer came: look at the status, and tell it again."
            )
        if time.monotonic() >= end:
            raise Unreachable(
                f"the command is written, but the operator has not answered within {patience:g} s: `modelyard doctor` "
                f"says whether it runs; `modelyard rollout status {name} -n {namespace}` shows the answer once it came."
            )
        time.sleep(_EVERY)
