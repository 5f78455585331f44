"""What requests cost, and how much of what is paid for nobody needs: from counts, reservations and prices.

    per thousand    what the Model's pods reserved in the last ten minutes, by the prices, over the requests of then
    idle share      1 - requests / (what one replica takes on x seconds of replicas); where nobody has measured that,
                    the share of the reservation that fell in slices without any request

What is reserved counts, used or not, because it is kept from others: also that of a candidate, and of a revision that
drains. An old figure stands for five minutes, and for as long as the new one is hardly another: a status that is
written for every breath of traffic would cost more than it tells.
"""

from collections.abc import Sequence
from zlib import crc32

from modelyard.api.status import CapacityStatus, CostStatus
from modelyard.core.conditions import epoch, timestamp
from modelyard.core.traffic import MIRROR, Reserved, TrafficWindow

from .view import DecisionView

EVERY_SECONDS = 300
_LEAST_SECONDS = 300
"""Less of the past says too little."""
_SAME_COST, _SAME_SHARE = 0.1, 0.05
_HOUR = 3600


def cost_status(view: DecisionView, capacity: CapacityStatus | None) -> CostStatus | None:
    """The figures; None without prices. Those of before stand while nothing new is known, or it is as good as the same.

    `capacity` is that of the revision that holds the traffic.
    """
    before, now = view.model.status.cost, view.snapshot.now
    windows = view.snapshot.traffic.windows
    if not view.settings.prices.known:
        return None
    if before is not None and 0 <= now - epoch(before.time) < EVERY_SECONDS:
        return before
    if sum(window.seconds for window in windows) < _LEAST_SECONDS:
        return before
    reckoned = _reckoned(view, windows, capacity)
    return before if reckoned is None or (before is not None and _same(before, reckoned)) else reckoned


def cost_deadline(view: DecisionView) -> float | None:
    """Seconds until the figures are reckoned again, another moment for every Model; None where nobody does."""
    if not view.settings.prices.known or view.serving_revision is None:
        return None
    offset = crc32(f"{view.model.namespace}/{view.model.name}".encode()) % EVERY_SECONDS
    return EVERY_SECONDS - (view.snapshot.now + offset) % EVERY_SECONDS


def _reckoned(
    view: DecisionView, windows: Sequence[TrafficWindow], capacity: CapacityStatus | None
) -> CostStatus | None:
    reserved, idle, requests = Reserved(), Reserved(), 0
    for window in windows:
        asked = sum(counts.requests for slot, counts in window.slots.items() if slot != MIRROR)
        requests += asked
        reserved = reserved.plus(window.reserved)
        idle = idle if asked else idle.plus(window.reserved)
    cost = view.settings.prices.cost(reserved.cores / _HOUR, reserved.gib / _HOUR, reserved.gpus / _HOUR)
    if cost is None or not reserved.pods:
        return None
    measured = capacity is not None and capacity.measured and capacity.requests_per_second > 0
    share = idle.pods / reserved.pods
    if measured and capacity is not None:
        share = max(0.0, 1 - requests / (capacity.requests_per_second * reserved.pods))
    return CostStatus(
        per_thousand=float(f"{cost / requests * 1000:.3g}") if requests else None,
        idle_share=round(share, 2),
        guess=not measured,
        time=timestamp(view.snapshot.now),
    )


def _same(before: CostStatus, now: CostStatus) -> bool:
    """Whether a person would read the same in both."""
    if (before.per_thousand is None, before.guess) != (now.per_thousand is None, now.guess):
        return False
    old, new = before.per_thousand or 0.0, now.per_thousand or 0.0
    return abs(new - old) <= _SAME_COST * old and abs(now.idle_share - before.idle_share) < _SAME_SHARE
