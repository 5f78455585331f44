"""What a rollout's decision looks at: the world, what the spec resolves to, the revisions, and the state it is in."""

from dataclasses import dataclass, replace
from functools import cached_property

from modelyard.api.model import Model
from modelyard.api.rollout import Rollout, Strategy
from modelyard.api.rollout_status import Phase, RolloutStatus
from modelyard.api.status import RevisionStatus
from modelyard.core.artifacts.resolved import ResolvedArtifact
from modelyard.core.conditions import epoch
from modelyard.core.resources.check_jobs import unknown_scenario
from modelyard.core.revisions import failures
from modelyard.core.revisions.lifecycle import RevisionFacts
from modelyard.core.snapshot import Failure, Snapshot
from modelyard.settings import Settings

from . import clock
from .effective_spec import effective_spec
from .state_machine import RolloutSpecView, Transition


@dataclass(frozen=True)
class RolloutContext:
    """Everything a rollout is decided by in one reconcile pass.

    `artifact` is what the spec resolves to; `revisions` are those of the stored status; `rollout` is the state that has
    been reached so far, and the only field that changes during a pass.
    """

    snapshot: Snapshot
    settings: Settings
    artifact: ResolvedArtifact
    revisions: tuple[RevisionStatus, ...]
    facts: RevisionFacts
    rollout: RolloutStatus

    @cached_property
    def model(self) -> Model:
        """The Model, with the spec that is in force for the rollout under way (`effective_spec`)."""
        return effective_spec(self.snapshot.model, self.rollout)

    @property
    def now(self) -> float:
        """The moment of this pass, in seconds since the epoch."""
        return self.snapshot.now

    @property
    def spec(self) -> Rollout:
        """The `spec.rollout` that is in force."""
        return self.model.spec.rollout

    @property
    def stable(self) -> RevisionStatus | None:
        """The stable revision, None when there is none."""
        return self._named(self.rollout.stable)

    @property
    def candidate(self) -> RevisionStatus | None:
        """The candidate revision, None when there is none or it has not been started."""
        return self._named(self.rollout.candidate)

    @property
    def first(self) -> bool:
        """Whether this is the first revision: nothing to compare to and nothing to go back to."""
        return not self.rollout.stable

    @property
    def strategy(self) -> Strategy:
        """The strategy the candidate was started with; another one in the spec is for the next."""
        begun = self.rollout.active and self.rollout.phase is not Phase.BUILDING
        return Strategy(self.rollout.strategy) if begun else self.spec.strategy

    @property
    def spec_view(self) -> RolloutSpecView:
        """The few facts of the spec that the table of transitions depends on."""
        spec = self.spec
        return RolloutSpecView(
            strategy=self.strategy,
            steps=len(spec.weights()),
            tested=spec.load_test is not None or spec.replay is not None,
            goes_on=spec.shadow is not None and spec.shadow.then is not None,
            first=self.first,
            held=self.rollout.held or Phase.ADVANCING,
        )

    @property
    def analyzed(self) -> bool:
        """Whether gates judge the candidate; otherwise the rollout only waits until it answers."""
        return not self.first and self.strategy not in (Strategy.IMMEDIATE, Strategy.RECREATE)

    @property
    def wanted_revision(self) -> tuple[str, str] | None:
        """Name (empty until it is built) and build digest of what the spec asks for; None while it is not known."""
        if self.artifact.revision is not None:
            return self.artifact.revision.name, self.artifact.revision.digest
        return ("", self.artifact.build.digest) if self.artifact.build is not None else None

    def wants(self, revision: str) -> bool:
        """Whether the spec asks for the revision with that name; by build digest while its name is not known."""
        if self.wanted_revision is None or not revision:
            return False
        name, digest = self.wanted_revision
        if name:
            return name == revision
        revision_status = self._named(revision)
        return revision_status is not None and revision_status.digest == digest

    @property
    def refused(self) -> bool:
        """Whether the last rollout refused what the spec asks for; another revision of the same build was not."""
        if self.wanted_revision is None or not self.rollout.rejected:
            return False
        name, digest = self.wanted_revision
        return name == self.rollout.rejected if name else digest == self.rollout.rejected_build

    @property
    def unknown_scenario(self) -> str:
        """Why the load test before the first weight cannot be made, in a sentence; empty when it can, or none is."""
        return "" if self.first else unknown_scenario(self.model, self.settings)

    def failure_of(self, revision: RevisionStatus) -> Failure | None:
        """What is or was wrong with a revision's pods, or that they take too long; None when all is well."""
        crash = failures.crash_of(self.snapshot, revision)
        return crash or failures.failure_of(self.snapshot, revision, self.facts.start)

    def at(self, rollout: RolloutStatus) -> "RolloutContext":
        """The same context with another state reached."""
        return replace(self, rollout=rollout)

    def weight_after(self, transition: Transition) -> int:
        """The candidate's weight in the state that `transition` leads to, in percent."""
        match transition.phase:
            case Phase.ADVANCING:
                return self.spec.weights()[min(transition.step, len(self.spec.weights()) - 1)]
            case Phase.SPLITTING:
                return self.spec.ab.weight if self.spec.ab else 0
            case Phase.BAKING:
                return 100
            case _:
                return 0

    def elapsed(self, since: str, seconds: float) -> bool:
        """Whether so many seconds outside of pauses have gone by since an RFC 3339 time; False when that is empty."""
        return bool(since) and self.now - self.paused_seconds(since) - epoch(since) >= seconds

    def paused_seconds(self, since: str) -> float:
        """Seconds that a person held the rollout for since an RFC 3339 time."""
        return clock.paused_seconds(self.rollout, epoch(since), self.now)

    def _named(self, name: str) -> RevisionStatus | None:
        return next((revision for revision in self.revisions if revision.name == name), None)
