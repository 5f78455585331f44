"""Autoscalers of others, by the Model or the Deployment they point at: a number of replicas has one writer.

Every autoscaler there is works through a HorizontalPodAutoscaler, KEDA's included, so that one kind is watched. Those
that carry our label are ours, or KEDA made them for a ScaledObject of ours. Of an autoscaler only its name and what it
points at are kept.
"""

import threading
from collections.abc import Callable, Collection, Mapping
from typing import Any

from modelyard.api.model import KIND, Model
from modelyard.core.names import predictor

from .objects import Key

AUTOSCALERS = "HorizontalPodAutoscaler"
_SCALED = (KIND, "Deployment")

_Target = tuple[str, str, str]
"""Namespace, kind and name of what is scaled."""


class RivalAutoscalers:
    """Follows the autoscalers without our label; safe to share. `wake` is called for every Model that may be concerned.

    A Deployment is a revision's when the Model says so, so all Models of its namespace may be concerned.
    """

    def __init__(self, wake: Callable[[Key], None], wake_namespace: Callable[[str], None]) -> None:
        self._wake, self._wake_namespace = wake, wake_namespace
        self._lock = threading.Lock()
        self._by_uid: dict[str, tuple[_Target, str]] = {}
        self._names: dict[_Target, set[str]] = {}

    def of(self, model: Model) -> str:
        """The first autoscaler, by name, that scales a Model or one of its revisions; empty when there is none."""
        revisions = [(model.namespace, "Deployment", predictor(each.name)) for each in model.status.revisions]
        with self._lock:
            names = {
                name for at in ((model.namespace, KIND, model.name), *revisions) for name in self._names.get(at, ())
            }
        return f"{AUTOSCALERS} {min(names)}" if names else ""

    def listing(self) -> None:
        """Nothing is to be done when a listing begins."""

    def take_in(self, event_type: str | None, thing: Mapping[str, Any]) -> None:
        """An autoscaler came, changed or is gone."""
        metadata, scaled = thing["metadata"], thing["spec"]["scaleTargetRef"]
        target = (metadata["namespace"], scaled["kind"], scaled["name"])
        gone = event_type == "DELETED" or scaled["kind"] not in _SCALED
        self._put(metadata["uid"], None if gone else (target, metadata["name"]))

    def listed(self, uids: Collection[str]) -> None:
        """Autoscalers that are not in the listing are gone."""
        with self._lock:
            lost = self._by_uid.keys() - set(uids)
        for uid in lost:
            self._put(uid, None)

    def _put(self, uid: str, now: tuple[_Target, str] | None) -> None:
        with self._lock:
            before = self._by_uid.pop(uid, None)
            if before is not None:
                self._names[before[0]].discard(before[1])
                if not self._names[before[0]]:
                    del self._names[before[0]]
            if now is not None:
                self._by_uid[uid] = now
                self._names.setdefault(now[0], set()).add(now[1])
        if before == now:
            return
        for namespace, kind, name in {target for target, _ in filter(None, (before, now))}:
            if kind == KIND:
                self._wake(Key(namespace, name))
            else:
                self._wake_namespace(namespace)
