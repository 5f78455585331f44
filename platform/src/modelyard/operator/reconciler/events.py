"""Kubernetes Events on a Model, one per fact: a repeated fact counts up instead of making a new Event.

The Event's name is a digest of the Model, the reason and the message, so a repeat finds the Event of the
first time even after a restart of the operator. Losing an Event is no reason to fail: it is only logged.
"""

import logging
import threading
from collections import OrderedDict
from datetime import UTC, datetime
from typing import Any

from modelyard.core.names import MANAGED_BY, sha256_hex
from modelyard.core.plan import Event
from modelyard.core.snapshot import Object, Ref
from modelyard.errors import Conflict, OutsideError
from modelyard.operator.cache.guarded_writes import GuardedWrites

_MAX_MESSAGE = 1000
_REMEMBERED = 4096
_log = logging.getLogger(__name__)


class EventRecorder:
    """Writes Events; `identity` is the replica that reports."""

    def __init__(self, writes: GuardedWrites, identity: str) -> None:
        self._writes, self._identity = writes, identity
        self._lock = threading.Lock()
        self._counts: OrderedDict[str, int] = OrderedDict()

    def post(self, model: Object, event: Event) -> None:
        """Records one fact about a Model. Raises NotLeading; a failing API server is only logged."""
        metadata = model["metadata"]
        name = f"{metadata['name']}.{sha256_hex([metadata['uid'], event.type, event.reason, event.message])[:16]}"
        try:
            if self._count(name) == 1:
                try:
                    self._writes.create(self._body(model, name, event))
                    return
                except Conflict:
                    self._count(name)
            ref = Ref("Event", metadata["namespace"], name)
            self._writes.merge(ref, {"count": self._counts[name], "lastTimestamp": _now()})
        except OutsideError as error:
            _log.warning("event not recorded", extra={"fields": {"reason": event.reason, "error": str(error)}})

    def _count(self, name: str) -> int:
        with self._lock:
            self._counts[name] = self._counts.pop(name, 0) + 1
            if len(self._counts) > _REMEMBERED:
                self._counts.popitem(last=False)
            return self._counts[name]

    def _body(self, model: Object, name: str, event: Event) -> dict[str, Any]:
        metadata, now = model["metadata"], _now()
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
            "firstTimestamp": now,
            "lastTimestamp": now,
            "count": 1,
        }


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
