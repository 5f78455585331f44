"""Words to ask a Triton that runs on this machine, over its HTTP port."""

from typing import Any

import httpx

from modelyard.builder.triton.server import TritonServer


def ask(server: TritonServer, model: str, *inputs: dict[str, Any], outputs: tuple[str, ...] = ()) -> httpx.Response:
    """The response to an inference; of all outputs when none is named."""
    body: dict[str, Any] = {"inputs": list(inputs)}
    if outputs:
        body["outputs"] = [{"name": name} for name in outputs]
    return httpx.post(f"{server.url}/v2/models/{model}/infer", json=body, timeout=30, trust_env=False)


def data(response: httpx.Response) -> dict[str, Any]:
    """The values of every output of a response that must be good, flat."""
    assert response.status_code == 200, response.text
    return {output["name"]: output["data"] for output in response.json()["outputs"]}
