"""A Model's requests are traced as its spec says, in a real Envoy, and nobody else's are."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import grpc
import httpx
import pytest

from modelyard.core.resources.holding import patience
from tests.support.monitoring.collector import local_collector
from tests.support.monitoring.live import until
from tests.support.servers.gateway_envoy import Tracing, gateway, loopback, server
from tests.support.worlds.builders import a_model

pytestmark = pytest.mark.integration

ADDRESS = loopback(43)
_SERVICE = "opentelemetry.proto.collector.trace.v1.TraceService"


@contextmanager
def collector() -> Iterator[tuple[str, list[bytes]]]:
    """An address that takes OTLP over gRPC, and the exports that came, as bytes."""
    exports: list[bytes] = []

    def export(request: bytes, context: Any) -> bytes:
        exports.append(request)
        return b""  # an ExportTraceServiceResponse without fields

    handlers = {"Export": grpc.unary_unary_rpc_method_handler(export)}
    taking = grpc.server(ThreadPoolExecutor(1))
    taking.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(_SERVICE, handlers),))
    port = taking.add_insecure_port("127.0.0.1:0")
    taking.start()
    try:
        yield f"127.0.0.1:{port}", exports
    finally:
        taking.stop(None).wait()


def post(url: str, name: str) -> httpx.Response:
    return httpx.post(url, content=b"1", headers={"x-request-id": name}, trust_env=False)


def asked(percent: float) -> dict[str, Any] | None:
    """The policy that the operator makes for such a Model."""
    policies = patience(a_model(monitoring={"tracing": {"percent": percent}}), 60.0)
    return policies[0]["spec"] if policies else None


def test_a_trace_is_sent_with_the_requests_id_and_goes_on_in_the_model(tmp_path: Path) -> None:
    name = str(uuid4())
    with (
        collector() as (address, exports),
        server(ADDRESS),
        gateway(tmp_path, [ADDRESS], tracing=Tracing(address, asked(100))) as url,
    ):
        answer = post(url, name)
        until("spans of the request", lambda: name[-12:].encode() in b"".join(exports))

    trace = answer.headers["x-seen-traceparent"].split("-")[1]
    assert bytes.fromhex(trace) in b"".join(exports)


def test_at_rest_nothing_is_sent(tmp_path: Path) -> None:
    """Forty requests of a Model without traces, then one of a traced Model: that one arrives, theirs do not."""
    quiet, last = [str(uuid4()) for _ in range(40)], str(uuid4())
    with collector() as (address, exports), server(ADDRESS):
        for folder, percent, names in (("rest", 0, quiet), ("traced", 100, [last])):
            (tmp_path / folder).mkdir()
            with gateway(tmp_path / folder, [ADDRESS], tracing=Tracing(address, asked(percent))) as url:
                for name in names:
                    assert post(url, name).status_code == 200
                if percent:
                    until("spans of the last request", lambda: last[-12:].encode() in b"".join(exports))

    sent = b"".join(exports)
    assert [name for name in quiet if name[-12:].encode() in sent] == []


def test_a_request_whose_id_is_no_uuid_is_not_traced(tmp_path: Path) -> None:
    """Envoy decides by the id, so that all who see it decide alike; what a client calls otherwise it leaves out."""
    name = str(uuid4())
    with (
        collector() as (address, exports),
        server(ADDRESS),
        gateway(tmp_path, [ADDRESS], tracing=Tracing(address, asked(100))) as url,
    ):
        post(url, "order-4711")
        post(url, name)
        until("spans of the other request", lambda: name[-12:].encode() in b"".join(exports))

    assert b"order-4711" not in b"".join(exports)


@pytest.mark.proof
def test_the_collector_of_the_local_cluster_has_the_request_by_the_id_of_its_answer(tmp_path: Path) -> None:
    with (
        local_collector(tmp_path) as running,
        server(ADDRESS),
        gateway(tmp_path, [ADDRESS], tracing=Tracing(running.address, asked(100))) as url,
    ):
        answer = post(url, str(uuid4()))
        known = f"guid:x-request-id: Str({answer.headers['x-request-id']})"
        until("spans of the request", lambda: known in running.spans())
        counted = running.accepted()

    trace = answer.headers["x-seen-traceparent"].split("-")[1]
    assert f"Trace ID       : {trace}" in running.spans()
    assert counted >= 2
