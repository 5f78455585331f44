"""Envoy's counters of one backend, as absolute numbers, and what happened between two readings of them.

Envoy keeps counters per cluster; Envoy Gateway makes one cluster per backend of a route and names it
`<kind>/<namespace>/<route>/rule/<i>/backend/<n>`, that of a mirror `<kind>/<namespace>/<route>/rule/<i>-mirror-<j>`.
Of each route the main rule counts, and the rules of users who keep their side of an A/B test; the others pin
requests to a revision by header.

| series | meaning |
|---|---|
| envoy_cluster_upstream_rq_xx{envoy_response_code_class} | answers by class of HTTP status; 4 is the client's mistake |
| envoy_cluster_upstream_rq_time_bucket{le}, _count | answers by milliseconds, merged once per flush interval |
| envoy_cluster_upstream_rq_tx_reset | requests their client gave up on before the answer |
| envoy_cluster_grpc_<Method>_<code> | gRPC calls that ended with that status; their HTTP status is 200 |

These are sums over users' requests (`external_`) and Envoy's own, the mirrored ones (`internal_`), which never
share a cluster. A gRPC call counts when it ends. What Envoy answers itself (no pod, connection lost) is counted
twice, as HTTP 503 and as UNAVAILABLE, so the greater of both is the number of failed gRPC calls. Of mirrored
gRPC calls Envoy counts no gRPC status, so their failures are not seen here. A request its client gave up on has no
status and no time of its own: it is counted as one that took longer than any bound, for a revision that hangs
would otherwise be seen by nothing but its silence. Whether it failed is not known, so it is no error.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple, Protocol

from modelyard.core.names import model_routes
from modelyard.core.traffic import MIRROR, NO_TRAFFIC, Counts

ANSWERS = "envoy_cluster_upstream_rq_xx"
TIMED = "envoy_cluster_upstream_rq_time_count"
GIVEN_UP = "envoy_cluster_upstream_rq_tx_reset"
BUCKET = "envoy_cluster_upstream_rq_time_bucket"
GRPC = "envoy_cluster_grpc_"

_SLOTS = {
    "0/backend/0": "a",
    "0/backend/1": "b",
    "3/backend/0": "a",
    "3/backend/1": "b",
    "4/backend/0": "b",
}
"""Rules and backends that count. Rule 3 has both slots (users known by header) or slot a, and then 4 has slot b."""
CLUSTERS = rf"(http|grpc)route/[^/]+/[^/]+/rule/({'|'.join(_SLOTS)}|0-mirror-[0-9]+)"
"""Names of the clusters that count, as a regular expression RE2 knows too."""

_ANY_ROUTE = "[^/]+/[^/]+"
_SUFFIXES = tuple(sorted(filter(None, model_routes("")), key=len, reverse=True))
"""What the names of a Model's routes have after its own, the longest first."""
_CLUSTER = re.compile(CLUSTERS.replace(_ANY_ROUTE, "([^/]+)/([^/]+)"))
_SERVER_CODES = frozenset(("2", "4", "8", "13", "14", "15"))
_OK, _CANCELLED = "0", "1"
_SERVER_CLASS, _CLIENT_CLASS = "5", "4"
_ENDLESS = "+Inf"


def clusters_of(models: Iterable[tuple[str, str]]) -> str:
    """`CLUSTERS` narrowed to the routes of these Models (namespace, name)."""
    names = "|".join(re.escape(f"{namespace}/{name}") for namespace, name in sorted(models))
    return CLUSTERS.replace(_ANY_ROUTE, f"({names})({'|'.join(map(re.escape, _SUFFIXES))})?")


class CounterSource(NamedTuple):
    """Where a cluster's counts belong: the Model and the slot of its route. Every cluster is a source of its own."""

    namespace: str
    model: str
    slot: str
    cluster: str

    @property
    def grpc(self) -> bool:
        """Its calls are judged by their gRPC status."""
        return self.cluster.startswith("grpc") and self.slot != MIRROR


@lru_cache(maxsize=16384)
def source_of(cluster: str) -> CounterSource | None:
    """What a cluster counts for; None for those that do not count."""
    match = _CLUSTER.fullmatch(cluster)
    if match is None:
        return None
    _, namespace, route, backend = match.groups()
    model = route.removesuffix(next(filter(route.endswith, _SUFFIXES), ""))
    if "--" in model:
        return None
    return CounterSource(namespace, model, _SLOTS.get(backend, MIRROR), cluster)


