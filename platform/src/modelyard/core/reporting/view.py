"""The common view of one decision: what is, what the spec resolves to, and what the revisions and routes become."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from modelyard.api.lifecycle.retraining_status import RetrainingStatus
from modelyard.api.model import Model
from modelyard.api.rollout_status import RolloutStatus
from modelyard.api.status import IdleStatus, RevisionStatus, Stage
from modelyard.core.artifacts.resolved import ResolvedArtifact
from modelyard.core.rollout.publication import RoutingPlan
from modelyard.core.snapshot import Snapshot
from modelyard.settings import Settings


@dataclass(frozen=True)
class DecisionView:
    """Everything that one decision has settled, for whoever writes it down.

    `artifact` is what the spec resolves to; `rollout`, `revisions`, `routing`, `idle` and `retraining` are as they
    should be after this decision, `snapshot` is the world before it; `programmed` says whether the gateway already
    carries that routing.
    """

    snapshot: Snapshot
    settings: Settings
    artifact: ResolvedArtifact
    rollout: RolloutStatus
    revisions: tuple[RevisionStatus, ...]
    routing: RoutingPlan
    programmed: bool
    idle: IdleStatus | None = None
    retraining: RetrainingStatus | None = None

    @property
    def model(self) -> Model:
        """The Model this decision is about."""
        return self.snapshot.model

    @property
    def routes(self) -> Sequence[dict[str, Any]]:
        """The manifests of the routes; empty while no revision has a Service."""
        return self.routing.routes

    @property
    def candidate(self) -> RevisionStatus | None:
        """The revision on its way in: tried by the rollout, or promoted and not serving yet; else None."""
        name = self.rollout.candidate or (self.artifact.revision.name if self.artifact.revision else "")
        if name == self.rollout.rejected:
            return None
        return next(
            (revision for revision in self.revisions if revision.name == name and revision.stage is not Stage.SERVING),
            None,
        )

    @property
    def serving_revision(self) -> RevisionStatus | None:
        """The revision that holds the traffic: the stable, or the one with most of it; None when none serves."""
        serving = [revision for revision in self.revisions if revision.stage is Stage.SERVING]
        by_right = [revision for revision in serving if revision.name == self.rollout.stable]
        return next(iter(by_right or sorted(serving, key=lambda revision: -revision.weight)), None)
