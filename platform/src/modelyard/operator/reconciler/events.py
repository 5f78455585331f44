"""Kubernetes Events on a Model, one per fact: a repeated fact counts up instead of making a new Event.

The Event's name is a digest of the Model, the reason and the message, so a repeat finds the Event of the
first time even after a restart of the operator. The API server forgets Events after an hour or so; one that is
repeated after that is made again with its count and its beginning, as client-go does. Losing an Event is no reason to
fail: it is only logged.
"""

import logging
import threading
from collections import OrderedDict
from datetime import UTC, datetime
from typing import Any, NamedTuple

from modelyard.core.names import MANAGED_BY, sha256_hex
from modelyard.core.plan import Event
from modelyard.core.snapshot import Object, Ref
from modelyard.errors import Conflict, OutsideError
from modelyard.operator.cache.guarded_writes import GuardedWrites

_MAX_MESSAGE = 1000
_REMEMBERED = 32768
"""Facts whose counts are remembered: those of 6,000 Models on their way. One that is forgotten is asked for again."""
_LANES = 64
"""Repeats of one fact are written one after the other, so that the highest count is the last that is written."""
_log = logging.getLogger(__name__)


class _Recorded(NamedTuple):
    """How often a fact was recorded, and when (RFC 3339) for the first time."""

    times: int
    first: str


class EventRecorder:
    """Writes Events; `identity` is the replica that reports."""

    def __init__(self, writes: GuardedWrites, identity: str) -> None:
        self._writes, self._identity = writes, identity
        self._lock = threading.Lock()
        self._lanes = tuple(threading.Lock() for _ in range(_LANES))
        self._recorded: OrderedDict[str, _Recorded] = OrderedDict()

    def post(self, model: Object, event: Event) -> None:
        """Records one fact about a Model. Raises NotLeading; a failing API server is only logged."""
        metadata = model["metadata"]
        name = f"{metadata['name']}.{sha256_hex([metadata['uid'], event.type, event.reason, event.message])[:16]}"
        with self._lanes[hash(name) % _LANES]:
            try:
                self._record(model, name, event)
            except OutsideError as error:
                _log.warning("event not recorded", extra={"fields": {"reason": event.reason, "error": str(error)}})

    def _record(self, model: Object, name: str, event: Event) -> None:
        recorded = self._count(name)
        if recorded.times == 1:
            try:
                self._create(model, name, event, recorded)
                return
            except Conflict:
                recorded = self._count(name)
        ref = Ref("Event", model["metadata"]["namespace"], name)
        if not self._writes.merge(ref, {"count": recorded.times, "lastTimestamp": _now()}):
            self._create(model, name, event, recorded)

    def _create(self, model: Object, name: str, event: Event, recorded: _Recorded) -> None:
        """Raises Conflict when it is there; after any other failure it counts as never recorded."""
        try:
            self._writes.create(self._body(model, name, event, recorded))
        except Conflict:
            raise
        except OutsideError:
            with self._lock:
                self._recorded.pop(name, None)
            raise

    def _count(self, name: str) -> _Recorded:
        with self._lock:
            before = self._recorded.pop(name, _Recorded(0, _now()))
            self._recorded[name] = now = _Recorded(before.times + 1, before.first)
            if len(self._recorded) > _REMEMBERED:
                self._recorded.popitem(last=False)
            return now

    def _body(self, model: Object, name: str, event: Event, recorded: _Recorded) -> dict[str, Any]:
        metadata = model["metadata"]
        return {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": name, "namespace": metadata["namespace"], "labels": dict(MANAGED_BY)},
            "involvedObject": {
                "apiVersion": model["apiVersion"],
                "kind": model["kind"],
                "name": metadata["name"],
                "namespace": metadata["namespace"],
                "uid": metadata["uid"],
                "resourceVersion": metadata["resourceVersion"],
            },
            "type": event.type,
            "reason": event.reason,
            "message": event.message[:_MAX_MESSAGE],
            "source": {"component": "modelyard"},
            "reportingComponent": "modelyard.dev/operator",
            "reportingInstance": self._identity,
            "firstTimestamp": recorded.first,
            "lastTimestamp": _now(),
            "count": recorded.times,
        }


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
