"""The result of one counting gate, in the numbers that a status and its message show."""

from dataclasses import dataclass

from modelyard.api.rollout_status import GateVerdict

from .evidence import evidence
from .objectives import Objective
from .statistics.sequential_test import AnalysisState, FailedTest, Rule

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
    """A counting gate in one reconcile pass.

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
        """E-values for the status, shortened; a proven regression that a kept objective excuses is left out."""
        e_values = evidence(self.rule, self.state)
        worse = e_values.regresses or 0.0
        if worse >= e_values.fail_threshold and self.state.failed is not FailedTest.REGRESSION:
            worse = 0.0
        evidence_for, pass_threshold = e_values.keeps, e_values.keeps_threshold
        settled, settled_threshold = e_values.settled, e_values.settled_threshold
        if settled is not None and settled / settled_threshold < evidence_for / pass_threshold:
            evidence_for, pass_threshold = settled, settled_threshold
        shown = (max(e_values.exceeds, worse), e_values.fail_threshold, evidence_for, pass_threshold)
        return EvidenceBars(*(short(value) for value in shown))


def short(value: float) -> float:
    """Four significant digits, at most LARGEST; what is next to nothing is 0."""
    return float(f"{min(value, LARGEST):.4g}") if value > 1.0 / LARGEST else 0.0
