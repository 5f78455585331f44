"""How many replicas a rate takes, what they are in cores and memory, and what they cost a month.

    replicas    the rate over targetUtilization x what one replica takes on, rounded up, at least one
    headroom    replicas x what one takes on, less the rate: what may come on top before the objective is missed
    cost        (cores x price of a core hour + GiB x price of a GiB hour + GPUs x price of a GPU hour) x 730

What counts is what the pods request, because that is what they keep from others, whether they use it or not.
"""

import math
from typing import NamedTuple

from modelyard.core.cluster_room import ReplicaSize
from modelyard.settings import PriceSettings

MONTH_HOURS = 730
_GIB = 1024**3


class CapacityPlan(NamedTuple):
    """What `rate` requests a second take.

    `per_replica` is what one replica takes on, `busy` the share of it that is planned with; `total` what all request;
    `month` the cost of a month, `per_thousand` that of a thousand requests at this rate, None without prices.
    """

    rate: float
    per_replica: float
    busy: float
    replicas: int
    total: ReplicaSize
    headroom: float
    month: float | None
    per_thousand: float | None


def capacity_plan(
    rate: float, per_replica: float, busy: float, size: ReplicaSize, prices: PriceSettings
) -> CapacityPlan:
    """The plan for a rate above 0, by replicas that take on `per_replica` > 0 and are to be `busy` in (0, 1]."""
    replicas = max(1, math.ceil(rate / (busy * per_replica) - 1e-9))
    total = size.times(replicas)
    month = _month(total, prices)
    thousand = None if month is None else month / (rate * MONTH_HOURS * 3600) * 1000
    return CapacityPlan(rate, per_replica, busy, replicas, total, replicas * per_replica - rate, month, thousand)


def _month(total: ReplicaSize, prices: PriceSettings) -> float | None:
    hour = prices.cost(float(total.cores), float(total.memory) / _GIB, float(total.gpus))
    return None if hour is None else hour * MONTH_HOURS
