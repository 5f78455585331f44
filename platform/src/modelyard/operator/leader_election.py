"""Leadership by a Lease: of all replicas one works, and it stops before another may start.

The holder writes `renewTime` every third of the lease's duration, counted from when the last renewal began, and reads
the Lease again only when somebody else has written it, so that calls may take a fifth of the duration. A follower takes
over when the Lease has not changed for the whole duration *by its own clock* (clocks of two machines are never
compared), or at once when the holder has released it (empty holderIdentity). The holder itself counts as holding only
until two thirds of the duration after its last successful renewal: what it writes then has ended before the others may
begin, because a write may take less than that last third, the margin (`process.py`). A process that stood
still between looking at its clock and writing is met by the resourceVersion that status writes carry. All writes of the
Lease carry the resourceVersion that was read, so of two takers one gets a Conflict.

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
_HELD = 2 / 3
_log = logging.getLogger(__name__)


class Leases(Protocol):
    """The API server's verbs that the Lease needs; `replace` gives None when the version read is not the latest."""

    def get(self, ref: Ref) -> dict[str, Any] | None: ...
    def create(self, thing: Object) -> dict[str, Any]: ...
    def replace(self, thing: Object) -> dict[str, Any] | None: ...


def margin(seconds: float) -> float:
    """Seconds between when a holder stops writing and when another may begin, of a Lease of that duration."""
    return seconds - _HELD * seconds


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
        self._written: Object | None = None
        self._seen_version = ""
        self._seen_at = clock()

    @property
    def held(self) -> bool:
        """True while this replica may write."""
        return self._clock() < self._valid_until

    def step(self) -> bool:
        """Renews the Lease when held, takes it when it is free; False when the API server could not be reached."""
        began = self._clock()
        try:
            taken = self._attempt()
        except Conflict:
            taken = False
            self._valid_until = float("-inf")
        except OutsideError as error:
            _log.warning("lease not reached", extra={"fields": {"reason": error.reason, "error": str(error)}})
            return False
        self._valid_until = began + self._seconds * _HELD if taken else float("-inf")
        return True

    def release(self) -> None:
        """Stops holding at once, then empties the Lease's holder for the others; a failure is only logged."""
        was_held, self._valid_until = self.held, float("-inf")
        if not was_held:
            return
        try:
            lease = self._leases.get(self._ref)
            if lease is not None and lease["spec"].get("holderIdentity") == self._identity:
                self._leases.replace({**lease, "spec": {**lease["spec"], "holderIdentity": "", "renewTime": _now()}})
        except OutsideError as error:
            _log.warning("lease not released", extra={"fields": {"reason": error.reason, "error": str(error)}})

    def run(self, stop: threading.Event, changed: Callable[[bool], None]) -> None:
        """Calls `step` until `stop` is set, then `release`; `changed` is called with every new value of `held`."""
        held = False
        while not stop.is_set():
            began = self._clock()
            reached = self.step()
            if self.held != held:
                held = not held
                changed(held)
            renewed_in = max(0.0, began + self._seconds / 3 - self._clock())
            stop.wait(renewed_in if held and reached else min(1.0, self._seconds / 10))
        self.release()
        if held:
            changed(False)

    def _attempt(self) -> bool:
        if self.held and self._renew(self._written):
            return True
        lease = self._leases.get(self._ref)
        if lease is None:
            self._written = self._leases.create(self._renewed(None))
            return True
        if not self._free(lease):
            return False
        self._written = self._leases.replace(self._renewed(lease))
        return self._written is not None

    def _renew(self, written: Object | None) -> bool:
        """Writes the Lease as this replica wrote it last; False when it is another one by now, or gone."""
        try:
            self._written = self._leases.replace(self._renewed(written)) if written is not None else None
        except Conflict:
            self._written = None
        return self._written is not None

    def _free(self, lease: Object) -> bool:
        spec = lease.get("spec", {})
        version = lease["metadata"]["resourceVersion"]
        if version != self._seen_version:
            self._seen_version, self._seen_at = version, self._clock()
        if spec.get("holderIdentity", "") in ("", self._identity):
            return True
        return self._clock() - self._seen_at >= spec.get("leaseDurationSeconds", self._seconds)

    def _renewed(self, lease: Object | None) -> dict[str, Any]:
        previous = lease.get("spec", {}) if lease else {}
        stays = previous.get("holderIdentity") == self._identity
        spec = {
            "holderIdentity": self._identity,
            "leaseDurationSeconds": max(1, round(self._seconds)),
            "acquireTime": previous.get("acquireTime") if stays else _now(),
            "renewTime": _now(),
            "leaseTransitions": previous.get("leaseTransitions", 0) + (0 if stays or lease is None else 1),
        }
        metadata = lease["metadata"] if lease else {"name": self._ref.name, "namespace": self._ref.namespace}
        return {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": metadata, "spec": spec}


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
