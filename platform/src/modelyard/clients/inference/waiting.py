"""What waits at a holder, asked with patience: the answer comes when it changes, or after a while."""

from collections.abc import Mapping
from typing import NamedTuple

import httpx

from modelyard.errors import Unreachable

ASK_SECONDS = 10.0
"""How long a holder lets a question wait for news."""
_MARGIN = 3.0


class WaitingReport(NamedTuple):
    """`requests` that wait, by (namespace, revision); `version` is what to ask after next."""

    version: int
    requests: Mapping[tuple[str, str], int]


class HolderClient:
    """One connection to the status port of the holder at `address`."""

    def __init__(self, address: str, port: int) -> None:
        host = f"[{address}]" if ":" in address else address
        self._url = f"http://{host}:{port}/waiting"
        timeout = httpx.Timeout(ASK_SECONDS + _MARGIN, connect=_MARGIN)
        self._http = httpx.Client(timeout=timeout, trust_env=False, follow_redirects=False)

    def ask(self, after: int) -> WaitingReport:
        """What waits, once that differs from version `after`. Raises Unreachable for an answer that is none."""
        try:
            answer = self._http.get(self._url, params={"after": after, "seconds": ASK_SECONDS})
            answer.raise_for_status()
            said = answer.json()
            requests = {_place(name): int(line["requests"]) for name, line in said["waiting"].items()}
            return WaitingReport(int(said["version"]), requests)
        except (httpx.HTTPError, ValueError, KeyError, TypeError, AttributeError) as bad:
            raise Unreachable(f"the holder at {self._url} did not say what waits: {type(bad).__name__} {bad}") from bad

    def close(self) -> None:
        """Closes the connection."""
        self._http.close()


def _place(name: str) -> tuple[str, str]:
    namespace, _, revision = name.partition("/")
    return namespace, revision
