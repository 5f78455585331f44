"""What a rollout's decision looks at: the world, the wish, the revisions, and the state it is in."""

from dataclasses import dataclass, replace
from functools import cached_property

from modelyard.api.model import Model
from modelyard.api.rollout import Rollout, Strategy
from modelyard.api.rollout_status import Phase, RolloutStatus
from modelyard.api.status import RevisionStatus
from modelyard.core.artifacts.resolve import ResolvedArtifact
from modelyard.core.conditions import epoch
from modelyard.core.revisions import failures
from modelyard.core.revisions.lifecycle import RevisionFacts
from modelyard.core.snapshot import Failure, Snapshot
from modelyard.settings import Settings

from .effective_spec import effective_spec
from .state_machine import RolloutSpecView


@dataclass(frozen=True)
class RolloutContext:
    """One look; `revisions` are as they were found, `rollout` is the state that has been reached so far."""

    snapshot: Snapshot
    settings: Settings
    artifact: ResolvedArtifact
    revisions: tuple[RevisionStatus, ...]
    facts: RevisionFacts
    rollout: RolloutStatus

    @cached_property
    def model(self) -> Model:
        """The Model, with the terms that hold for the rollout under way."""
        return effective_spec(self.snapshot.model, self.rollout)

    @property
    def now(self) -> float:
        return self.snapshot.now

    @property
    def spec(self) -> Rollout:
        return self.model.spec.rollout

    @property
    def stable(self) -> RevisionStatus | None:
        """The stable, if it is there."""
        return self._named(self.rollout.stable)

    @property
    def candidate(self) -> RevisionStatus | None:
        """The candidate, if it is there."""
        return self._named(self.rollout.candidate)

    @property
    def first(self) -> bool:
        """There is nothing to compare to and nothing to go back to."""
        return not self.rollout.stable

    @property
    def strategy(self) -> Strategy:
        """The strategy the candidate was started with; another one in the spec is for the next."""
        begun = self.rollout.active and self.rollout.phase is not Phase.BUILDING
        return Strategy(self.rollout.strategy) if begun else self.spec.strategy

    @property
    def spec_view(self) -> RolloutSpecView:
        """What the spec makes of the table of transitions."""
        spec = self.spec
        return RolloutSpecView(
            strategy=self.strategy,
            steps=len(spec.weights()),
            load_test=spec.load_test is not None,
            goes_on=spec.shadow is not None and spec.shadow.then is not None,
            first=self.first,
            held=self.rollout.held or Phase.ADVANCING,
        )

    @property
    def analyzed(self) -> bool:
        """The candidate is judged, not only awaited."""
        return not self.first and self.strategy not in (Strategy.IMMEDIATE, Strategy.RECREATE)

    @property
    def wanted_revision(self) -> tuple[str, str] | None:
        """Name (empty until it is built) and build digest of the wanted revision; None while it is not known."""
        if self.artifact.revision is not None:
            return self.artifact.revision.name, self.artifact.revision.digest
        return ("", self.artifact.build.digest) if self.artifact.build is not None else None

    def wants(self, revision: str) -> bool:
        """That revision is what the spec asks for."""
        if self.wanted_revision is None or not revision:
            return False
        name, digest = self.wanted_revision
        if name:
            return name == revision
        revision_status = self._named(revision)
        return revision_status is not None and revision_status.digest == digest

    @property
    def refused(self) -> bool:
        """What the spec asks for was tried and refused; another revision of the same build was not."""
        if self.wanted_revision is None or not self.rollout.rejected:
            return False
        name, digest = self.wanted_revision
        return name == self.rollout.rejected if name else digest == self.rollout.rejected_build

    @property
    def failure(self) -> Failure | None:
        """What is wrong with the candidate's pods, or that they take too long."""
        candidate = self.candidate
        return None if candidate is None else failures.failure_of(self.snapshot, candidate, self.facts.start)

    def at(self, rollout: RolloutStatus) -> "RolloutContext":
        """The same look with another state reached."""
        return replace(self, rollout=rollout)

    def elapsed(self, since: str, seconds: float) -> bool:
        """So many seconds have gone by since then; False when it has not begun."""
        return bool(since) and self.now - epoch(since) >= seconds

    def _named(self, name: str) -> RevisionStatus | None:
        return next((revision for revision in self.revisions if revision.name == name), None)
