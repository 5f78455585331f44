"""A Model's counters as text in its status, so that counting goes on where an operator that is gone has stopped.

Envoy counts on while nobody reads. What it has counted between the text and the first reading of a new operator is what
was missed; pods that came or went meanwhile are left out, for nobody knows since when they count.
"""

import base64
import json
import zlib
from collections.abc import Collection, Iterator, Mapping
from typing import Any, NamedTuple

from modelyard.clients.metrics.counters import CounterSource, Sources, Totals, source_of
from modelyard.core.traffic import NO_TRAFFIC, Counts
from modelyard.operator.cache.objects import Key

from .counter_deltas import ByModel, plus

FIRST_SECONDS = 60


class StoredCounters(NamedTuple):
    """The counters at `end`, seconds since the epoch, by the pods' uids."""

    end: int
    pods: Mapping[str, Sources]

    def missed(self, pods: Mapping[str, Sources]) -> dict[str, Counts]:
        """What the same pods have counted since then, by slot, when they count `pods` now."""
        slots: dict[str, Counts] = {}
        for uid in self.pods.keys() & pods.keys():
            for source, totals in pods[uid].items():
                counts = totals.since(self.pods[uid].get(source), source)
                if counts is not NO_TRAFFIC:
                    slots[source.slot] = plus(slots.get(source.slot, NO_TRAFFIC), counts)
        return slots


def of_model(pods: Mapping[str, ByModel], key: Key) -> dict[str, dict[CounterSource, Totals]]:
    """The sources of one Model, by pod; empty where a pod has none."""
    return {uid: models.get(key) or {} for uid, models in pods.items()}


def to_text(stored: StoredCounters) -> str:
    """Compressed JSON in base64, some hundred characters a pod."""
    pods = {
        uid: {source.cluster: [totals.numbers(), sorted(totals.within.items())] for source, totals in sources.items()}
        for uid, sources in stored.pods.items()
    }
    packed = zlib.compress(json.dumps([stored.end, pods], separators=(",", ":")).encode(), 9)
    return base64.b64encode(packed).decode()


def from_text(text: str) -> StoredCounters | None:
    """What `to_text` wrote; None for an empty text and for what another version wrote."""
    try:
        end, pods = json.loads(zlib.decompress(base64.b64decode(text)))
        return StoredCounters(int(end), {uid: _sources(clusters) for uid, clusters in pods.items()})
    except (ValueError, TypeError, AttributeError, zlib.error):
        return None


def _sources(clusters: Mapping[str, Any]) -> Sources:
    return {
        source: Totals.of(numbers, {float(bound): int(number) for bound, number in within})
        for cluster, (numbers, within) in clusters.items()
        if (source := source_of(cluster)) is not None
    }


class Handover:
    """What an operator before this one has counted, and what the one after it will need; used under a lock."""

    def __init__(self) -> None:
        self._first: tuple[int, Mapping[str, ByModel]] | None = None
        self._seen: set[Key] = set()
        self._texts: dict[Key, str] = {}

    def text(self, key: Key) -> str:
        """The counters of a Model with a rollout under way, as they were at the end of its newest window."""
        return self._texts.get(key, "")

    def keep(self, end: int, pods: Mapping[str, ByModel], active: Collection[Key]) -> None:
        """The counters of the active Models at `end`, when a window of theirs ends; the others' are forgotten."""
        self._texts = {key: to_text(StoredCounters(end, of_model(pods, key))) for key in active}

    def missed(
        self, end: int, pods: Mapping[str, ByModel], written: Mapping[Key, str]
    ) -> Iterator[tuple[Key, int, dict[str, Counts]]]:
        """(Model, from when on, counts by slot) of what nobody read before this process did, once for every Model.

        `written` are the texts in the statuses of Models with a rollout under way. To be called for every complete
        reading, the first of which is remembered for FIRST_SECONDS, for Models that come into the cache later.
        """
        if self._first is None:
            self._first = end, {uid: dict(models) for uid, models in pods.items()}
        elif end > self._first[0] + FIRST_SECONDS:
            self._first = self._first[0], {}
        for key in written.keys() - self._seen:
            self._seen.add(key)
            stored = from_text(written[key])
            if stored is not None and stored.end < self._first[0]:
                yield key, stored.end, stored.missed(of_model(self._first[1], key))

    def clear(self) -> None:
        """Counting begins anew."""
        self._first, self._texts = None, {}
        self._seen.clear()
