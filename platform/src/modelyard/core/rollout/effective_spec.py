"""What holds for the rollout under way, of what `spec.rollout` says.

| field | holds |
|---|---|
| strategy, ab, shadow | as they were when the candidate began to start: users keep their side, mirrors their % |
| command | as the spec says now |
| all others | as the spec says now while it names the same strategy, so that a person can go on with fewer steps or |
|            | more time; as they were when it names another one, whose spec is for the next rollout |

A candidate that is still being built is promised nothing, so until then everything is as the spec says. So it is when
what was pinned is in words that only another version of the platform knows.
"""

from typing import Any

from pydantic import ValidationError

from modelyard.api.model import Model
from modelyard.api.rollout import Rollout
from modelyard.api.rollout_status import RolloutStatus
from modelyard.api.stored_status import without_unknown


def pinned_spec(spec: Rollout) -> dict[str, Any]:
    """The `spec.rollout` a rollout begins with, without its command, as plain values for a status."""
    return spec.model_dump(by_alias=True, exclude_none=True, exclude={"command"}, mode="json")


def effective_spec(model: Model, rollout: RolloutStatus) -> Model:
    """The Model with the `spec.rollout` that is in force in this state of a rollout; itself when none is under way."""
    if not rollout.active or rollout.pinned_spec is None:
        return model
    pinned = _readable(rollout.pinned_spec)
    if pinned is None:
        return model
    in_force = _in_force(model.spec.rollout, pinned)
    return model.model_copy(update={"spec": model.spec.model_copy(update={"rollout": in_force})})


def _readable(pinned: dict[str, Any]) -> Rollout | None:
    """What a status says was pinned, without what only another version knows; None when the rest cannot be read."""
    try:
        return Rollout.model_validate(without_unknown(Rollout, pinned))
    except ValidationError:
        return None


def _in_force(current: Rollout, pinned: Rollout) -> Rollout:
    if current.strategy is not pinned.strategy:
        return pinned.model_copy(update={"command": current.command})
    return current.model_copy(update={"ab": pinned.ab, "shadow": pinned.shadow})
