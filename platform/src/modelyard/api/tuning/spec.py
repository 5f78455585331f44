"""`spec.tune`: measure how much one replica takes on at `slo.latency`, and serve with the settings that take on most.

Objective and cores decide what is measured, so both are in the digest of the tuned build.
"""

import math
from typing import Any

from pydantic import Field

from modelyard.api.quantity import amount
from modelyard.api.shape import Shape


class Tune(Shape):
    """What a replica is measured with."""

    cpus: int | None = Field(
        default=None,
        ge=1,
        le=64,
        description="CPU cores to measure with; those of serving.resources when left out, or 1.",
    )

    def options(self, percentile: float, threshold: float, resources: dict[str, dict[str, str]]) -> dict[str, Any]:
        """Build options for an objective (percent, seconds); `resources` are those of one replica."""
        cpus = self.cpus or cores(resources)
        return {"tune": {"percentile": percentile, "threshold": threshold, "cpus": cpus}}


def cores(resources: dict[str, dict[str, str]]) -> int:
    """The whole cores that limits or else requests come to; 1 when neither names any."""
    named = resources.get("limits", {}).get("cpu") or resources.get("requests", {}).get("cpu") or "1"
    return max(1, math.ceil(amount(named)))
