"""Proof that an artifact answers: one inference through a real Triton, compared with the runtime's own answer.

Loading is not enough: Triton was seen ready while every inference failed.
"""

import time
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modelyard.api.report import Proof
from modelyard.builder.evaluation.evaluation_set import ABSOLUTE, RELATIVE, close, largest_difference
from modelyard.core.failure_causes import End, blamed, blamed_for, failure
from modelyard.errors import ModelyardError, UnsupportedModel

from .attempts import Attempts
from .server import TritonServer, ended, running
from .v2_http import HEADER_LENGTH, RequestBody, decode

_SECONDS = 120


def prove(
    home: Path,
    repository: Path,
    model: str,
    body: RequestBody,
    expected: dict[str, Any],
    log: Path,
    runtime: str = "onnxruntime",
    attempts: Attempts | None = None,
    chance: Collection[str] = (),
) -> Proof:
    """Serves the repository with the Triton of `home`, sends one request and compares the outputs by name.

    `body` is the request, `expected` are arrays by output name, from `runtime`; Triton's output goes to `log`. Outputs
    named in `chance` are never the same twice: of them only the type, the rank and finite values are asked.
    Raises UnsupportedModel when the answer is missing or another, HostFailure when the machine failed every attempt.
    """
    answered = (attempts or Attempts()).of(lambda: _answered(home, repository, model, body, log))
    differences = _differences(answered.outputs, expected, runtime, chance)
    return Proof(
        server=f"Triton {answered.version}",
        load_seconds=round(answered.load_seconds, 3),
        latency_milliseconds=round(answered.latency_seconds * 1000, 3),
        largest_difference=differences,
    )


@dataclass(frozen=True)
class _Answered:
    """What a Triton of that version gave, by output name, and what loading and answering took."""

    version: str
    outputs: dict[str, Any]
    load_seconds: float
    latency_seconds: float


def _answered(home: Path, repository: Path, model: str, body: RequestBody, log: Path) -> _Answered:
    started = time.monotonic()
    with running(home, repository, model, log) as server:
        ready = time.monotonic()
        version = _version(server)
        outputs = infer(server, model, body)
        return _Answered(version, outputs, ready - started, time.monotonic() - ready)


def _differences(
    answer: dict[str, Any], expected: dict[str, Any], runtime: str, chance: Collection[str]
) -> dict[str, float]:
    """The largest difference by output name; raises UnsupportedModel for an answer that is missing or another."""
    differences = {}
    for name, value in expected.items():
        if name not in answer:
            raise UnsupportedModel(f"Triton's answer has no output {name!r}; export the model again.")
        if name in chance:
            require_plausible(name, answer[name], value)
            continue
        if not close(answer[name], value, RELATIVE, ABSOLUTE):
            raise UnsupportedModel(
                f"Triton's output {name!r} differs from {runtime}'s; it may depend on chance: run it in onnxruntime "
                "twice to see whether it repeats itself, and export it again, or write deterministic: false into its "
                "modelyard.yaml."
            )
        differences[name] = largest_difference(answer[name], value)
    return differences


def require_plausible(name: str, answer: Any, like: Any) -> None:
    """Raises UnsupportedModel when an output of chance has another type or rank than `like`, or is not finite as it."""
    import numpy as np

    alike = answer.ndim == like.ndim and answer.dtype.kind == like.dtype.kind
    broken = like.dtype.kind == "f" and bool(np.isfinite(like).all()) and not bool(np.isfinite(answer).all())
    if not alike or broken:
        what = "is not finite" if alike else f"has {answer.ndim} dimensions of {answer.dtype}"
        raise UnsupportedModel(f"Triton's output {name!r} {what}, another than before; export the model again.")


def infer(server: TritonServer, model: str, body: RequestBody) -> dict[str, Any]:
    """Sends one request and returns arrays by output name.

    Raises UnsupportedModel when Triton refuses it, HostFailure when the machine failed, both with Triton's words.
    """
    import httpx

    url = f"{server.url}/v2/models/{model}/infer"
    try:
        response = httpx.post(url, content=body.content, headers=body.headers, timeout=_SECONDS, trust_env=False)
    except httpx.TransportError as bad:
        raise _unanswered(server, bad) from bad
    if response.status_code != 200:
        message = f"Triton loads the model but its first inference fails: {response.text[:400]}"
        raise blamed_for(response.text, message, "Triton")
    length = response.headers.get(HEADER_LENGTH)
    return decode(response.content, int(length) if length else None)


def _unanswered(server: TritonServer, bad: Exception) -> ModelyardError:
    """Why a request got no answer: how Triton ended, or what kept a running one from answering."""
    import httpx

    if isinstance(bad, httpx.TimeoutException):
        return failure("Triton", End(words=f"no answer to one request after {_SECONDS} s", late=True))
    return ended(server) or blamed(bad, f"Triton gave no answer to one request: {bad}; export the model again.")


def _version(server: TritonServer) -> str:
    import httpx

    try:
        return str(httpx.get(f"{server.url}/v2", timeout=10, trust_env=False).json()["version"])
    except httpx.TransportError as bad:
        raise _unanswered(server, bad) from bad
