"""One request and its answer, put together from the copies that Envoy sends of them.

Envoy's external processing in observability mode sends a stream of messages a request and waits for nothing: headers,
pieces of the body, the answer's headers, pieces of its body. A stream is

| state | when |
|---|---|
| complete | the answer's last piece came |
| failed | the answer's headers are all there is, or say an error |
| incomplete | the stream ended before: the client went away, or Envoy threw away what it held for a slow receiver |

Over HTTP Envoy says which piece is the last. The end of gRPC travels in trailers, which this mode does not send; there
the last piece has come when the message is as long as its own prefix says.

A body longer than the limit is cut: the exchange is complete and `cut`, and nothing of it can be decoded.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from modelyard.core.names import REVISION_HEADER, SAMPLE_HEADER, model_of_sampled_route

ROUTE_ATTRIBUTE = "xds.route_name"
HEADER_LENGTH = "inference-header-content-length"
_FILTER = "envoy.filters.http.ext_proc"
_GRPC = "application/grpc"
_PREFIX = 5
"""Bytes before a gRPC message: whether it is compressed, and its length."""


@dataclass(frozen=True)
class Exchange:
    """A request and its answer, whole.

    `namespace` and `model` are those of the route that took it, `revision` that of the answer, `share` of how many
    requests this is one, `status` HTTP's code or gRPC's; bodies are as they travelled, in their encodings, without
    gRPC's prefix.
    """

    namespace: str
    model: str
    revision: str
    request_id: str
    share: int
    grpc: bool
    status: int
    request: bytes
    response: bytes
    request_header_length: int | None
    response_header_length: int | None
    cut: bool
    request_encoding: str = ""
    response_encoding: str = ""

    @property
    def answered(self) -> bool:
        """Whether the server answered with a prediction."""
        return self.status == (0 if self.grpc else 200)


@dataclass
class _Body:
    """What came of one side."""

    limit: int
    headers: dict[str, str] = field(default_factory=dict)
    content: bytearray = field(default_factory=bytearray)
    ended: bool = False
    cut: bool = False

    def add(self, piece: bytes, last: bool) -> None:
        self.ended = self.ended or last
        room = self.limit + _PREFIX - len(self.content)
        self.cut = self.cut or len(piece) > room
        self.content += piece[: max(0, room)]

    @property
    def whole_message(self) -> bool:
        """Whether a gRPC message is there as long as its prefix says; longer than the limit counts as there."""
        if len(self.content) < _PREFIX:
            return False
        return self.cut or len(self.content) >= _PREFIX + int.from_bytes(self.content[1:_PREFIX], "big")

    def encoding(self, grpc: bool) -> str:
        """How the content is compressed; gRPC's headers name it, and the prefix says whether it is."""
        if not grpc:
            return self.headers.get("content-encoding", "")
        return self.headers.get("grpc-encoding", "") if self.content[:1] == b"\1" else ""

    @property
    def header_length(self) -> int | None:
        """Of the JSON header before raw bytes."""
        told = self.headers.get(HEADER_LENGTH, "")
        return int(told) if told.isascii() and told.isdigit() else None


class Assembly:
    """One stream: hand it every message, in order, until it is `over`; `limit` is of a body, in bytes."""

    def __init__(self, limit: int) -> None:
        self._request, self._response = _Body(limit), _Body(limit)
        self._route = ""

    @property
    def over(self) -> bool:
        """Whether nothing more is to come."""
        return self._response.ended or (self._grpc and self._response.whole_message)

    @property
    def size(self) -> int:
        """Bytes of bodies that are kept."""
        return len(self._request.content) + len(self._response.content)

    @property
    def counts(self) -> bool:
        """Whether it is a prediction that was asked for, as far as is known; not so of health checks and metadata."""
        path = self._request.headers.get(":path", "").partition("?")[0]
        return self._grpc or path.rstrip("/").endswith("/infer")

    def take(self, message: Any) -> None:
        """One `ProcessingRequest`."""
        kind = message.WhichOneof("request")
        self._route = self._route or _route_of(message.attributes)
        side = self._request if kind in ("request_headers", "request_body") else self._response
        if kind in ("request_headers", "response_headers"):
            part = getattr(message, kind)
            side.headers.update(headers_of(part.headers))
            side.ended = part.end_of_stream
        elif kind in ("request_body", "response_body"):
            part = getattr(message, kind)
            side.add(part.body, part.end_of_stream)

    def exchange(self) -> Exchange | None:
        """What came, once it is over; None when it did not tell whose it is."""
        _, namespace, name = [*self._route.split("/", 3), "", "", ""][:3]
        model = model_of_sampled_route(name)
        if not model:
            return None
        answer, grpc = self._response, self._grpc
        strip = _PREFIX if grpc else 0
        return Exchange(
            namespace=namespace,
            model=model,
            revision=answer.headers.get(REVISION_HEADER, ""),
            request_id=self._request.headers.get("x-request-id", ""),
            share=_share_of(answer.headers.get(SAMPLE_HEADER, "")),
            grpc=grpc,
            status=self._status(),
            request=bytes(self._request.content[strip:]),
            response=bytes(answer.content[strip:]),
            request_header_length=self._request.header_length,
            response_header_length=answer.header_length,
            cut=self._request.cut or answer.cut,
            request_encoding=self._request.encoding(grpc),
            response_encoding=answer.encoding(grpc),
        )

    @property
    def _grpc(self) -> bool:
        return self._request.headers.get("content-type", "").startswith(_GRPC)

    def _status(self) -> int:
        told = self._response.headers.get("grpc-status" if self._grpc else ":status", "")
        if told.isascii() and told.isdigit():
            return int(told)
        return 0 if self._grpc and self._response.whole_message else -1


def headers_of(headers: Any) -> Mapping[str, str]:
    """A `HeaderMap` by lower-case name; of a name that comes twice, the last."""
    return {
        one.key.lower(): (one.raw_value.decode("latin-1") if one.raw_value else one.value) for one in headers.headers
    }


def _route_of(attributes: Mapping[str, Any]) -> str:
    values = attributes[_FILTER].fields if _FILTER in attributes else {}
    return values[ROUTE_ATTRIBUTE].string_value if ROUTE_ATTRIBUTE in values else ""


def _share_of(told: str) -> int:
    return int(told) if told.isascii() and told.isdigit() and int(told) > 0 else 1
