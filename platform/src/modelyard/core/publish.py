"""What a rollout's state publishes beside the weights: a mirror, a preview, or sides that users stick to."""

from modelyard.api.model import Model
from modelyard.api.rollout import Strategy
from modelyard.api.rollout_status import Phase, RolloutStatus

from .desired.publication import Publication
from .terms import bound

_PREVIEWED = frozenset({Phase.TESTING, Phase.PREVIEWING})


def publication(model: Model, rollout: RolloutStatus, reachable: frozenset[str]) -> Publication:
    """The publication of a state; only of a candidate that has a Service.

    The sides of an A/B test stay to the end of the rollout: their rules must outlive the last request.
    """
    spec, name = bound(model, rollout).spec.rollout, rollout.candidate
    if name not in reachable:
        return Publication()
    sticky = spec.ab if rollout.strategy == Strategy.AB and rollout.active else None
    if rollout.phase is Phase.ABORTING:
        return Publication(sticky=sticky)
    shadow = spec.shadow if rollout.at is Phase.MIRRORING else None
    previewed = rollout.strategy == Strategy.BLUE_GREEN and rollout.at in _PREVIEWED
    return Publication((name, shadow.percent) if shadow else None, name if previewed else None, sticky)
