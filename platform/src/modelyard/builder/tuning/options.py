"""What a tuned build is asked for: `modelyard build --tune JSON`, and the Job that `spec.tune` makes.

    {"percentile": 99.0, "threshold": 0.05, "cpus": 1}

The threshold is in seconds. The options are part of the build's digest.
"""

import os
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from modelyard.errors import InvalidSettings

from .bench import LatencyTarget


class TuningOptions(BaseModel):
    """An objective (percent, seconds), and the cores of a replica."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    percentile: float = Field(ge=50.0, le=99.99)
    threshold: float = Field(gt=0.0, allow_inf_nan=False)
    cpus: int = Field(ge=1, le=64)

    @property
    def options(self) -> dict[str, Any]:
        """As the digest of the build has them; the same as `api.tuning.spec.Tune.options`."""
        return {"tune": self.model_dump()}

    @property
    def target(self) -> LatencyTarget:
        """The objective."""
        return LatencyTarget(self.percentile, self.threshold)

    @property
    def cores_here(self) -> int:
        """The cores to measure with: those of this machine when it has fewer, which the report then says."""
        return min(self.cpus, len(os.sched_getaffinity(0)))


def parse_tuning(text: str) -> TuningOptions:
    """The options that the JSON of `--tune` asks for; raises InvalidSettings naming the field that is not usable."""
    try:
        return TuningOptions.model_validate_json(text)
    except ValidationError as bad:
        first = bad.errors()[0]
        field = ".".join(str(key) for key in first["loc"]) or "it"
        raise InvalidSettings(f"--tune {text!r}: {field} is not usable: {first['msg']}; correct it.") from bad
