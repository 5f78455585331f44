"""Leadership by a Lease: of all replicas one works, and it stops before another may start.

The holder writes `renewTime` every third of the lease's duration. A follower takes over when the Lease has
not changed for the whole duration *by its own clock* (clocks of two machines are never compared), or at
once when the holder has released it (empty holderIdentity). The holder itself counts as holding only until
two thirds of the duration after its last successful renewal: what it writes then has ended before the
others may begin. All writes carry the resourceVersion that was read, so of two takers one gets a Conflict.

    follower --free, expired or mine--> holder --released, taken or not renewed--> follower
"""

import logging
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Protocol

from modelyard.core.snapshot import Object, Ref
from modelyard.errors import Conflict, OutsideError

LEASE_NAME = "modelyard-operator"
_log = logging.getLogger(__name__)


class Leases(Protocol):
    """What of the API server the Lease needs."""

    def get(self, ref: Ref) -> dict[str, Any] | None: ...
    def create(self, thing: Object) -> dict[str, Any]: ...
    def replace(self, thing: Object) -> dict[str, Any] | None: ...


class Lease:
    """One replica's view of the Lease; `seconds` is the duration after which a silent holder is replaced."""

    def __init__(
        self,
        leases: Leases,
        namespace: str,
        identity: str,
        seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._leases, self._identity, self._seconds, self._clock = leases, identity, seconds, clock
        self._ref = Ref("Lease", namespace, LEASE_NAME)
        self._valid_until = float("-inf")
        self._seen_version = ""
        self._seen_at = clock()

    @property
    def held(self) -> bool:
        """True while this replica may write."""
        return self._clock() < self._valid_until

    def step(self) -> bool:
        """Renews when held, takes over when possible; False when the API server could not be asked."""
        began = self._clock()
        try:
            taken = self._attempt()
        except Conflict:
            taken = False
            self._valid_until = float("-inf")
        except OutsideError as bad:
            _log.warning("lease not reached", extra={"fields": {"reason": bad.reason, "error": str(bad)}})
            return False
        self._valid_until = began + self._seconds * 2 / 3 if taken else float("-inf")
        return True

    def release(self) -> None:
        """Stops holding at once, then tells the others, best effort."""
        was_held, self._valid_until = self.held, float("-inf")
        if not was_held:
            return
        try:
            found = self._leases.get(self._ref)
            if found is not None and found["spec"].get("holderIdentity") == self._identity:
                self._leases.replace({**found, "spec": {**found["spec"], "holderIdentity": "", "renewTime": _now()}})
        except OutsideError as bad:
            _log.warning("lease not released", extra={"fields": {"reason": bad.reason, "error": str(bad)}})

    def run(self, stop: threading.Event, changed: Callable[[bool], None]) -> None:
        """Keeps stepping until `stop`, then releases; `changed` hears of every change of `held`."""
        held = False
        while not stop.is_set():
            asked = self.step()
            if self.held != held:
                held = not held
                changed(held)
            stop.wait(self._seconds / 3 if held and asked else min(1.0, self._seconds / 10))
        self.release()
        if held:
            changed(False)

    def _attempt(self) -> bool:
        found = self._leases.get(self._ref)
        if found is None:
            self._leases.create(self._wanted(None))
            return True
        if not self._free(found):
            return False
        return self._leases.replace(self._wanted(found)) is not None

    def _free(self, found: Object) -> bool:
        spec = found.get("spec", {})
        version = found["metadata"]["resourceVersion"]
        if version != self._seen_version:
            self._seen_version, self._seen_at = version, self._clock()
        if spec.get("holderIdentity", "") in ("", self._identity):
            return True
        return self._clock() - self._seen_at >= spec.get("leaseDurationSeconds", self._seconds)

    def _wanted(self, found: Object | None) -> dict[str, Any]:
        before = found.get("spec", {}) if found else {}
        stays = before.get("holderIdentity") == self._identity
        spec = {
            "holderIdentity": self._identity,
            "leaseDurationSeconds": max(1, round(self._seconds)),
            "acquireTime": before.get("acquireTime") if stays else _now(),
            "renewTime": _now(),
            "leaseTransitions": before.get("leaseTransitions", 0) + (0 if stays or found is None else 1),
        }
        metadata = found["metadata"] if found else {"name": self._ref.name, "namespace": self._ref.namespace}
        return {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": metadata, "spec": spec}


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