class Totals:
    """One cluster's counters since it is there, none of which contains another.

    HTTP: `answered`, `rejected` (4xx), `failed` (5xx). gRPC: `ended` (well, or given up by the client), `declined` (as
    the client's mistake), `refused` (the server's fault). `timed` and `within` are the histogram.
    """

    __slots__ = (*(_NUMBERS := ("answered", "rejected", "failed", "ended", "declined", "refused", "timed")), "within")

    def __init__(self) -> None:
        self.answered = self.rejected = self.failed = self.ended = self.declined = self.refused = self.timed = 0
        self.within: dict[float, int] = {}

    @classmethod
    def of(cls, numbers: Sequence[int], within: Mapping[float, int]) -> "Totals":
        """The counters with these numbers, in the order of `numbers`. Raises ValueError for too few or too many."""
        totals = cls()
        for name, number in zip(cls._NUMBERS, numbers, strict=True):
            setattr(totals, name, int(number))
        totals.within = dict(within)
        return totals

    def numbers(self) -> list[int]:
        """All counters but the buckets, in a fixed order."""
        return [getattr(self, name) for name in self._NUMBERS]

    def add(self, series: str, mark: str, number: int) -> None:
        """Adds one series; `mark` is its class of status ("5") or its bound in milliseconds ("250", "+Inf")."""
        if series == BUCKET:
            if mark != _ENDLESS:
                bound = float(mark)
                self.within[bound] = self.within.get(bound, 0) + number
        elif series == ANSWERS:
            if mark == _SERVER_CLASS:
                self.failed += number
            elif mark == _CLIENT_CLASS:
                self.rejected += number
            else:
                self.answered += number
        elif series in (TIMED, GIVEN_UP):
            self.timed += number
        elif (code := series.rpartition("_")[2]) in _SERVER_CODES:
            self.refused += number
        elif code in (_OK, _CANCELLED):
            self.ended += number
        elif code.isdigit():
            self.declined += number

    def since(self, before: "Totals | None", source: CounterSource) -> Counts:
        """What was counted since `before`; everything when that is None, or when a counter went down (a restart)."""
        if before is None or self._restarted(before):
            before = _ZERO
        failed, timed = self.failed - before.failed, self.timed - before.timed
        good, rejected, bad = self.answered - before.answered, self.rejected - before.rejected, failed
        if source.grpc:
            refused = self.refused - before.refused
            good, rejected = self.ended - before.ended, self.declined - before.declined
            bad = max(refused, failed)
        requests = good + rejected + bad
        if not requests + timed:
            return NO_TRAFFIC
        within = {bound: number - before.within.get(bound, 0) for bound, number in self.within.items()}
        return Counts(requests, bad, timed, within if timed else {}, rejected)

    def _restarted(self, before: "Totals") -> bool:
        timed = self.timed - before.timed
        return any(getattr(self, name) < getattr(before, name) for name in self._NUMBERS) or any(
            not 0 <= self.within.get(bound, 0) - number <= timed for bound, number in before.within.items()
        )


_ZERO = Totals()

Sources = Mapping[CounterSource, Totals]


def collect(series: Iterable[tuple[str, str, str, int]]) -> dict[CounterSource, Totals]:
    """Totals by source, of (series, cluster, class or bound, number); clusters that do not count are left out."""
    by_source: dict[CounterSource, Totals] = {}
    for name, cluster, mark, number in series:
        source = source_of(cluster)
        if source is not None:
            totals = by_source.get(source)
            if totals is None:
                totals = by_source[source] = Totals()
            totals.add(name, mark, number)
    return by_source


@dataclass(frozen=True)
class Reading:
    """The counters of all Envoy pods of the gateway at one moment.

    `pods` are those that answered, by uid; `present` all that the API server knows, also those that did not
    answer; `end` the second up to which everything is counted, None for now; `trouble` says, in sentences, why
    counts are missing and what to do.
    """

    pods: Mapping[str, Sources]
    present: frozenset[str] = field(default=frozenset())
    end: int | None = None
    trouble: str = ""


class Provider(Protocol):
    """Whatever reads the counters. `seconds` is the interval at which that is worth while; no method raises."""

    seconds: int

    def read(self, models: Collection[tuple[str, str]] | None = None) -> Reading:
        """The counters of all pods as they are now; what could not be read is told by `Reading.trouble`.

        Only those of `models` (namespace, name) are needed, and more may come; None means all.
        """
        ...

    def close(self) -> None:
        """Closes the connections."""
        ...
