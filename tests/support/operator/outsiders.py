"""Registry, store, gateway, logs and Jobs' pods as the operator calls them: who calls is noted, and all may hang.

The methods of the real clients are wrapped, so whoever calls one is seen; calls by the test and its players are let
through.
"""

import re
import threading
from collections import defaultdict
from typing import Any

import pytest

from modelyard.clients.cluster.api_server import Cluster
from modelyard.clients.inference.gateway import Gateway
from modelyard.clients.store import S3Store
from modelyard.registry.bucket import BucketRegistry

CALLS: dict[type, tuple[str, ...]] = {
    BucketRegistry: ("resolve",),
    S3Store: ("get", "size", "list"),
    Gateway: ("ask",),
    Cluster: ("items", "pages", "watch", "logs", "through", "get"),
}
"""What an operator asks of others. Its writes, and the Lease, are no questions."""
POOLS = re.compile(r"(registry|store|gateway|API-server|pod's-node)-\d+")
WORKERS = re.compile(r"(rollout-)?worker-\d+")
"""Names of the threads of pollers and of workers."""


class Outsiders:
    """Notes the threads that call, by `Class.method`; while `hang` is set, calls of pollers and workers never end."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.callers: defaultdict[str, set[str]] = defaultdict(set)
        self.hang = False
        self.released = threading.Event()
        for owner, names in CALLS.items():
            for name in names:
                patch.setattr(owner, name, self._watched(f"{owner.__name__}.{name}", getattr(owner, name)))

    def called_by(self, threads: re.Pattern[str]) -> set[str]:
        """What threads with such names have called."""
        return {call for call, names in self.callers.items() if any(threads.fullmatch(name) for name in names)}

    def _watched(self, call: str, method: Any) -> Any:
        def watched(*args: Any, **more: Any) -> Any:
            thread = threading.current_thread().name
            self.callers[call].add(thread)
            if self.hang and (POOLS.fullmatch(thread) or WORKERS.fullmatch(thread)):
                self.released.wait()
            return method(*args, **more)

        return watched
