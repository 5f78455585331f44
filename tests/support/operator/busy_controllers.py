"""KServe, the gateway and the builder for thousands of Models: each is told what changed, and does what is next.

`Players.step` lists everything again and again, which is too much for many Models; here watches tell what there is to
do, and a few threads do it.
"""

import queue
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from modelyard.clients.cluster.list_watch import ListWatch
from modelyard.core.kinds import BY_NAME
from modelyard.core.snapshot import Object
from modelyard.errors import OutsideError
from tests.support.operator.simulated_controllers import Players

_THREADS = 4
_PLAYED = ("Job", "InferenceService", "HTTPRoute", "GRPCRoute")


class Told:
    """Every object of a kind as it is and as it becomes, passed on; deletions are not."""

    def __init__(self, kind: str, tell: Callable[[dict[str, Any]], None]) -> None:
        self._row, self._tell = BY_NAME[kind], tell

    def listing(self) -> None: ...

    def take_in(self, event_type: str | None, thing: Mapping[str, Any]) -> None:
        if event_type != "DELETED":
            self._tell({**thing, "kind": self._row.kind, "apiVersion": self._row.api_version})

    def listed(self, uids: Collection[str]) -> None: ...


@contextmanager
def told(
    players: Players, kinds: Sequence[str], tell: Callable[[dict[str, Any]], None], selector: str | None = None
) -> Iterator[None]:
    """Tells of these kinds while the context lasts."""
    watches = []
    for kind in kinds:
        row, namespace = BY_NAME[kind], players.platform if kind == "Job" else ""
        watches.append(ListWatch(players.cluster, row, namespace, selector or row.label, Told(kind, tell)))
    for watch in watches:
        watch.start()
    try:
        yield
    finally:
        for watch in watches:
            watch.stop(5)


@contextmanager
def busy(players: Players) -> Iterator[None]:
    """Everybody does what is next for them while the context lasts."""
    work: queue.SimpleQueue[Object | None] = queue.SimpleQueue()
    played = {
        "Job": players._build,
        "InferenceService": players._serve,
        "HTTPRoute": players._accept,
        "GRPCRoute": players._accept,
    }

    def play() -> None:
        while (thing := work.get()) is not None:
            try:
                played[thing["kind"]](thing)
            except OutsideError:
                continue

    threads = [threading.Thread(target=play, name=f"player-{number}") for number in range(_THREADS)]
    for thread in threads:
        thread.start()
    try:
        with told(players, _PLAYED, work.put):
            yield
    finally:
        for _ in threads:
            work.put(None)
        for thread in threads:
            thread.join(30)
