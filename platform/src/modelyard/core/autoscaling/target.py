"""What one replica is to take on: requests a second where that was measured, requests in flight where it was not.

    measured        requests/s  per replica = targetUtilization x capacity of one replica at the SLO
    not measured    in flight   per replica = targetUtilization x CONCURRENCY, which is a guess and is called so
    either          waiting     per replica = half of what is answered within the SLO's threshold (Little's law:
                                capacity x threshold / 2), QUEUE where either is not known, never below 1

The greatest number of replicas that one of them asks for counts; those that wait ask for GROWTH times the servers there
are at most. A measured capacity of 0, of a model that never keeps
its SLO, says nothing about how many replicas help: then it is guessed, too.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from modelyard.api.model import ModelSpec
from modelyard.api.quantity import amount, fraction, seconds, shown
from modelyard.api.scheduling.scaling import Scaling
from modelyard.api.status import CapacityStatus

CONCURRENCY = 4
"""Requests in flight that a replica is believed to take on: one that is computed, and some that wait for it."""
QUEUE = 4
"""Requests that may wait in a replica of unknown speed."""
GROWTH = 1.5


class ReplicaTarget(NamedTuple):
    """What one replica is to have: requests a second (None: not measured) or requests in flight, and waiting ones.

    `capacity` is what was measured at 100 %, None for a guess.
    """

    per_second: float | None
    in_flight: float
    waiting: float
    capacity: CapacityStatus | None

    @property
    def guess(self) -> bool:
        """Whether nobody measured what a replica takes on."""
        return self.per_second is None


def within_limits(capacity: CapacityStatus, resources: Mapping[str, Any] | None) -> CapacityStatus:
    """What a replica with these resources takes on: whole cores are measured, and it may have a part of one only.

    A limit on CPU below what was measured with gets its share of the rate. One above it says nothing: an instance that
    runs alone is no faster with more cores.
    """
    limit = float(amount((resources or {}).get("limits", {}).get("cpu") or "0"))
    if not 0.0 < limit < capacity.cpu:
        return capacity
    rate = capacity.requests_per_second * limit / capacity.cpu
    return capacity.model_copy(update={"requests_per_second": round(rate, 3), "cpu": limit})


def replica_target(spec: ModelSpec, scaling: Scaling, capacity: CapacityStatus | None) -> ReplicaTarget:
    """The target of a revision's replicas; `capacity` is what was measured of its build, None without it."""
    share = fraction(scaling.target_utilization)
    in_flight = share * CONCURRENCY
    if capacity is None or not capacity.measured or capacity.requests_per_second <= 0:
        return ReplicaTarget(None, in_flight, QUEUE, None)
    rate = capacity.requests_per_second
    threshold = spec.slo.latency.threshold if spec.slo is not None and spec.slo.latency is not None else None
    waiting = QUEUE if threshold is None else max(1.0, rate * seconds(threshold) / 2)
    return ReplicaTarget(share * rate, in_flight, waiting, capacity)


def sentence(target: ReplicaTarget, utilization: str) -> str:
    """The target in words."""
    if target.capacity is None or target.per_second is None:
        return (
            f"{target.in_flight:g} requests in flight a replica, which is a guess ({utilization} of {CONCURRENCY}): "
            "nobody measured what one takes on, as `modelyard tune` does"
        )
    return (
        f"{shown(target.per_second)} requests/s a replica, {utilization} of the "
        f"{shown(target.capacity.requests_per_second)} that one takes on at {target.capacity.at}"
    )
