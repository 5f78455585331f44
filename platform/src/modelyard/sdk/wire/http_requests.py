"""The questions as HTTP requests of the Open Inference Protocol v2, and its answers as values. Pure."""

import json
from typing import Any, NamedTuple
from urllib.parse import quote

from modelyard import __version__
from modelyard.clients.inference.http_tensors import HEADER_LENGTH, decoded, encoded
from modelyard.clients.inference.predictions import batch_limit, described, stranger
from modelyard.core.names import REVISION_HEADER
from modelyard.errors import ModelyardError

from .calls import Call, CallKind, InferenceAnswer
from .failures import failure, not_ready

REQUEST_ID = "x-request-id"
_OK, _ACCEPTED = 200, 202
_SHOWN = 400
_PATHS = {
    CallKind.READY: ("GET", "/v2/models/{}/ready"),
    CallKind.METADATA: ("GET", "/v2/models/{}"),
    CallKind.CONFIG: ("GET", "/v2/models/{}/config"),
    CallKind.INFER: ("POST", "/v2/models/{}/infer"),
    CallKind.EXPLAIN: ("POST", "/v2/models/{}/explain"),
    CallKind.FEEDBACK: ("POST", "/feedback"),
    CallKind.INDEX: ("POST", "/v2/repository/index"),
}


class WireRequest(NamedTuple):
    """What is sent."""

    method: str
    url: str
    headers: list[tuple[str, str]]
    content: bytes


class WireAnswer(NamedTuple):
    """What came back; names of headers in lower case."""

    status: int
    headers: dict[str, str]
    content: bytes


class HttpWire:
    """Requests with a bearer `token` (empty: none) and tensors as raw bytes, or with `binary` False as JSON."""

    def __init__(self, token: str, binary: bool) -> None:
        self._binary = binary
        self._always = [("User-Agent", f"modelyard-client/{__version__}")]
        if token:
            self._always.append(("Authorization", f"Bearer {token}"))

    def request(self, call: Call) -> WireRequest:
        """The request; raises InvalidInput for arrays that cannot be written."""
        method, path = _PATHS[call.kind]
        endpoint, headers, content = call.endpoint, list(self._always), call.body
        if content:
            headers.append(("Content-Type", "application/json"))
        if endpoint.host:
            headers.append(("Host", endpoint.host))
        if endpoint.revision:
            headers.append((REVISION_HEADER, endpoint.revision))
        if call.request_id:
            headers.append((REQUEST_ID, call.request_id))
        if call.kind in (CallKind.INFER, CallKind.EXPLAIN):
            binary = self._binary and call.kind is CallKind.INFER
            content, more = encoded(call.inputs, binary=binary)
            headers += more.items()
        if method == "POST":
            headers.append(("Content-Length", str(len(content))))
        return WireRequest(method, endpoint.url + path.format(quote(endpoint.model, safe="")), headers, content)

    def value(self, call: Call, answer: WireAnswer) -> Any:
        """What the answer says; raises what `failures.py` names."""
        if answer.status != (_ACCEPTED if call.kind is CallKind.FEEDBACK else _OK):
            code, message = str(answer.status), _message(answer)
            if call.kind is CallKind.READY:
                return not_ready(call, code, message)
            raise failure(call, code, message, answer.headers.get("retry-after", ""))
        if call.kind is CallKind.READY:
            return ""
        try:
            return self._parsed(call, answer)
        except ModelyardError:
            raise
        except (ValueError, KeyError, TypeError, AttributeError) as bad:
            raise stranger(call.endpoint, answer.content[:_SHOWN].decode(errors="replace")) from bad

    def _parsed(self, call: Call, answer: WireAnswer) -> Any:
        if call.kind is CallKind.INFER:
            outputs = decoded(answer.content, answer.headers.get(HEADER_LENGTH.lower()))
            return InferenceAnswer(outputs, answer.headers.get(REVISION_HEADER, ""), answer.headers.get(REQUEST_ID, ""))
        document = json.loads(answer.content)
        if call.kind is CallKind.FEEDBACK:
            return int(document["accepted"])
        if call.kind is CallKind.METADATA:
            return described(call.endpoint, document)
        return batch_limit(document) if call.kind is CallKind.CONFIG else document


def _message(answer: WireAnswer) -> str:
    try:
        return str(json.loads(answer.content)["error"])
    except (ValueError, KeyError, TypeError):
        return answer.content[:_SHOWN].decode(errors="replace")
