"""What was counted between two readings, from absolute counters that may start again at any time.

| what is seen | what was counted since |
|---|---|
| a pod for the first time | unknown: this is where counting begins, or an operator before this one stopped |
| a pod that did not answer and now does | all since its last answer |
| a counter that went down (pod restarted, cluster made anew) | what the cluster counts now |
| a cluster that was not there (Envoy makes its series with the first request) | what the cluster counts now |
| a pod the API server no longer knows | nothing more; it is forgotten |
"""

from modelyard.clients.metrics.counters import Reading, Sources
from modelyard.core.traffic import NO_TRAFFIC, Counts
from modelyard.operator.cache.objects import Key

Increments = dict[Key, dict[str, Counts]]
"""Counts by Model and slot."""


class Baselines:
    """The last counters of every pod."""

    def __init__(self) -> None:
        self._pods: dict[str, Sources] = {}

    def advance(self, reading: Reading) -> Increments:
        """What the pods that answered have counted since they last did, summed by Model and slot."""
        increments: Increments = {}
        for uid, sources in reading.pods.items():
            before = self._pods.get(uid)
            if before is not None:
                _add(increments, before, sources)
            self._pods[uid] = sources
        for uid in self._pods.keys() - reading.present:
            del self._pods[uid]
        return increments

    @property
    def pods(self) -> dict[str, Sources]:
        """The last counters of every pod by uid."""
        return self._pods

    def clear(self) -> None:
        """Counting begins anew."""
        self._pods.clear()


def _add(increments: Increments, before: Sources, now: Sources) -> None:
    for source, totals in now.items():
        counts = totals.since(before.get(source), source)
        if counts is not NO_TRAFFIC:
            slots = increments.setdefault(Key(source.namespace, source.model), {})
            slots[source.slot] = plus(slots.get(source.slot, NO_TRAFFIC), counts)


def plus(left: Counts, right: Counts) -> Counts:
    """The sum of two counts, bucket by bucket."""
    if left is NO_TRAFFIC:
        return right
    within = dict(left.within)
    for bound, number in right.within.items():
        within[bound] = within.get(bound, 0) + number
    return Counts(
        left.requests + right.requests,
        left.errors + right.errors,
        left.timed + right.timed,
        within,
        left.rejected + right.rejected,
    )
