"""What publishes a Model in a state of its rollout: routes, and beside them a mirror, a preview, or sticky sides."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from modelyard.api.model import Model
from modelyard.api.rollout import Strategy
from modelyard.api.rollout_status import Phase, RolloutStatus
from modelyard.api.status import RevisionStatus
from modelyard.core.names import predictor
from modelyard.core.resources.holding import patience
from modelyard.core.resources.routes import routes
from modelyard.core.resources.traffic_policies import Publication, policies
from modelyard.core.revisions.lifecycle import backends
from modelyard.core.revisions.route_status import mentioned
from modelyard.core.revisions.sampling import grants
from modelyard.core.snapshot import Snapshot
from modelyard.settings import GatewaySettings, HolderSettings

from .effective_spec import effective_spec

_PREVIEWED = frozenset({Phase.TESTING, Phase.PREVIEWING})


class RoutingPlan(NamedTuple):
    """The manifests that publish a Model: its routes, empty while no revision has a Service, and the policies.

    The policies, and what permits some of the platform, have to be applied before the routes and deleted after them.
    """

    routes: Sequence[dict[str, Any]]
    policies: Sequence[dict[str, Any]]


def routing_plan(
    snapshot: Snapshot,
    revisions: Sequence[RevisionStatus],
    rollout: RolloutStatus,
    gateway: GatewaySettings,
    longest_wait: float = HolderSettings().max_wait_seconds,
    sample: int = 0,
    platform: str = "",
) -> RoutingPlan:
    """The manifests that publish these revisions in this state of the rollout.

    One that is published keeps its place when its InferenceService is not ours any more, as after somebody took its
    owner from it: users are there. Requests of a Model that may be at zero wait for `longest_wait` seconds at most. One
    of `sample` requests is recorded, none with 0, for the platform in the namespace of that name.
    """
    reachable = frozenset(
        revision.name for revision in revisions if snapshot.child("Service", predictor(revision.name)) is not None
    )
    reachable |= frozenset(revision.name for revision in revisions if reachable and _orphaned(snapshot, revision))
    publication, model = replace(_publication(snapshot.model, rollout, reachable), sample=sample), snapshot.model
    published = routes(model, backends(revisions, reachable), gateway, publication)
    beside = [
        *policies(model, publication),
        *patience(model, longest_wait, bool(sample)),
        *grants(model, platform, sample),
    ]
    return RoutingPlan(published, beside if published else [])


def _orphaned(snapshot: Snapshot, revision: RevisionStatus) -> bool:
    """Whether our routes name a revision whose InferenceService is none of ours."""
    lost = snapshot.child("InferenceService", revision.name) is None
    return lost and mentioned(snapshot, predictor(revision.name))


def _publication(model: Model, rollout: RolloutStatus, reachable: frozenset[str]) -> Publication:
    """What a state publishes beside the weights; nothing for a candidate that has no Service.

    The sides of an A/B test stay to the end of the rollout: their rules must outlive the last request.
    """
    name = rollout.candidate
    if name not in reachable:
        return Publication()
    spec = effective_spec(model, rollout).spec.rollout
    sticky = spec.ab if rollout.strategy == Strategy.AB and rollout.active else None
    if rollout.phase is Phase.ABORTING:
        return Publication(sticky=sticky)
    shadow = spec.shadow if rollout.at is Phase.MIRRORING else None
    previewed = rollout.strategy == Strategy.BLUE_GREEN and rollout.at in _PREVIEWED
    return Publication((name, shadow.percent) if shadow else None, name if previewed else None, sticky)
