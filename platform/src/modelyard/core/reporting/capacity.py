"""What is reported of a replica's capacity: what was measured of the build that holds the traffic, and of no other."""

from modelyard.api.status import CapacityStatus
from modelyard.core.autoscaling.objects import capacity_of

from .view import DecisionView


def capacity_status(view: DecisionView) -> CapacityStatus | None:
    """The capacity of one replica of the serving revision; None while none was measured, or it was another build's."""
    holder = view.serving_revision
    return None if holder is None else capacity_of(view.model, holder)
