"""What one counting gate has found, in the numbers that a status shows and a sentence tells."""

from dataclasses import dataclass

from modelyard.api.rollout_status import GateVerdict

from .evidence import evidence
from .objectives import Objective
from .statistics.sequential_test import AnalysisState, Cause, Rule

LARGEST = 1e12
"""No larger e-value is shown: what is a million times as sure is no surer to a reader."""


@dataclass(frozen=True)
class EvidenceBars:
    """The e-value nearest to a failure and the one furthest from a pass, with what they have to reach."""

    evidence_against: float
    fail_threshold: float
    evidence_for: float
    pass_threshold: float


@dataclass(frozen=True)
class GateResult:
    """One look of a counting gate.

    `bound` is the bucket's bound that stands for a latency threshold, None while no answer was timed; `least` the
    lowest one, milliseconds too, where all are above the threshold. `rate` and `silence` are the candidate's, in
    requests per second and seconds; `outage` for how many seconds the counters have not come. `missing` are the
    requests it takes to a pass, None where none is in sight or none is needed.
    """

    objective: Objective
    bound: float | None
    least: float | None
    rule: Rule
    state: AnalysisState
    rate: float
    silence: float
    outage: float | None
    verdict: GateVerdict = GateVerdict.CONTINUE
    missing: int | None = None

    @property
    def phi(self) -> float:
        """Overdispersion of the stable."""
        return short(self.state.dispersion.phi)

    def bars(self) -> EvidenceBars:
        """A proven regression that is excused by proven room does not count as being against the candidate."""
        found = evidence(self.rule, self.state)
        worse = found.regresses or 0.0
        if worse >= found.fail_threshold and self.state.failed is not Cause.REGRESSION:
            worse = 0.0
        favour, passes_at = found.keeps, found.keeps_threshold
        if found.settled is not None and found.settled / found.settled_threshold < favour / passes_at:
            favour, passes_at = found.settled, found.settled_threshold
        shown = (max(found.exceeds, worse), found.fail_threshold, favour, passes_at)
        return EvidenceBars(*(short(one) for one in shown))


def short(value: float) -> float:
    """Four significant digits, at most LARGEST; what is next to nothing is 0."""
    return float(f"{min(value, LARGEST):.4g}") if value > 1.0 / LARGEST else 0.0
