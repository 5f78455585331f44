"""A load test as a file, `loadtests/scenarios/NAME.yaml`: whom to ask, with what load, and what has to be kept.

    model: digits                      namespace: demo
    request: digits.json               or build: sha256:..., or inputs: {samples: recorded.jsonl}
    load: {ramp: {from: 5, to: 50, over: 30s}}
    duration: 60s                      grpcShare: 0.5, binaryShare: 0.25
    slo: {latency: {percentile: 99, threshold: 50ms}, errorRate: 1%}

`schema.json` beside the scenarios is this type for editors. What stands in the file can be said
otherwise on the command line, which wins.
"""

import json
from pathlib import Path
from typing import Any

import yaml
from pydantic import Field, ValidationError, model_validator

from modelyard.api.model import Slo
from modelyard.api.quantity import Duration, fraction, seconds
from modelyard.api.shape import Shape
from modelyard.errors import InvalidSettings

from .arrivals import Arrivals
from .load_shapes import LoadShape
from .payloads import RequestInputs

MOST_SECONDS = 3600.0


class Scenario(Shape):
    """One load test."""

    model: str = Field(min_length=1, description="Name of the Model, as in /v2/models/NAME/infer.")
    namespace: str = Field(default="", description="Its namespace: asks a gateway by host name. Empty asks a server.")
    host: str = Field(default="", description="URL that is asked, http://ADDRESS; else --host says it.")
    grpc_host: str = Field(default="", description="URL for gRPC when it is not that of host.")
    revision: str = Field(default="", description="Pin every request to this revision.")
    build: str = Field(default="", description="Send the warm-up request of this build (sha256:...) in the store.")
    request: str = Field(default="", description="Send the v2 request body in this file, beside the scenario.")
    inputs: RequestInputs | None = Field(default=None, description="Send different requests in turn.")
    load: LoadShape = Field(description="How many requests come when.")
    duration: Duration = Field(default="60s", description="How long; a trace takes as long as it was recorded.")
    grpc_share: float = Field(default=0.5, ge=0, le=1, description="Share of the requests sent over gRPC.")
    binary_share: float = Field(default=0.0, ge=0, le=1, description="Share sent over HTTP with raw tensors.")
    slo: Slo = Field(default_factory=Slo, description="What has to be kept, as in a Model.")

    @model_validator(mode="after")
    def _within_limits(self) -> "Scenario":
        if seconds(self.duration) > MOST_SECONDS:
            raise ValueError(f"duration is {self.duration}; at most {MOST_SECONDS:g} seconds are")
        if self.grpc_share + self.binary_share > 1:
            raise ValueError("grpcShare and binaryShare are shares of all requests: their sum is at most 1")
        if sum(bool(source) for source in (self.build, self.request, self.inputs)) > 1:
            raise ValueError("write one of request, build and inputs")
        if self.slo.availability:
            raise ValueError("slo.availability is of months, which no load test takes; leave it out")
        return self

    def flags(self, folder: Path) -> dict[str, Any]:
        """What it says of the flags of a load test, by their names in Python; files are looked for in `folder`."""
        names = ("model", "namespace", "host", "grpc_host", "revision", "build", "inputs", "grpc_share", "binary_share")
        found = {name: getattr(self, name) for name in names if name in self.model_fields_set}
        if self.request:
            found["request"] = str(folder / self.request)
        if self.slo.error_rate is not None:
            found["error_rate"] = fraction(self.slo.error_rate)
        if self.slo.latency is not None:
            found |= {"latency": seconds(self.slo.latency.threshold), "percentile": self.slo.latency.percentile}
        return found

    def files(self) -> list[str]:
        """Names of the files beside it that it needs."""
        inputs, trace = self.inputs, self.load.trace
        named = [self.request, *((inputs.evaluation, inputs.samples) if inputs else ()), trace.file if trace else ""]
        return [name for name in named if name]

    def arrivals(self, folder: Path) -> Arrivals:
        """When requests are due. Raises InvalidSettings where the parts of the load do not fit one another."""
        return self.load.arrivals(seconds(self.duration), folder)


def read_scenario(path: Path) -> Scenario:
    """The scenario of a file; raises InvalidSettings, with every mistake in it, in one sentence each."""
    try:
        written = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as bad:
        raise InvalidSettings(f"the scenario {path} cannot be read: {bad.strerror}.") from bad
    except (UnicodeDecodeError, yaml.YAMLError) as bad:
        raise InvalidSettings(f"the scenario {path.name} is no YAML: {' '.join(str(bad).split())}.") from bad
    if not isinstance(written, dict):
        raise InvalidSettings(f"the scenario {path.name} is no mapping; it begins with model: and load:.")
    try:
        return Scenario.model_validate(written)
    except ValidationError as bad:
        mistakes = "; ".join(f"{'.'.join(map(str, one['loc'])) or 'it'}: {_said(one)}" for one in bad.errors())
        raise InvalidSettings(f"the scenario {path.name} cannot be used: {mistakes}.") from bad


def schema() -> dict[str, Any]:
    """The JSON schema of a scenario, for editors."""
    made = Scenario.model_json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **made}


def _said(mistake: Any) -> str:
    return str(mistake["msg"]).removeprefix("Value error, ")


if __name__ == "__main__":
    print(json.dumps(schema(), indent=2))
