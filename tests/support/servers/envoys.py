"""Envoy pods of a Gateway: real HTTP servers that write what Envoy writes, and the API server's list of them.

All listen on one port of different loopback addresses, as pods do. A `count` is remembered by cluster until the
pod restarts or the cluster is dropped; a cluster without any count has no series.
"""

import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from modelyard.errors import Unreachable

BOUNDS = (5.0, 100.0)
HTTP = "httproute/demo/digits/rule/0/backend/0"
HTTP_B = "httproute/demo/digits/rule/0/backend/1"
PATH = "httproute/demo/digits--path/rule/0/backend/0"
GRPC = "grpcroute/demo/digits/rule/0/backend/0"


@dataclass
class Cluster:
    """What one cluster has counted: answers by class, gRPC calls by code, and milliseconds of each answer."""

    classes: dict[str, int] = field(default_factory=dict)
    codes: dict[str, int] = field(default_factory=dict)
    times: list[float] = field(default_factory=list)

    def lines(self, name: str) -> list[str]:
        label = f'envoy_cluster_name="{name}"'
        lines = [
            f'envoy_cluster_upstream_rq_xx{{envoy_response_code_class="{code}",{label}}} {number}'
            for code, number in self.classes.items()
        ]
        lines += [
            f'envoy_cluster_grpc_ModelInfer_{code}{{envoy_grpc_bridge_service="inference",{label}}} {number}'
            for code, number in self.codes.items()
        ]
        if self.times:
            within = [(f"{bound:g}", sum(time < bound for time in self.times)) for bound in BOUNDS]
            within.append(("+Inf", len(self.times)))
            lines += [f'envoy_cluster_upstream_rq_time_bucket{{{label},le="{le}"}} {number}' for le, number in within]
            lines.append(f"envoy_cluster_upstream_rq_time_count{{{label}}} {len(self.times)}")
        return lines


class Envoy:
    """One pod. `status` is what it answers with; `hangs` makes it answer never."""

    def __init__(self, number: int, port: int) -> None:
        self.name, self.uid, self.address = f"envoy-{number}", f"uid-{number}", f"127.0.0.{number}"
        self.clusters: dict[str, Cluster] = {}
        self.ready, self.leaving, self.status, self.body = True, False, 200, ""
        self.asked: list[str] = []
        self.hangs = False
        self._released = threading.Event()
        self._server = ThreadingHTTPServer((self.address, port), _handler(self))
        self._server.daemon_threads = True
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()

    def count(
        self, cluster: str, good: int = 0, failed: int = 0, codes: Mapping[int, int] | None = None, ms: float = 1
    ) -> None:
        """So many more answers, each after `ms`; `codes` are gRPC statuses of them."""
        known = self.clusters.setdefault(cluster, Cluster())
        for code, number in (("2", good), ("5", failed)):
            if number:
                known.classes[code] = known.classes.get(code, 0) + number
        for code, number in (codes or {}).items():
            known.codes[str(code)] = known.codes.get(str(code), 0) + number
        known.times += [ms] * (good + failed)

    def restart(self) -> None:
        """The container starts again in the same pod."""
        self.clusters.clear()

    def text(self, path: str = "") -> str:
        """What Envoy writes of the clusters that the query's filter lets through, of all without one."""
        chosen = re.compile(parse_qs(urlsplit(path).query).get("filter", [""])[0])
        named = [name for name in self.clusters if chosen.search(f"cluster.{name}.upstream_rq_time")]
        lines = [line for name in named for line in self.clusters[name].lines(name)]
        return self.body or "".join(f"{line}\n" for line in ["# TYPE envoy_cluster_upstream_rq_xx counter", *lines])

    def wait(self) -> None:
        """Never answers, until the pod ends."""
        self._released.wait(30)

    def end(self) -> None:
        """The port is closed."""
        self._released.set()
        self._server.shutdown()
        self._server.server_close()

    def listed(self) -> dict[str, Any]:
        ready = {"type": "Ready", "status": str(self.ready)}
        leaving = {"deletionTimestamp": "2026-01-01T00:00:00Z"} if self.leaving else {}
        status = {"phase": "Running", "podIP": self.address, "conditions": [ready]}
        return {"metadata": {"name": self.name, "uid": self.uid, **leaving}, "status": status}


class Envoys:
    """The pods of one Gateway and their listing; `away` is an API server that does not answer."""

    def __init__(self) -> None:
        self.pods: list[Envoy] = []
        self.selectors: list[str] = []
        self.away = False

    @property
    def port(self) -> int:
        """Of every pod."""
        return self.pods[0].port if self.pods else 1

    def add(self) -> Envoy:
        """One more pod."""
        number = max((int(pod.name.removeprefix("envoy-")) for pod in self.pods), default=0) + 1
        self.pods.append(Envoy(number, self.pods[0].port if self.pods else 0))
        return self.pods[-1]

    def remove(self, pod: Envoy) -> None:
        """The pod is gone, from the network and from the API server."""
        pod.end()
        self.pods.remove(pod)

    def items(self, kind: str, namespace: str = "", selector: str = "") -> list[dict[str, Any]]:
        """The API server's answer."""
        self.selectors.append(f"{kind}{namespace} {selector}")
        if self.away:
            raise Unreachable("the API server did not answer GET /api/v1/pods")
        return [pod.listed() for pod in self.pods]

    def end(self) -> None:
        for pod in list(self.pods):
            self.remove(pod)


def _handler(pod: Envoy) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            pod.asked.append(self.path)
            if pod.hangs:
                pod.wait()
                return
            body = pod.text(self.path).encode()
            self.send_response(pod.status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Nobody reads it."""

    return Handler
