"""A bounded, steady load on one Model through the gateway: some clients over HTTP, as many over gRPC.

Each client asks at a fixed pace whether or not the last answer was slow, counts every failure, and notes
which revision answered.
"""

import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from threading import Event, Lock, Thread
from types import TracebackType
from typing import TYPE_CHECKING

from modelyard.clients.inference.predictions import Endpoint, Inference, connect
from modelyard.errors import ModelyardError

if TYPE_CHECKING:
    import numpy as np

_PACE_SECONDS = 0.04


@dataclass
class Tally:
    """What came of the load so far."""

    answered: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    by: Counter[str] = field(default_factory=Counter)
    last_failure: str = ""

    @property
    def requests(self) -> int:
        return self.answered.total() + self.failed.total()


class Load:
    """Use as a context manager: the load runs inside the block, at most `limit` seconds."""

    def __init__(self, endpoint: Endpoint, inputs: "Mapping[str, np.ndarray]", clients: int, limit: float) -> None:
        self.tally = Tally()
        self._inputs, self._lock, self._stop = inputs, Lock(), Event()
        self._until = time.monotonic() + limit
        protocols = ["HTTP" if number % 2 == 0 else "gRPC" for number in range(clients)]
        self._connections = [(protocol, connect(endpoint, grpc=protocol == "gRPC")) for protocol in protocols]
        self._threads = [Thread(target=self._ask, args=pair, daemon=True) for pair in self._connections]

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()
        for _, connection in self._connections:
            connection.close()

    def _ask(self, protocol: str, connection: Inference) -> None:
        due = time.monotonic()
        while not self._stop.is_set() and due < self._until:
            try:
                revision = connection.predict(self._inputs).revision
            except ModelyardError as bad:
                with self._lock:
                    self.tally.failed[protocol] += 1
                    self.tally.last_failure = str(bad)
            else:
                with self._lock:
                    self.tally.answered[protocol] += 1
                    self.tally.by[revision] += 1
            due += _PACE_SECONDS
            self._stop.wait(max(0.0, due - time.monotonic()))
