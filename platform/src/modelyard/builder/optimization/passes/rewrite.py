"""What every pass says about itself, its parameters settled, and what it hands on.

`space` names every parameter a pass takes; the first value is its default. A pass whose precision is FP32 rewrites
structure alone and keeps the precision it finds, so `fold` of an int8 model is an int8 model.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from modelyard.builder.optimization.pass_api import Kind, ModelArtifact, Precision
from modelyard.errors import InvalidSettings


@dataclass(frozen=True, kw_only=True)
class Rewrite:
    """The properties of a pass (see `pass_api.Pass`); a subclass adds `applies` and `run`."""

    name: str
    precision: Precision = Precision.FP32
    lossless: bool = False
    needs_data: bool = False
    space: Mapping[str, Sequence[Any]] = field(default_factory=dict)

    def settled(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Every parameter of `space` with its value, defaults filled in; raises InvalidSettings for an unknown one."""
        strange = sorted(set(params) - set(self.space))
        if strange:
            known = ", ".join(sorted(self.space)) or "none"
            raise InvalidSettings(f"the pass {self.name} has no parameter {strange[0]!r}; it has {known}.")
        return {name: values[0] for name, values in self.space.items()} | dict(params)

    def made(self, artifact: ModelArtifact, path: Path, kind: Kind = "onnx") -> ModelArtifact:
        """The model that this pass wrote to `path`, made of `artifact`."""
        precision = artifact.precision if self.precision is Precision.FP32 else self.precision
        return ModelArtifact(path, kind, precision, (*artifact.passes, self.name))
