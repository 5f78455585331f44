"""Counters read from the gateway's Envoy pods themselves, all at the same time, each within two seconds.

Envoy leaves out what does not match the filter, so an answer has some thirty lines for each backend in use, and those
of a few Models alone are asked for by their names. A pod that hangs costs the others nothing: whoever has not answered
in time is left out and named.
"""

import asyncio
from collections.abc import Collection, Iterator, Sequence
from urllib.parse import quote

import httpx

from .counters import ANSWERS, BUCKET, CLUSTERS, GIVEN_UP, GRPC, TIMED, Reading, Sources, clusters_of, collect
from .envoy_pods import EnvoyPods, Pod

PORT = 19001
LIMIT_SECONDS = 2.0
_MOST_NAMED = 100
"""Models that are asked for by name; Envoy takes no longer address than that of some hundreds."""
_CLUSTER = 'envoy_cluster_name="'
_MARKS = {ANSWERS: 'envoy_response_code_class="', BUCKET: 'le="', TIMED: "", GIVEN_UP: ""}

Answer = Sources | str
"""What a pod counted, or why that is not known."""


class EnvoyCounters:
    """The counters of one Gateway's pods; used by one thread at a time."""

    seconds = 1

    def __init__(self, pods: EnvoyPods, port: int = PORT, limit: float = LIMIT_SECONDS) -> None:
        self._pods, self._port, self._limit = pods, port, limit
        self._loop = asyncio.Runner()
        self._http = httpx.AsyncClient(timeout=limit, trust_env=False, follow_redirects=False)

    def read(self, models: Collection[tuple[str, str]] | None = None) -> Reading:
        """The counters of every pod now; pods that vanished meanwhile are not reported as missing. Never raises."""
        pods = self._pods.listed() or self._pods.listed_anew()
        if not pods:
            return Reading({}, trouble=self._pods.absence)
        answers = self._loop.run(self._ask_all(pods, query(models)))
        failed = {pod.uid for pod in pods if isinstance(answers[pod.uid], str)}
        if failed:
            pods = self._pods.listed_anew()
            if not pods:
                return Reading({}, trouble=self._pods.absence)
        missed = [f"{pod.name} {answers[pod.uid]}" for pod in pods if pod.expected and pod.uid in failed]
        counted = {uid: answer for uid, answer in answers.items() if not isinstance(answer, str)}
        return Reading(counted, frozenset(pod.uid for pod in pods), trouble=self._failure(missed))

    def close(self) -> None:
        """Closes the connections."""
        self._loop.run(self._http.aclose())
        self._loop.close()

    async def _ask_all(self, pods: Sequence[Pod], asked: str) -> dict[str, Answer]:
        answers = await asyncio.gather(*(self._ask(pod, asked) for pod in pods))
        return {pod.uid: answer for pod, answer in zip(pods, answers, strict=True)}

    async def _ask(self, pod: Pod, asked: str) -> Answer:
        host = f"[{pod.address}]" if ":" in pod.address else pod.address
        try:
            async with asyncio.timeout(self._limit):
                answer = await self._http.get(f"http://{host}:{self._port}{asked}")
        except TimeoutError:
            return f"did not answer within {self._limit:g} s"
        except httpx.HTTPError as bad:
            return f"did not answer: {type(bad).__name__} {bad}".rstrip()
        if answer.status_code != httpx.codes.OK:
            return f"answered HTTP {answer.status_code}"
        try:
            return collect(series(answer.text))
        except ValueError:
            return "answered something else than counters"

    def _failure(self, missed: Sequence[str]) -> str:
        if not missed:
            return ""
        more = f" (and {len(missed) - 1} more)" if missed[1:] else ""
        return (
            f"Envoy pod {missed[0]}{more}; requests that Gateway {self._pods.gateway} answered lately are not known. "
            f"See the pod's log, and whether a NetworkPolicy keeps the operator from port {self._port} of these pods."
        )


def query(models: Collection[tuple[str, str]] | None = None) -> str:
    """Path and query for the counters of these Models (namespace, name); of all for None, and for very many."""
    clusters = CLUSTERS if models is None or len(models) > _MOST_NAMED else clusters_of(models)
    chosen = rf"^cluster\.{clusters}\.(upstream_rq_(.xx|time|tx_reset)|grpc\..+\.[0-9]+)$"
    return f"/stats/prometheus?usedonly&filter={quote(chosen, safe='')}"


def series(text: str) -> Iterator[tuple[str, str, str, int]]:
    """(series, cluster, class or bound, number) of every line of Envoy's text that is about a cluster.

    Raises ValueError when a line's number is none, or when a line is not closed.
    """
    for line in text.split("\n"):
        name, _, rest = line.partition("{")
        mark = _MARKS.get(name)
        if mark is None and not name.startswith(GRPC):
            continue
        labels, closed, number = rest.rpartition("} ")
        if not closed:
            raise ValueError(f"{line[:80]} has no value")
        yield name, _label(labels, _CLUSTER), _label(labels, mark) if mark else "", int(number)


def _label(labels: str, opening: str) -> str:
    """The value after `name="`; empty when there is none. Neither names of clusters nor bounds have escapes."""
    start = labels.find(opening)
    if start < 0:
        return ""
    start += len(opening)
    return labels[start : labels.index('"', start)]
