"""One inference over HTTP or gRPC on a kept connection, and what came of it; requests are sent in turn.

Every request carries the load test's id, and the revision when it is pinned; the gateway counts pinned requests apart
from those of users. gRPC has to be told of gevent before its first use (`locustfile.py` does): calls that wait would
otherwise stop all users, which looks like a slow server.
"""

from typing import Any, NamedTuple, Protocol
from urllib.parse import urlsplit

import grpc
from geventhttpclient import HTTPClient
from tritonclient.grpc import service_pb2_grpc

from modelyard.core.names import LOAD_TEST_HEADER, REVISION_HEADER

from .options import Options

_LIMIT = 256 * 1024 * 1024


class Answer(NamedTuple):
    """Who answered, and `why` it counts as failed (empty when it does not)."""

    revision: str
    why: str


class Asker(Protocol):
    """A connection that sends requests by their numbers."""

    def ask(self, number: int = 0) -> Answer: ...
    def close(self) -> None: ...


def asker(protocol: str, options: Options) -> Asker:
    """A connection over one of PROTOCOLS."""
    return GrpcAsker(options) if protocol == "grpc" else HttpAsker(options, protocol)


def _marks(options: Options) -> dict[str, str]:
    pinned = {REVISION_HEADER: options.revision} if options.revision else {}
    return {LOAD_TEST_HEADER: options.id, **pinned}


class HttpAsker:
    """HTTP/1.1."""

    def __init__(self, options: Options, protocol: str) -> None:
        parts = urlsplit(options.url)
        secure = parts.scheme == "https"
        self._http = HTTPClient(
            parts.hostname or "",
            parts.port or (443 if secure else 80),
            concurrency=1,
            connection_timeout=options.timeout,
            network_timeout=options.timeout,
            ssl=secure,
        )
        self._path = f"{parts.path}/v2/models/{options.model}/infer"
        host = {"Host": options.host} if options.host else {}
        self._requests, self._headers = options.requests[protocol], {**_marks(options), **host}

    def ask(self, number: int = 0) -> Answer:
        body, headers = self._requests[number % len(self._requests)]
        try:
            answer = self._http.request("POST", self._path, body, headers | self._headers)
            answer.read()
        except Exception as bad:  # noqa: BLE001 - a request fails in many ways, and each counts
            return Answer("", f"HTTP {type(bad).__name__}")
        why = "" if answer.status_code == 200 else f"HTTP {answer.status_code}"
        return Answer(str(answer.get(REVISION_HEADER, "")), why)

    def close(self) -> None:
        self._http.close()


class GrpcAsker:
    """A channel of its own, so that users do not share a connection."""

    def __init__(self, options: Options) -> None:
        parts = urlsplit(options.grpc_url)
        secure = parts.scheme == "https"
        target = f"{parts.hostname}:{parts.port or (443 if secure else 80)}"
        settings: list[tuple[str, Any]] = [
            ("grpc.use_local_subchannel_pool", 1),
            ("grpc.enable_http_proxy", 0),
            ("grpc.max_receive_message_length", _LIMIT),
            ("grpc.max_send_message_length", _LIMIT),
        ]
        if options.host:
            settings.append(("grpc.default_authority", options.host))
        self._channel = (
            grpc.secure_channel(target, grpc.ssl_channel_credentials(), options=settings)
            if secure
            else grpc.insecure_channel(target, options=settings)
        )
        self._infer = service_pb2_grpc.GRPCInferenceServiceStub(self._channel).ModelInfer
        self._requests = options.requests["grpc"]
        self._metadata = list(_marks(options).items())
        self._timeout = options.timeout

    def ask(self, number: int = 0) -> Answer:
        request = self._requests[number % len(self._requests)]
        try:
            _, call = self._infer.with_call(request, timeout=self._timeout, metadata=self._metadata)
        except grpc.RpcError as bad:
            return Answer(_revision(bad), f"gRPC {bad.code().name}")  # type: ignore[attr-defined]
        return Answer(_revision(call), "")

    def close(self) -> None:
        self._channel.close()


def _revision(call: Any) -> str:
    return next((str(value) for key, value in call.initial_metadata() or () if key == REVISION_HEADER), "")
