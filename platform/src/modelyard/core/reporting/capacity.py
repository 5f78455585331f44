"""What is reported of a replica's capacity: what was measured of the build that holds the traffic, and of no other."""

from modelyard.api.status import CapacityStatus

from .view import DecisionView


def capacity_status(view: DecisionView) -> CapacityStatus | None:
    """The capacity of one replica of the serving revision; None while none was measured, or it was another build's."""
    known, holder = view.model.status.capacity, view.serving_revision
    if known is None or holder is None or known.digest not in ("", holder.digest):
        return None
    return known
