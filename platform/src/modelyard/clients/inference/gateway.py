"""The gateway's HTTP listener, called the way a user would call it.

A warm-up goes through the real route, pinned to one revision by a header. Only an answer 200 that names
the same revision in its own header counts: a route that is not programmed yet answers 404, or another
revision answers in its place.
"""

import json

import httpx

from modelyard.core.names import REVISION_HEADER
from modelyard.core.snapshot import Probe

from .name_lookup import failed_lookup, lookup_sentence

_TIMEOUT = httpx.Timeout(30.0, connect=3.0)
_SHOWN = 300


class Gateway:
    """One HTTP client for the gateway at `url`; safe to share between threads."""

    def __init__(self, url: str, connections: int = 8) -> None:
        self.url = url.rstrip("/")
        self._http = httpx.Client(
            timeout=_TIMEOUT, limits=httpx.Limits(max_connections=connections), follow_redirects=False, trust_env=False
        )

    def ask(self, model: str, host: str, revision: str, request: bytes) -> Probe:
        """One inference by the Open Inference Protocol v2; the probe says whether `revision` answered 200, or why not.

        `request` is a whole body (see `content_headers`), `host` the Model's host name. Never raises.
        """
        headers = {"Host": host, REVISION_HEADER: revision, **content_headers(request)}
        try:
            answer = self._http.post(f"{self.url}/v2/models/{model}/infer", content=request, headers=headers)
        except httpx.HTTPError as bad:
            if failed_lookup(bad):
                return Probe(False, f"the gateway is not found: {lookup_sentence(self.url)}")
            return Probe(False, f"the gateway at {self.url} did not answer: {type(bad).__name__} {bad}".strip())
        by = answer.headers.get(REVISION_HEADER, "")
        if answer.status_code != httpx.codes.OK:
            body = " ".join(answer.text[:_SHOWN].split())
            return Probe(False, f"the warm-up inference got HTTP {answer.status_code}: {body or 'no body'}")
        if by != revision:
            return Probe(False, f"the warm-up inference was answered by {by or 'an unnamed backend'}, not {revision}")
        return Probe(True)

    def close(self) -> None:
        """Closes the connections."""
        self._http.close()


def content_headers(request: bytes) -> dict[str, str]:
    """Headers of a body: all JSON, or a JSON header followed by raw tensors (values that JSON cannot write)."""
    text = request.decode("latin-1")
    _, end = json.JSONDecoder().raw_decode(text)
    if not text[end:].strip():
        return {"Content-Type": "application/json"}
    return {"Content-Type": "application/octet-stream", "Inference-Header-Content-Length": str(end)}
