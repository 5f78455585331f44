"""What counts as a bad request, and how many may be bad: the objectives that are judged by counting.

| objective | counted | bad | allowed |
|---|---|---|---|
| latency | answers in the gateway's histogram | slower than the threshold | 1 - percentile |
| errors | requests | HTTP 5xx, gRPC server codes | slo.errorRate, 1 % when it is not given |

The gateway counts answers by the bounds of its buckets, so a threshold that is none of them is judged at the
next lower bound: stricter than promised, never laxer. A chance of 1 % to abort a good candidate is shared by
all objectives at all weights of a rollout.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from modelyard.api.model import ModelSpec
from modelyard.api.quantity import fraction, seconds
from modelyard.api.rollout import Rollout, Strategy
from modelyard.api.rollout_status import GateName
from modelyard.core.traffic import Counts, Traffic

from .statistics.sequential_test import HIGHEST_RATE, LOWEST_RATE

ALPHA = 0.01
DEFAULT_ERROR_RATE = 0.01
_LOWEST, _HIGHEST = 2.0 * LOWEST_RATE, 0.98 * HIGHEST_RATE


@dataclass(frozen=True)
class Objective:
    """One objective: `allowed` is the bad rate (0..1), `threshold` milliseconds (latency only).

    `promised` is False when the spec does not say what is allowed and the default holds.
    """

    name: str
    allowed: float
    threshold: float | None = None
    promised: bool = True

    def count(self, counts: Counts) -> tuple[int, int]:
        """(requests counted, bad ones of them); (0, 0) where no bucket tells slow from fast."""
        if self.threshold is None:
            requests, bad = counts.requests, counts.errors
        else:
            exact = self.threshold in counts.within
            bound = self.threshold if exact else self.bound(counts.within)
            requests = counts.timed if bound is not None else 0
            bad = requests - counts.within[bound] if bound is not None else 0
        return requests, min(max(bad, 0), requests)

    def bound(self, bounds: Iterable[float]) -> float | None:
        """The bucket bound, milliseconds, that stands for the threshold; None without one, or when all are above it."""
        return None if self.threshold is None else usable_threshold(self.threshold, bounds)


def objectives(spec: ModelSpec) -> tuple[Objective, ...]:
    """The objectives of a spec, latency (if promised) before errors; rates are clamped to what the tests can decide."""
    slo = spec.slo
    result: list[Objective] = []
    if slo is not None and slo.latency is not None:
        slow = round(1.0 - slo.latency.percentile / 100.0, 9)
        result.append(Objective(GateName.LATENCY, _testable(slow), round(1000.0 * seconds(slo.latency.threshold), 6)))
    promised = slo is not None and slo.error_rate is not None
    rate = fraction(slo.error_rate) if slo is not None and slo.error_rate is not None else DEFAULT_ERROR_RATE
    result.append(Objective(GateName.ERRORS, _testable(rate), promised=promised))
    return tuple(result)


def alpha(spec: ModelSpec) -> float:
    """The probability with which one objective at one weight may fail a good candidate: ALPHA shared evenly."""
    return ALPHA / (len(objectives(spec)) * weights(spec.rollout))


def weights(rollout: Rollout) -> int:
    """How often in a rollout evidence begins anew: steps, the bake, mirroring, a split."""
    canary = len(rollout.weights()) + 1
    match rollout.strategy:
        case Strategy.CANARY:
            return canary
        case Strategy.SHADOW:
            return 1 + canary if rollout.shadow is not None and rollout.shadow.then else 1
        case Strategy.AB:
            return 2
        case _:
            return 1


def usable_threshold(threshold_ms: float, bounds: Iterable[float]) -> float | None:
    """The largest bound that is not above the threshold, in milliseconds; None when all are above it."""
    return max((bound for bound in bounds if bound <= threshold_ms), default=None)


def newest_bounds(traffic: Traffic, slots: tuple[str, ...]) -> tuple[float, ...]:
    """The gateway's bucket bounds, milliseconds, in the newest counts of `slots`; empty before an answer was timed."""
    return next(
        (tuple(bounds) for window in reversed(traffic.windows) for slot in slots if (bounds := window.of(slot).within)),
        (),
    )


def _testable(rate: float) -> float:
    return min(max(rate, _LOWEST), _HIGHEST)
