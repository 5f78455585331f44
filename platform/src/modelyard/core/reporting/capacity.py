"""What is reported of a replica's capacity: what was measured of the build that holds the traffic, and of no other.

A tuned build whose settings are the usual ones, and whose variant is the original, is the plain one over again: then
what was measured is true of the plain build.
"""

from modelyard.api.optimization import ORIGINAL
from modelyard.api.report import OptimizationSummary
from modelyard.api.status import CapacityStatus
from modelyard.core.autoscaling.objects import capacity_of
from modelyard.core.autoscaling.target import within_limits

from .view import DecisionView


def capacity_status(view: DecisionView) -> CapacityStatus | None:
    """The capacity of one replica of the serving revision; None while none was measured, or it was another build's."""
    holder = view.serving_revision
    if holder is None:
        return None
    measured = _measured(view, holder.digest)
    return capacity_of(view.model, holder) if measured is None else within_limits(measured, holder.resources)


def _measured(view: DecisionView, digest: str) -> CapacityStatus | None:
    """What tuning says of the build with that digest."""
    built, artifact = view.snapshot.optimization.built, view.artifact
    if not isinstance(built, OptimizationSummary) or artifact.optimizing is None:
        return None
    tuned = built.tuned
    if tuned is None or tuned.requests_per_second is None:
        return None
    same = {artifact.optimizing.status.digest}
    if built.variant == ORIGINAL and not tuned.changed and not built.cached and artifact.build is not None:
        same.add(artifact.build.digest)
    if digest not in same:
        return None
    return CapacityStatus(
        requests_per_second=tuned.requests_per_second, at=tuned.at[:32], cpu=tuned.cpus, digest=digest
    )
