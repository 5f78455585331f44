"""What a rollout's state publishes beside the weights: a mirror, a preview, or sides that users stick to."""

from modelyard.api.model import Model
from modelyard.api.rollout import Strategy
from modelyard.api.rollout_status import Phase, RolloutStatus

from .desired.publication import Publication

_PREVIEWED = frozenset({Phase.TESTING, Phase.PREVIEWING})


def publication(model: Model, rollout: RolloutStatus, reachable: frozenset[str]) -> Publication:
    """The publication of a state; only of a candidate that has a Service."""
    spec, name = model.spec.rollout, rollout.candidate
    if name not in reachable or rollout.phase is Phase.ABORTING:
        return Publication()
    shadow = rollout.at is Phase.MIRRORING and spec.shadow is not None
    previewed = rollout.strategy == Strategy.BLUE_GREEN and rollout.at in _PREVIEWED
    return Publication(
        mirror=(name, spec.shadow.percent) if shadow and spec.shadow else None,
        preview=name if previewed else None,
        sticky=spec.ab if rollout.at is Phase.SPLITTING else None,
    )
