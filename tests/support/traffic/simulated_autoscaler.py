"""Kubernetes' autoscaler over a Model's load, second by second, without a clock: what a policy makes of a course.

`Autoscaler` is the algorithm as documented (kubernetes.io, Horizontal Pod Autoscaling, "Algorithm details" and
"Configurable scaling behavior"):

    asked for        ceil(total / target) of each metric, the greatest counts; as it is while within 10 % of the target
    a metric fails   nothing is taken away
    down             the most that was asked for within stabilizationWindowSeconds
    policies         no more in periodSeconds than the greatest of them allows, in each direction

`course` plays the world: requests arrive, replicas that are ready answer what they can, the rest waits; pods start
late; counts are scraped now and then and looked at over a window.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, NamedTuple

TOLERANCE = 0.1
SYNC = 15


@dataclass
class Autoscaler:
    """One autoscaler with the `behavior` of an autoscaling/v2 object between two numbers of replicas."""

    behavior: Mapping[str, Any]
    fewest: int
    most: int
    _asked: list[tuple[int, int]] = field(default_factory=list)
    _changes: list[tuple[int, int]] = field(default_factory=list)

    def choose(self, now: int, replicas: int, ratios: Sequence[float | None]) -> int:
        """The number at `now` (seconds), when `ratios` are each metric's value over its target at so many replicas."""
        known = [self._of_metric(replicas, ratio) for ratio in ratios if ratio is not None]
        asked = max(known, default=replicas)
        if None in ratios:
            asked = max(asked, replicas)
        self._asked = [(at, number) for at, number in self._asked if at > now - self._window("scaleDown")]
        self._asked.append((now, asked))
        if asked < replicas:
            asked = min(replicas, max(number for _, number in self._asked))
        chosen = min(max(self._allowed(now, replicas, asked), self.fewest), self.most)
        self._changes.append((now, chosen - replicas))
        return chosen

    def _of_metric(self, replicas: int, ratio: float) -> int:
        return replicas if abs(ratio - 1) <= TOLERANCE else math.ceil(replicas * ratio)

    def _window(self, direction: str) -> int:
        return self.behavior[direction]["stabilizationWindowSeconds"]

    def _allowed(self, now: int, replicas: int, asked: int) -> int:
        if asked == replicas:
            return asked
        up = asked > replicas
        limits = [
            self._limit(now, replicas, policy, up)
            for policy in self.behavior["scaleUp" if up else "scaleDown"]["policies"]
        ]
        return min(asked, max(limits)) if up else max(asked, min(limits))

    def _limit(self, now: int, replicas: int, policy: Mapping[str, Any], up: bool) -> int:
        recent = [change for at, change in self._changes if at > now - policy["periodSeconds"]]
        began = replicas - sum(change for change in recent if (change > 0) == up)
        share = policy["value"] / 100 if policy["type"] == "Percent" else 0.0
        step = 0 if policy["type"] == "Percent" else policy["value"]
        if up:
            return began + step if step else math.ceil(began * (1 + share))
        return began - step if step else math.floor(began * (1 - share))


class Moment(NamedTuple):
    """One second of a course: requests a second that came, replicas wanted and ready, requests that wait."""

    rate: float
    replicas: int
    ready: int
    waiting: float


class Seen(NamedTuple):
    """Of a window: mean requests a second, mean of the requests that waited, and the fewest that waited."""

    rate: float
    waiting: float
    stayed: float


@dataclass(frozen=True)
class Surroundings:
    """Requests/s that one replica answers; seconds that a pod takes to start, between scrapes, and of the window."""

    capacity: float = 100.0
    start: int = 20
    scrape: int = 5
    window: int = 60
    blind: range = range(0)


Metrics = Callable[[Seen, int], Sequence[float]]
"""What was seen in the window, and ready replicas -> every metric's total over its target."""


def course(
    rates: Sequence[float], autoscaler: Autoscaler, metrics: Metrics, about: Surroundings, replicas: int
) -> list[Moment]:
    """What becomes of a load (requests/s for every second), beginning with so many ready replicas."""
    pods = [-about.start] * replicas
    moments: list[Moment] = []
    waiting = 0.0
    for now, rate in enumerate(rates):
        ready = sum(now - born >= about.start for born in pods)
        waiting = max(0.0, waiting + rate - ready * about.capacity)
        if now % SYNC == 0 and now:
            last = now - now % about.scrape
            totals = metrics(_seen(moments[max(0, last - about.window) : last] or moments[-1:]), ready)
            blind = now in about.blind
            wanted = autoscaler.choose(now, len(pods), [None if blind else total / len(pods) for total in totals])
            pods = pods[:wanted] + [now] * (wanted - len(pods))
        moments.append(Moment(rate, len(pods), ready, waiting))
    return moments


def _seen(moments: Sequence[Moment]) -> Seen:
    mean = [sum(values) / len(moments) for values in zip(*((one.rate, one.waiting) for one in moments), strict=True)]
    return Seen(mean[0], mean[1], min(one.waiting for one in moments))


def direction_changes(numbers: Sequence[int]) -> int:
    """How often a course of numbers turns round."""
    steps = [after - before for before, after in pairwise(numbers) if after != before]
    return sum((before > 0) != (after > 0) for before, after in pairwise(steps))
