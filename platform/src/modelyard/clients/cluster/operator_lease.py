"""What the operator's Lease tells of the operator: who leads, or for how long nobody has."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

_PATIENCE = 2


def leader(lease: Mapping[str, Any] | None) -> str:
    """Who holds the Lease; empty when nobody does."""
    spec = (lease or {}).get("spec", {})
    return spec.get("holderIdentity", "") if spec.get("renewTime") else ""


def leader_silence(lease: Mapping[str, Any] | None, now: datetime) -> str:
    """Why nobody leads at `now`, as half a sentence; empty while one renewed within two of the Lease's durations.

    `now` is the API server's time: the caller's own clock may be off by more than that.
    """
    holder, spec = leader(lease), (lease or {}).get("spec", {})
    if not holder:
        return "no replica of the operator leads"
    silent = (now - datetime.fromisoformat(spec["renewTime"])).total_seconds()
    if silent > _PATIENCE * spec.get("leaseDurationSeconds", 15):
        return f"{holder} led, but has been silent for {silent:.0f} s"
    return ""
