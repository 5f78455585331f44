"""Proof that an artifact answers: one inference through a real Triton, compared with the runtime's own answer.

Loading is not enough: Triton was seen ready while every inference failed.
"""

import time
from pathlib import Path
from typing import Any

from modelyard.api.report import Proof
from modelyard.builder.evaluation.evaluation_set import ABSOLUTE, RELATIVE, close, largest_difference
from modelyard.errors import UnsupportedModel

from .install import triton_home
from .server import TritonServer, running
from .v2_http import HEADER_LENGTH, RequestBody, decode

_SECONDS = 120


def prove(
    repository: Path, model: str, body: RequestBody, expected: dict[str, Any], log: Path, runtime: str = "onnxruntime"
) -> Proof:
    """Serves the repository and asks once; raises UnsupportedModel when the answer is missing or another."""
    started = time.monotonic()
    with running(triton_home(), repository, model, log) as server:
        ready = time.monotonic()
        version = _version(server)
        answer = infer(server, model, body)
        answered = time.monotonic()
    differences = {}
    for name, value in expected.items():
        if name not in answer:
            raise UnsupportedModel(f"Triton's answer has no output {name!r}; export the model again.")
        if not close(answer[name], value, RELATIVE, ABSOLUTE):
            raise UnsupportedModel(
                f"Triton's output {name!r} differs from {runtime}'s; the model may depend on chance or on time: "
                "make it deterministic and export it again."
            )
        differences[name] = largest_difference(answer[name], value)
    return Proof(
        server=f"Triton {version}",
        load_seconds=round(ready - started, 3),
        latency_milliseconds=round((answered - ready) * 1000, 3),
        largest_difference=differences,
    )


def infer(server: TritonServer, model: str, body: RequestBody) -> dict[str, Any]:
    """One request; arrays by output name. Raises UnsupportedModel with Triton's words when it is refused."""
    import httpx

    url = f"{server.url}/v2/models/{model}/infer"
    try:
        response = httpx.post(url, content=body.content, headers=body.headers, timeout=_SECONDS, trust_env=False)
    except httpx.TransportError as bad:
        raise UnsupportedModel(f"the model brought Triton down with one request: {bad}; export it again.") from bad
    if response.status_code != 200:
        raise UnsupportedModel(f"Triton loads the model but its first inference fails: {response.text[:400]}")
    length = response.headers.get(HEADER_LENGTH)
    return decode(response.content, int(length) if length else None)


def _version(server: TritonServer) -> str:
    import httpx

    return str(httpx.get(f"{server.url}/v2", timeout=10, trust_env=False).json()["version"])
