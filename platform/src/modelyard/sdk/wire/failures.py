"""What an answer that is none means, and whether the same may be asked again.

| what happened | error | asked again |
|---|---|---|
| no connection, or the gateway has no server for it | Unreachable | yes: nobody has begun it |
| 429 or 503 with `Retry-After` | Unreachable | yes, after that time |
| no answer within the call's time | DeadlineExceeded | no |
| the connection broke, 502, 503 without a time, gRPC UNAVAILABLE otherwise | Unreachable | no: perhaps it was begun |
| 504: the gateway waited as long as `spec.serving.timeout` says | DeadlineExceeded | no |
| 400, INVALID_ARGUMENT | InvalidInput | no |
| 401, 403, UNAUTHENTICATED, PERMISSION_DENIED | Refused | no |
| 404, NOT_FOUND | Refused | no |
"""

import re

from modelyard.clients.inference.name_lookup import lookup_sentence
from modelyard.clients.inference.predictions import Endpoint, refusal
from modelyard.errors import (
    DeadlineExceeded,
    InvalidInput,
    InvalidSettings,
    ModelyardError,
    NotOffered,
    Refused,
    Unreachable,
)

from .calls import Call, CallKind

_DENIED = ("401", "403", "UNAUTHENTICATED", "PERMISSION_DENIED")
_BUSY = ("429", "503")
_SHOWN = 400
_UNBEGUN = re.compile(
    r"(?i)failed to connect|connection refused|no healthy upstream|remote connection failure|connection timeout"
)
_NO_LABELS = ("400", "404", "408", "413", "422")
_NO_EXPLAINER = ("400", "404", "405", "501")


class Unbegun(Unreachable):
    """Nothing has begun the request: it may be sent again `pause` seconds from now; 0 when nobody said when."""

    def __init__(self, message: str, pause: float = 0.0) -> None:
        self.pause = pause
        super().__init__(message)

    @property
    def reason(self) -> str:
        """As of all that did not answer."""
        return Unreachable.__name__


def _who(endpoint: Endpoint) -> str:
    return endpoint.host or endpoint.url


def unbegun(endpoint: Endpoint, cause: str) -> Unbegun:
    """No connection came about; `cause` goes into the sentence."""
    return Unbegun(f"{endpoint.url} did not answer ({cause}): check the address, and that something listens there.")


def unknown_name(endpoint: Endpoint) -> Unreachable:
    """The host of the URL cannot be looked up here."""
    return Unreachable(f"{lookup_sentence(endpoint.url)}: correct the client's address.")


def too_late(endpoint: Endpoint, seconds: float) -> DeadlineExceeded:
    """No answer within the call's time."""
    return DeadlineExceeded(
        f"{_who(endpoint)} did not answer within {seconds:.3g} s: allow more with timeout=, or send fewer rows at once."
    )


def broken(endpoint: Endpoint, cause: str) -> Unreachable:
    """The connection ended in the middle."""
    return Unreachable(
        f"the connection to {endpoint.url} broke before the answer was there ({cause}): perhaps the request was "
        "computed, so it is not sent again by itself."
    )


def failure(call: Call, code: str, message: str, retry_after: str = "") -> ModelyardError:
    """The error for an answer with the HTTP status or gRPC code `code`; returned, not raised."""
    endpoint, message = call.endpoint, " ".join(message.split())[:_SHOWN]
    if call.kind is CallKind.EXPLAIN and code in _NO_EXPLAINER:
        return NotOffered(
            f"{endpoint.model} offers no explanations (code {code}: {message or 'no body'}): no explainer answers "
            "there. Explain it from outside, with `Client.predict` as the function that an explainer calls."
        )
    if call.kind is CallKind.FEEDBACK and code in _NO_LABELS:
        return (Refused if code == "404" else InvalidInput)(f"no label was taken: {message or f'code {code}'}.")
    if code in _DENIED:
        return Refused(f"{_who(endpoint)} refuses this caller (code {code}: {message or 'no body'}): check token=.")
    if code in _BUSY and retry_after:
        return Unbegun(f"{_who(endpoint)} asks to come back later (code {code}: {message or 'no body'}).",
                       _seconds(retry_after))  # fmt: skip
    if code in ("503", "UNAVAILABLE") and _UNBEGUN.search(message):
        return Unbegun(str(refusal(endpoint, code, message)))
    if code == "504":
        return DeadlineExceeded(
            f"{_who(endpoint)} ended the request ({message or 'code 504'}): spec.serving.timeout is how long the "
            "gateway waits for an answer."
        )
    return refusal(endpoint, code, message)


def unreadable(verify: str, bad: Exception) -> InvalidSettings:
    """The file with an authority's certificate cannot be used."""
    return InvalidSettings(f"verify={verify} gives no certificates ({bad}): name a readable PEM file.")


def not_ready(call: Call, code: str, message: str) -> str:
    """Why a model is not ready, by an answer that says no; raises Refused where the caller may not ask."""
    if code in _DENIED:
        raise failure(call, code, message)
    why = " ".join(message.split())[:_SHOWN]
    return f"{_who(call.endpoint)} does not call {call.endpoint.model} ready (code {code}: {why or 'no body'})."


def _seconds(retry_after: str) -> float:
    """`Retry-After` in seconds; a date, which nobody sends here, counts as one."""
    try:
        return max(0.0, float(retry_after))
    except ValueError:
        return 1.0
