"""Connections over gRPC, blocking and awaiting: a channel for every host, because that is the channel's authority.

tritonclient's messages define the same protobuf package as the kserve SDK's, so a process can have only one of the two.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from threading import Lock
from typing import Any
from urllib.parse import urlsplit

import grpc
from google.protobuf.json_format import MessageToDict

from modelyard.clients.inference.name_lookup import failed_grpc_lookup
from modelyard.clients.inference.predictions import Endpoint, described, stranger
from modelyard.core.names import REVISION_HEADER
from modelyard.errors import InvalidSettings, ModelyardError, NotOffered

from .calls import Call, CallKind, ClientOptions, InferenceAnswer
from .failures import failure, not_ready, too_late, unbegun, unknown_name, unreadable
from .http_requests import REQUEST_ID

if "kserve" in sys.modules:
    raise InvalidSettings(
        "this process has imported kserve, whose gRPC messages exclude those of this client: use protocol='http', or "
        "ask over gRPC in a process of its own."
    )

from modelyard.clients.inference.grpc import answered_arrays, infer_request, service_pb2, service_pb2_grpc

_MESSAGES: Any = service_pb2  # generated code, whose classes no type checker sees
_LIMIT = 256 * 1024 * 1024
_OPTIONS = (
    ("grpc.max_receive_message_length", _LIMIT),
    ("grpc.max_send_message_length", _LIMIT),
    ("grpc.enable_http_proxy", 0),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 2000),
)
_METHODS = {
    CallKind.READY: "ModelReady",
    CallKind.METADATA: "ModelMetadata",
    CallKind.CONFIG: "ModelConfig",
    CallKind.INFER: "ModelInfer",
    CallKind.INDEX: "RepositoryIndex",
}
_NOT_READY = ("INVALID_ARGUMENT", "NOT_FOUND")


class _Channels:
    """Channels by the host they ask for, and what both kinds of connection put into a request."""

    def __init__(self, options: ClientOptions, aio: bool) -> None:
        self._options, self._aio, self._lock = options, aio, Lock()
        self._roots = _roots(options.verify)
        self._channels: dict[tuple[str, str], Any] = {}
        self._stubs: dict[tuple[str, str], Any] = {}

    def method(self, call: Call) -> Any:
        """The stub's method for a call."""
        if call.kind is CallKind.EXPLAIN:
            raise NotOffered("the protocol has no explanations over gRPC: ask with protocol='http'.")
        if call.kind is CallKind.FEEDBACK:
            raise NotOffered("labels are taken over HTTP: give them with a client of protocol='http'.")
        key = (call.endpoint.url, call.endpoint.host)
        with self._lock:
            if key not in self._stubs:
                self._channels[key] = self._opened(call.endpoint)
                self._stubs[key] = service_pb2_grpc.GRPCInferenceServiceStub(self._channels[key])
        return getattr(self._stubs[key], _METHODS[call.kind])

    def metadata(self, call: Call) -> tuple[tuple[str, str], ...]:
        """Headers of a call."""
        pairs = [(REVISION_HEADER, call.endpoint.revision), (REQUEST_ID, call.request_id)]
        token = f"Bearer {self._options.token}" if self._options.token else ""
        return tuple((name, value) for name, value in (*pairs, ("authorization", token)) if value)

    def all(self) -> list[Any]:
        """The channels that were opened."""
        return list(self._channels.values())

    def _opened(self, endpoint: Endpoint) -> Any:
        parts, module = urlsplit(endpoint.url), grpc.aio if self._aio else grpc
        secure = parts.scheme == "https"
        assert parts.hostname
        name = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
        target = f"{name}:{parts.port or (443 if secure else 80)}"
        options = [*_OPTIONS, *([("grpc.default_authority", endpoint.host)] if endpoint.host else [])]
        if not secure:
            return module.insecure_channel(target, options=options)
        return module.secure_channel(target, grpc.ssl_channel_credentials(self._roots), options)


def _roots(verify: Any) -> bytes | None:
    """Certificates of the authorities to trust; None for gRPC's own."""
    if verify is True:
        return None
    if isinstance(verify, str):
        try:
            return Path(verify).read_bytes()
        except OSError as bad:
            raise unreadable(verify, bad) from bad
    raise InvalidSettings("gRPC always checks certificates: give verify= the file with the authority's certificate.")


class GrpcConnection:
    """Blocking; safe to share between threads."""

    def __init__(self, options: ClientOptions) -> None:
        self._channels = _Channels(options, aio=False)

    def ask(self, call: Call, seconds: float) -> Any:
        """The answer's value, within `seconds`; raises what `failures.py` names."""
        method, metadata = self._channels.method(call), self._channels.metadata(call)
        try:
            answer, ended = method.with_call(_request(call), timeout=seconds, metadata=metadata)
        except grpc.RpcError as bad:
            return _failed(call, bad, seconds)
        return _value(call, answer, ended.initial_metadata())

    def close(self) -> None:
        """Closes the channels."""
        for channel in self._channels.all():
            channel.close()


class AsyncGrpcConnection:
    """The same for one event loop."""

    def __init__(self, options: ClientOptions) -> None:
        self._channels = _Channels(options, aio=True)

    async def ask(self, call: Call, seconds: float) -> Any:
        """See `GrpcConnection.ask`."""
        method, metadata = self._channels.method(call), self._channels.metadata(call)
        try:
            under_way = method(_request(call), timeout=seconds, metadata=metadata)
            answer, headers = await under_way, await under_way.initial_metadata()
        except grpc.RpcError as bad:
            return _failed(call, bad, seconds)
        return _value(call, answer, headers)

    async def close(self) -> None:
        """Closes the channels."""
        for channel in self._channels.all():
            await channel.close()


def _request(call: Call) -> Any:
    model = call.endpoint.model
    if call.kind is CallKind.INFER:
        return infer_request(model, call.inputs)
    if call.kind is CallKind.INDEX:
        return _MESSAGES.RepositoryIndexRequest()
    return getattr(_MESSAGES, f"{_METHODS[call.kind]}Request")(name=model)


def _value(call: Call, answer: Any, metadata: Any) -> Any:
    if call.kind is CallKind.READY:
        return "" if answer.ready else f"{call.endpoint.model} is not ready."
    if call.kind is CallKind.CONFIG:
        return answer.config.max_batch_size
    document: Any = None if call.kind is CallKind.INFER else MessageToDict(answer)
    if call.kind is CallKind.METADATA:
        return described(call.endpoint, document)
    if call.kind is CallKind.INDEX:
        return document.get("models", [])
    headers: Mapping[str, Any] = dict(metadata)
    try:
        arrays = answered_arrays(answer)
    except ValueError as bad:
        raise stranger(call.endpoint, str(answer)) from bad
    return InferenceAnswer(arrays, str(headers.get(REVISION_HEADER, "")), str(headers.get(REQUEST_ID, "")))


def _failed(call: Call, bad: Any, seconds: float) -> Any:
    """Raises the error for gRPC's; a model that is not ready is an answer."""
    code, details = bad.code().name, bad.details() or ""
    if call.kind is CallKind.READY and code in _NOT_READY:
        return not_ready(call, code, details)
    raise _error(call, code, details, seconds) from bad


def _error(call: Call, code: str, details: str, seconds: float) -> ModelyardError:
    if code == "UNAVAILABLE" and failed_grpc_lookup(details):
        return unknown_name(call.endpoint)
    if code == "UNAVAILABLE" and "failed to connect" in details:
        return unbegun(call.endpoint, details)
    return too_late(call.endpoint, seconds) if code == "DEADLINE_EXCEEDED" else failure(call, code, details)
