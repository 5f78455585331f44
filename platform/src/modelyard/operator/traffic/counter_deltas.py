"""What was counted between two readings, from absolute counters that may start again at any time.

| what is seen | what was counted since |
|---|---|
| a pod for the first time | unknown: this is where counting begins, or an operator before this one stopped |
| a pod that did not answer and now does | all since its last answer |
| a counter that went down (pod restarted, cluster made anew) | what the cluster counts now |
| a cluster that was not there (Envoy makes its series with the first request) | what the cluster counts now |
| a pod the API server no longer knows | nothing more; it is forgotten |
| a Model that was not asked for lately | unknown, as of a pod that is seen for the first time |

Models with a rollout under way are read every second, all of them now and then (a survey).
"""

from collections.abc import Collection, Mapping

from modelyard.clients.metrics.counters import CounterSource, Reading, Sources, Totals
from modelyard.core.traffic import NO_TRAFFIC, Counts
from modelyard.operator.cache.objects import Key

Increments = dict[Key, dict[str, Counts]]
"""Counts by Model and slot."""


ByModel = dict[Key, dict[CounterSource, Totals] | None]
"""Counters by Model: empty where a Model was asked for and has none, None where nothing is known of it any more."""


class Baselines:
    """The last counters of every pod."""

    def __init__(self) -> None:
        self._pods: dict[str, ByModel] = {}
        self._surveyed: frozenset[str] = frozenset()

    def advance(self, reading: Reading, asked: Collection[Key] | None = None) -> Increments:
        """What the pods that answered have counted since they last did, summed by Model and slot.

        `asked` are the Models that the reading is of, None for a survey: what no survey knew of and the next has, has
        begun in between.
        """
        increments: Increments = {}
        for uid, sources in reading.pods.items():
            now, known = _by_model(sources), self._pods.setdefault(uid, {})
            unseen: dict[CounterSource, Totals] | None = {} if uid in self._surveyed else None
            for key in now if asked is None else asked:
                before = known.get(key, unseen)
                if before is not None:
                    _add(increments, key, before, now.get(key) or {})
            if asked is None:
                self._pods[uid] = {**now}
            else:
                known.update((key, now.get(key, {})) for key in asked)
        for uid in self._pods.keys() - reading.present:
            del self._pods[uid]
        surveyed = self._surveyed | reading.pods.keys() if asked is None else self._surveyed
        self._surveyed = surveyed & reading.present
        return increments

    def age(self, kept: Collection[Key]) -> None:
        """The last survey is too long ago: of other Models than `kept` nothing is known any more."""
        self._surveyed = frozenset()
        for uid, known in self._pods.items():
            self._pods[uid] = {key: known[key] for key in kept if key in known}

    def retain(self, models: Collection[Key]) -> None:
        """Forgets all other Models."""
        for known in self._pods.values():
            known.update(dict.fromkeys(known.keys() - models))

    @property
    def pods(self) -> Mapping[str, ByModel]:
        """The last counters of every pod by uid."""
        return self._pods

    def clear(self) -> None:
        """Counting begins anew."""
        self._pods.clear()
        self._surveyed = frozenset()


def _by_model(sources: Sources) -> dict[Key, dict[CounterSource, Totals]]:
    models: dict[Key, dict[CounterSource, Totals]] = {}
    for source, totals in sources.items():
        models.setdefault(Key(source.namespace, source.model), {})[source] = totals
    return models


def _add(increments: Increments, key: Key, before: Sources, now: Sources) -> None:
    for source, totals in now.items():
        counts = totals.since(before.get(source), source)
        if counts is not NO_TRAFFIC:
            slots = increments.setdefault(key, {})
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
