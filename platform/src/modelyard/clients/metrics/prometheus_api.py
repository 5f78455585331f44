"""Instant queries to a Prometheus: at an address, or as a Service of the cluster by way of the API server.

The latter reaches from a person's machine what has no address outside the cluster, with no more than a kubeconfig.
"""

import json
import math
import re
from collections.abc import Callable, Mapping
from typing import Any, Protocol
from urllib.parse import urlsplit

import httpx

from modelyard.clients.cluster.api_server import Cluster
from modelyard.core.snapshot import Ref
from modelyard.errors import Refused, Unreachable

Row = tuple[Mapping[str, str], float]
"""Labels and value."""

_LIMIT = httpx.Timeout(5.0, connect=2.0)
_SERVICE = re.compile(r"([a-z0-9-]+)\.([a-z0-9-]+)(\.svc(\.[a-z0-9.-]+)?)?")
_PORTS = {"http": 80, "https": 443}
_QUERY = "/api/v1/query"


class PrometheusQueries(Protocol):
    """Whatever answers queries."""

    def ask(self, query: str, at: float | None = None) -> list[Row]:
        """The finite rows of an instant query at a time (epoch seconds), now when None.

        Raises Unreachable without an answer, Refused for one that is none of Prometheus or not whole.
        """
        ...


class PrometheusAt:
    """The Prometheus at `url`; `see` is what sentences end with: where a person wrote that address."""

    def __init__(self, url: str, see: str) -> None:
        self._url, self._see = url.rstrip("/"), see
        self._http = httpx.Client(timeout=_LIMIT, trust_env=False, follow_redirects=True)

    def close(self) -> None:
        """Closes the connections."""
        self._http.close()

    def ask(self, query: str, at: float | None = None) -> list[Row]:
        """See `PrometheusQueries`."""
        try:
            answer = self._http.post(f"{self._url}{_QUERY}", data=_parameters(query, at))
        except (httpx.HTTPError, httpx.InvalidURL) as bad:
            why = f"{type(bad).__name__} {bad}".strip()
            raise Unreachable(f"the Prometheus at {self._url} did not answer: {why}; {self._see}.") from bad
        return _rows(answer.json, f"HTTP {answer.status_code} {answer.text[:200]}", self._url, self._see)


class PrometheusService:
    """The Prometheus behind a Service of the cluster, asked through the API server (needs `services/proxy`)."""

    def __init__(self, cluster: Cluster, service: Ref, port: int, path: str, see: str) -> None:
        self._cluster, self._service, self._port, self._path, self._see = cluster, service, port, path, see

    def ask(self, query: str, at: float | None = None) -> list[Row]:
        """See `PrometheusQueries`; what the API server says is passed on."""
        parameters = list(_parameters(query, at).items())
        text = self._cluster.through(self._service, self._port, f"{self._path}{_QUERY}", parameters)
        where = f"Service {self._service.namespace}/{self._service.name}:{self._port}"
        return _rows(lambda: json.loads(text), text[:200], where, self._see)


def prometheus_of(url: str, cluster: Cluster, see: str) -> PrometheusQueries:
    """Whoever answers at `url`: a Service of the cluster where that is its name and it is there, else the address."""
    parts = urlsplit(url)
    match = _SERVICE.fullmatch(parts.hostname or "")
    if match is not None:
        service = Ref("Service", match[2], match[1])
        if cluster.get(service) is not None:
            name = f"https:{match[1]}" if parts.scheme == "https" else match[1]
            port = parts.port or _PORTS.get(parts.scheme, 80)
            return PrometheusService(cluster, Ref("Service", match[2], name), port, parts.path.rstrip("/"), see)
    return PrometheusAt(url, see)


def _parameters(query: str, at: float | None) -> dict[str, str]:
    return {"query": query, **({} if at is None else {"time": f"{at:.3f}"})}


def _rows(read: Callable[[], Any], content: str, where: str, see: str) -> list[Row]:
    try:
        body = read()
        rows = [(row["metric"], float(row["value"][1])) for row in body["data"]["result"]]
    except (ValueError, LookupError, TypeError) as bad:
        said = " ".join(content.split())
        raise Refused(f"the Prometheus at {where} answered {said}; {see}.") from bad
    if warnings := body.get("warnings"):
        raise Refused(f"the Prometheus at {where} answers in part only: {'; '.join(warnings)[:200]}.")
    return [(labels, number) for labels, number in rows if math.isfinite(number)]
