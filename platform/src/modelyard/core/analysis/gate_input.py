"""The input of a candidate's gates in one reconcile pass: everything they may know."""

from collections.abc import Mapping
from dataclasses import dataclass

from modelyard.api.model import ModelSpec
from modelyard.api.monitoring.comparison import LabelledComparison
from modelyard.api.rollout_status import GateStatus, Phase
from modelyard.core.snapshot import Check, Failure
from modelyard.core.traffic import MIRROR, Traffic


@dataclass(frozen=True)
class GateInput:
    """What is known at `now`, seconds since the epoch like every other time here.

    The candidate's slices count when they end after `since`, when its present weight (percent, 100 while it
    bakes) was written; the stable's when they end after `watched`, when its slot became its own. `before` are
    the gates as they were last written, by name, of the same weight. `failure` is what is wrong with the
    candidate's pods, since `failing_since`; `has_capacity` says whether its ready replicas are enough for its weight.
    `checks` are the Jobs that examine it, by the name of their gate; `labelled` are answers of both that have labels,
    None before any were gone through.
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
    has_capacity: bool = True
    labelled: LabelledComparison | Failure | None = None

    @property
    def candidate_key(self) -> str:
        """Key of the candidate's counts in a traffic window: its slot, or MIRROR while it only gets copies."""
        return MIRROR if self.mirrors else self.candidate_slot

    @property
    def mirrors(self) -> bool:
        """True while the candidate gets copies of requests only, and no user sees its answers."""
        return self.phase is Phase.MIRRORING

    @property
    def without_baseline(self) -> bool:
        """True when the candidate has all the traffic, so there is no stable to compare it to."""
        return self.weight >= 100 and not self.mirrors

    @property
    def share(self) -> float:
        """The fraction of the requests, 0..1, that should reach the candidate."""
        if self.mirrors:
            shadow = self.spec.rollout.shadow
            return shadow.percent / 100 if shadow else 0.0
        return self.weight / 100
