"""A real Envoy as the gateway sets it up for a recorded Model, and a recorder in a process of its own.

Requests whose id ends in 0 take the route of the sample, where an external processor gets copies; all others the main
route, where none is.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from modelyard.settings import StoreSettings
from tests.support.servers.gateway_envoy import address_of, free_port, running_envoy

_TYPES = "type.googleapis.com/envoy.extensions"
_HTTP2 = f"{_TYPES}.upstreams.http.v3.HttpProtocolOptions"
NAMESPACE, MODEL, REVISION = "demo", "double", "double-1"


@dataclass(frozen=True)
class RunningRecorder:
    """A recorder's process, where it takes copies, where it says how it is, where it takes labels."""

    process: "subprocess.Popen[str]"
    grpc_port: int
    status_port: int
    feedback_port: int

    def metric(self, name: str) -> float:
        """The value of a series, such as `rows_total` or `requests_total{outcome="recorded"}`; 0 when there is none."""
        text = httpx.get(f"http://127.0.0.1:{self.status_port}/metrics", timeout=5, trust_env=False).text
        return float(text.partition(f"\nmodelyard_recorder_{name} ")[2].partition("\n")[0] or 0)


@contextmanager
def recorder(settings: StoreSettings, log: Path, columns: str = "*", redact: str = "") -> Iterator[RunningRecorder]:
    """A recorder of `double`, writing into that store; ended by SIGTERM, so that it writes what it has."""
    keys = {
        "MODELYARD_STORE_ENDPOINT": settings.endpoint,
        "MODELYARD_STORE_BUCKET": settings.bucket,
        "MODELYARD_STORE_ACCESS_KEY_ID": settings.access_key_id,
        "MODELYARD_STORE_SECRET_ACCESS_KEY": settings.secret_access_key.get_secret_value(),
    }
    command = [sys.executable, "-m", "tests.support.recording.program", columns, redact]
    with (
        log.open("w") as sink,
        subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=sink, text=True, env={**os.environ, **keys}
        ) as process,
    ):
        assert process.stdout is not None
        try:
            yield RunningRecorder(process, *json.loads(process.stdout.readline()))
        finally:
            process.terminate()


@contextmanager
def recorded_gateway(folder: Path, http: int, grpc: int, recorder_port: int) -> Iterator[str]:
    """The URL of an Envoy before servers at these ports of 127.0.0.1; it takes HTTP/1.1 and HTTP/2."""
    port = free_port()
    clusters = [_cluster("http", http), _cluster("grpc", grpc, h2=True), _cluster("recorder", recorder_port, h2=True)]
    resources = {"listeners": [_listener(port)], "clusters": clusters}
    with running_envoy(folder, port, {"static_resources": resources}) as url:
        yield url


def _listener(port: int) -> dict[str, Any]:
    manager = {
        "@type": f"{_TYPES}.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "gateway",
        "codec_type": "AUTO",
        "preserve_external_request_id": True,
        "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": list(_routes())}]},
        "http_filters": [
            {"name": "envoy.filters.http.ext_proc", "typed_config": _copies()},
            {"name": "router", "typed_config": {"@type": f"{_TYPES}.filters.http.router.v3.Router"}},
        ],
    }
    filters = [{"name": "http", "typed_config": manager}]
    return {"name": "http", "address": address_of("127.0.0.1", port), "filter_chains": [{"filters": filters}]}


def _copies() -> Mapping[str, Any]:
    """What Envoy Gateway makes of the platform's EnvoyExtensionPolicy."""
    return {
        "@type": f"{_TYPES}.filters.http.ext_proc.v3.ExternalProcessor",
        "grpc_service": {"envoy_grpc": {"cluster_name": "recorder"}, "timeout": "10s"},
        "observability_mode": True,
        "failure_mode_allow": True,
        "request_attributes": ["xds.route_name"],
        "processing_mode": {
            "request_header_mode": "SEND",
            "response_header_mode": "SEND",
            "request_body_mode": "STREAMED",
            "response_body_mode": "STREAMED",
            "request_trailer_mode": "SKIP",
            "response_trailer_mode": "SKIP",
        },
    }


def _routes() -> Iterator[dict[str, Any]]:
    """Of the sample and the main ones, gRPC first."""
    for suffix, sampled in (("--sampled", True), ("", False)):
        for kind in ("grpc", "http"):
            headers = [{"name": "x-request-id", "string_match": {"safe_regex": {"regex": ".*0"}}}] if sampled else []
            off = {"@type": f"{_TYPES}.filters.http.ext_proc.v3.ExtProcPerRoute", "disabled": True}
            marks = {"x-modelyard-revision": REVISION} | ({"x-modelyard-sample": "16"} if sampled else {})
            yield {
                "name": f"{kind}route/{NAMESPACE}/{MODEL}{suffix}/rule/0/match/0/double_demo_models_local",
                "match": {"prefix": "/", "headers": headers, **({"grpc": {}} if kind == "grpc" else {})},
                "route": {"cluster": kind, "timeout": "30s"},
                "response_headers_to_add": [
                    {"header": {"key": name, "value": value}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}
                    for name, value in marks.items()
                ],
                **({} if sampled else {"typed_per_filter_config": {"envoy.filters.http.ext_proc": off}}),
            }


def _cluster(name: str, port: int, h2: bool = False) -> dict[str, Any]:
    endpoints = [{"endpoint": {"address": address_of("127.0.0.1", port)}}]
    protocol = {"@type": _HTTP2, "explicit_http_config": {"http2_protocol_options": {}}}
    return {
        "name": name,
        "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": endpoints}]},
        **({"typed_extension_protocol_options": {_HTTP2.removeprefix("type.googleapis.com/"): protocol}} if h2 else {}),
    }
