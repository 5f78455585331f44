"""What the cluster has that scales: asked of the API server's discovery now and then, by a thread of its own.

An answer stands until there is another: an API server that does not say for a while what it serves takes no autoscaler
away. A changed answer wakes all Models.
"""

import logging
from collections.abc import Callable, Sequence
from typing import Protocol

from modelyard.background_thread import BackgroundThread
from modelyard.core.autoscaling.choice import autoscaler_choice
from modelyard.core.kinds import BY_NAME, Kind
from modelyard.core.snapshot import ScalingMeans
from modelyard.errors import OutsideError
from modelyard.settings import Settings

EVERY_SECONDS = 15.0
METRICS = Kind("PodMetrics", "metrics.k8s.io", "v1beta1", "pods", "", False)
_log = logging.getLogger(__name__)


class Discovery(Protocol):
    """What is needed of `clients.cluster.Cluster`."""

    def unserved(self, kinds: Sequence[Kind]) -> list[Kind]:
        """Those of `kinds` that the API server does not know. Raises OutsideError."""
        ...


class ScalingMeansWatch(BackgroundThread):
    """Keeps the answers; `changed()` is called after one of them is another."""

    def __init__(self, discovery: Discovery, settings: Settings, changed: Callable[[], None]) -> None:
        super().__init__("scaling-means")
        self._discovery, self._settings, self._changed = discovery, settings, changed
        self._known = ScalingMeans()

    def known(self) -> ScalingMeans:
        """What is known now."""
        return self._known

    def report(self) -> str:
        """The autoscaler that Models get, for `modelyard doctor`: the reason word, and after a colon the sentence."""
        choice = autoscaler_choice(self._settings, self._known)
        return f"{choice.reason}: {choice.message.rstrip('.')}."

    def read(self) -> None:
        """Asks once."""
        keda = self._serves(BY_NAME["ScaledObject"], self._known.keda)
        known = ScalingMeans(keda, self._serves(METRICS, self._known.resource_metrics))
        if known != self._known:
            self._known = known
            _log.info("autoscaler", extra={"fields": {"chosen": self.report()}})
            self._changed()

    def _serves(self, kind: Kind, before: bool | None) -> bool | None:
        try:
            return not self._discovery.unserved([kind])
        except OutsideError as bad:
            _log.warning("not known whether served", extra={"fields": {"kind": kind.kind, "error": str(bad)}})
            return before

    def _run(self) -> None:
        while not self._stop.is_set():
            self.read()
            self._stop.wait(EVERY_SECONDS)
