"""A POST to an address that a Model names: no redirects, no proxies of the surroundings, nothing of the answer kept."""

from collections.abc import Mapping

import httpx

from modelyard.errors import Unreachable

from .deadline import left

_SECONDS = 10.0


def post(url: str, body: bytes, headers: Mapping[str, str]) -> int:
    """The status code of the answer. Raises Unreachable when there is none in time."""
    with httpx.Client(timeout=left(_SECONDS), follow_redirects=False, trust_env=False) as client:
        try:
            with client.stream("POST", url, content=body, headers=dict(headers)) as answer:
                return answer.status_code
        except httpx.HTTPError as bad:
            raise Unreachable(f"{url} does not answer ({type(bad).__name__}: {bad}); it is told again.") from bad
