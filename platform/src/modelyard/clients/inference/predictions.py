"""Predictions by the Open Inference Protocol v2, over HTTP and over gRPC, with the same two verbs.

Tensors travel as raw bytes on both ways, so what numpy holds is what the server gets. The Model is chosen
by host name, also where there is no DNS: HTTP sends it as `Host`, gRPC as the connection's authority. The
answer names the revision that gave it. tritonclient is imported on first use, and grpc, which comes with the
extra `grpc`: the gRPC half must not share a process with the kserve SDK.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol
from urllib.parse import urlsplit

import httpx

from modelyard.core.names import REVISION_HEADER
from modelyard.errors import InvalidInput, InvalidSettings, ModelyardError, Refused, Unreachable

from .name_lookup import failed_lookup, lookup_sentence

if TYPE_CHECKING:
    import numpy as np

_TIMEOUT = 30.0
_SHOWN = 400
_NO_MODEL = "Request for unknown model"


class TensorSpec(NamedTuple):
    """A tensor as the server describes it; -1 is a dynamic dimension, the batch included."""

    name: str
    datatype: str
    shape: tuple[int, ...]


@dataclass(frozen=True)
class Description:
    """What a served model takes and gives."""

    name: str
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]


@dataclass(frozen=True)
class Prediction:
    """Named output arrays, and the revision that answered (empty when no gateway stood between)."""

    outputs: dict[str, np.ndarray]
    revision: str


class Endpoint(NamedTuple):
    """Where a model answers: `url` of the gateway or server, `host` to be asked for (empty: the url's own)."""

    url: str
    model: str
    host: str = ""
    revision: str = ""


class Inference(Protocol):
    """A connection to one model; close it when done."""

    def describe(self) -> Description:
        """Inputs and outputs of the model. Raises Unreachable without an answer, Refused without such a model."""
        ...

    def largest_batch(self) -> int:
        """How many rows the server takes at once; 0 when it does not say, or leaves it to the model."""
        ...

    def predict(self, inputs: Mapping[str, np.ndarray]) -> Prediction:
        """One inference; arrays by tensor name.

        Raises InvalidInput when the server refuses the arrays, Unreachable without an answer, Refused for another one.
        """
        ...

    def close(self) -> None:
        """Closes the connection."""
        ...


def connect(endpoint: Endpoint, *, grpc: bool = False) -> Inference:
    """A connection over HTTP or gRPC; raises InvalidSettings when the client library is not installed, or the address
    is none."""
    _check_address(endpoint.url)
    if not grpc:
        return HttpInference(endpoint)
    try:
        from .grpc import GrpcInference
    except ImportError as missing:
        raise InvalidSettings(f"gRPC needs the package {missing.name}: pip install 'modelyard[grpc]'.") from missing
    return GrpcInference(endpoint)


def _check_address(url: str) -> None:
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL as bad:
        raise InvalidSettings(f"{url} is no address ({bad}): write one such as http://127.0.0.1:8080.") from bad
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise InvalidSettings(f"{url} is no address: write one such as http://127.0.0.1:8080.")


def silence(url: str) -> str:
    """Why nothing answers HTTP at that address, as half a sentence; empty when anything at all does."""
    try:
        httpx.get(url, timeout=3.0, trust_env=False)
    except (httpx.HTTPError, httpx.InvalidURL) as bad:
        if failed_lookup(bad):
            return lookup_sentence(url)
        return f"{type(bad).__name__} {bad}".strip()
    return ""


def datatype(array: np.ndarray) -> str:
    """The protocol's name of an array's datatype, such as FP32."""
    from tritonclient.utils import np_to_triton_dtype

    return np_to_triton_dtype(array.dtype) or str(array.dtype)


class HttpInference:
    """HTTP/1.1 with the binary data extension (`http_tensors`)."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        headers = {"Host": endpoint.host} if endpoint.host else {}
        if endpoint.revision:
            headers[REVISION_HEADER] = endpoint.revision
        self._http = httpx.Client(base_url=endpoint.url.rstrip("/"), headers=headers, timeout=_TIMEOUT, trust_env=False)

    def describe(self) -> Description:
        """See `Inference.describe`."""
        return described(self._endpoint, self._json(f"/v2/models/{self._endpoint.model}"))

    def largest_batch(self) -> int:
        """See `Inference.largest_batch`; Triton's extension of the protocol tells it."""
        try:
            return batch_limit(self._json(f"/v2/models/{self._endpoint.model}/config"))
        except ModelyardError:
            return 0

    def predict(self, inputs: Mapping[str, np.ndarray]) -> Prediction:
        """See `Inference.predict`."""
        from .http_tensors import HEADER_LENGTH, decoded, encoded

        body = encoded(inputs)
        path = f"/v2/models/{self._endpoint.model}/infer"
        answer = self._send("POST", path, content=body.content, headers=body.headers)
        try:
            arrays = decoded(answer.content, answer.headers.get(HEADER_LENGTH))
        except (ValueError, KeyError, TypeError, AttributeError) as bad:
            raise stranger(self._endpoint, answer.content[:_SHOWN].decode(errors="replace")) from bad
        return Prediction(arrays, answer.headers.get(REVISION_HEADER, ""))

    def close(self) -> None:
        """See `Inference.close`."""
        self._http.close()

    def _json(self, path: str) -> Any:
        answer = self._send("GET", path)
        try:
            return answer.json()
        except ValueError as bad:
            raise stranger(self._endpoint, answer.text) from bad

    def _send(self, method: str, path: str, **what: Any) -> httpx.Response:
        try:
            answer = self._http.request(method, path, **what)
        except httpx.HTTPError as bad:
            if failed_lookup(bad):
                raise unknown_host(self._endpoint) from bad
            raise unreachable(self._endpoint, f"{type(bad).__name__} {bad}".strip()) from bad
        if answer.status_code != httpx.codes.OK:
            raise _http_error(self._endpoint, answer)
        return answer


def batch_limit(config: Any) -> int:
    """`max_batch_size` of Triton's model configuration; 0 when there is none, which means no batches."""
    limit = config.get("max_batch_size", 0) if isinstance(config, Mapping) else 0
    return limit if isinstance(limit, int) else 0


def described(endpoint: Endpoint, metadata: Any) -> Description:
    """The Description in a server's answer; raises Refused when it is in another language than the protocol's."""
    try:
        return description(metadata)
    except (KeyError, TypeError, ValueError, AttributeError) as bad:
        raise stranger(endpoint, json.dumps(metadata)) from bad


def stranger(endpoint: Endpoint, answer: str) -> Refused:
    """The error for an answer in another language than the protocol's."""
    shown = " ".join(answer.split())[:_SHOWN] or "nothing"
    return Refused(
        f"{endpoint.url} is no server of the Open Inference Protocol v2, it answers {shown!r}: check the address."
    )


def description(metadata: Mapping[str, Any]) -> Description:
    """A Description of the server's model metadata; numbers may be written as text (gRPC's JSON form)."""

    def tensors(rows: Any) -> tuple[TensorSpec, ...]:
        return tuple(TensorSpec(row["name"], row["datatype"], tuple(int(d) for d in row["shape"])) for row in rows)

    return Description(metadata["name"], tensors(metadata.get("inputs", ())), tensors(metadata.get("outputs", ())))


def unreachable(endpoint: Endpoint, cause: str) -> Unreachable:
    """The error for an endpoint that did not answer; `cause` goes into its sentence."""
    where = urlsplit(endpoint.url).netloc or endpoint.url
    if not endpoint.host:
        return Unreachable(f"{where} did not answer ({cause}); start a server there, such as `modelyard serve`.")
    return Unreachable(f"{where} did not answer ({cause}); `modelyard doctor` says whether the gateway runs.")


def unknown_host(endpoint: Endpoint) -> Unreachable:
    """The error for an endpoint whose host's name cannot be looked up here."""
    sentence = lookup_sentence(endpoint.url)
    if not endpoint.host:
        return Unreachable(f"{sentence}: correct --url.")
    return Unreachable(
        f"{sentence}: set gateway.publicUrl (MODELYARD_GATEWAY_PUBLIC_URL) to an address it reaches, or unset "
        "gateway.url and let the cluster tell one."
    )


def refusal(endpoint: Endpoint, code: str, message: str) -> ModelyardError:
    """The error for an answer with the HTTP status or gRPC code `code` and the server's own `message`.

    InvalidInput, Refused or Unreachable; it is returned, not raised.
    """
    who = endpoint.host or endpoint.url
    hint = f"`modelyard explain {endpoint.model}` says why"
    message = " ".join(message.split())[:_SHOWN]
    if code in ("400", "INVALID_ARGUMENT", "UNAVAILABLE") and _NO_MODEL in message:
        code = "404"
    if code in ("400", "INVALID_ARGUMENT"):
        return InvalidInput(f"{endpoint.model} refuses this input: {message or 'no reason given'}.")
    if code in ("404", "NOT_FOUND", "UNIMPLEMENTED"):
        if not endpoint.host:
            return Refused(f"the server at {endpoint.url} has no model {endpoint.model}: check the name.")
        pinned = f" as revision {endpoint.revision}" if endpoint.revision else ""
        return Refused(f"nothing is published at {who}{pinned}; {hint}.")
    if code in ("502", "503", "504", "UNAVAILABLE", "DEADLINE_EXCEEDED"):
        return Unreachable(f"{who} is published but no replica answers (code {code}: {message or 'no body'}); {hint}.")
    return Refused(f"{who} answered with code {code}: {message or 'no body'}; {hint}.")


def _http_error(endpoint: Endpoint, answer: httpx.Response) -> ModelyardError:
    try:
        message = str(answer.json()["error"])
    except (ValueError, KeyError, TypeError):
        message = answer.text
    return refusal(endpoint, str(answer.status_code), message)
