"""One look at a candidate: everything its gates may know."""

from collections.abc import Mapping
from dataclasses import dataclass

from modelyard.api.model import ModelSpec
from modelyard.api.rollout_status import GateStatus, Phase
from modelyard.core.snapshot import Check, Failure
from modelyard.core.traffic import MIRROR, Traffic


@dataclass(frozen=True)
class GateInput:
    """What is known at `now`, seconds since the epoch like every other time here.

    The candidate's slices count when they end after `since`, when its present weight (percent, 100 while it
    bakes) was written; the stable's when they end after `watched`, when its slot became its own. `before` are
    the gates as they were last written, by name, of the same weight. `trouble` is what is wrong with the
    candidate's pods, since `troubled_since`. `checks` are the Jobs that examine it, by the name of their gate.
    """

    now: float
    spec: ModelSpec
    stable_slot: str
    candidate_slot: str
    traffic: Traffic
    since: float
    watched: float
    weight: int
    phase: Phase
    before: Mapping[str, GateStatus]
    failure: Failure | None
    failing_since: float | None
    checks: Mapping[str, Check]

    @property
    def candidate_key(self) -> str:
        """Where the candidate's requests are counted: its slot, or what is mirrored."""
        return MIRROR if self.mirrors else self.candidate_slot

    @property
    def mirrors(self) -> bool:
        """The candidate gets copies only."""
        return self.phase is Phase.MIRRORING

    @property
    def without_baseline(self) -> bool:
        """The candidate has all the traffic, so there is no stable to compare it to."""
        return self.weight >= 100 and not self.mirrors

    @property
    def share(self) -> float:
        """The fraction of the requests that should reach the candidate."""
        if self.mirrors:
            shadow = self.spec.rollout.shadow
            return shadow.percent / 100 if shadow else 0.0
        return self.weight / 100
