"""What passes take and give: a model on disk, the hardware it will run on, the data it is judged by.

A pass turns one `ModelArtifact` into another and writes only below the folder it is given; a recipe is a chain of
passes. Heavy libraries (onnx, onnxruntime, openvino) are imported inside functions, never here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

from modelyard.api.optimize import Precision
from modelyard.builder.evaluation.evaluation_data import EvaluationData
from modelyard.builder.inference.hardware import Hardware

Kind = Literal["onnx", "openvino", "tensorrt"]


@dataclass(frozen=True)
class ModelArtifact:
    """A model on disk, in the format `kind`.

    `path` is model.onnx, model.xml for OpenVINO IR or model.plan for TensorRT; other files of it lie beside it.
    `passes` names the passes it went through, in order.
    """

    path: Path
    kind: Kind
    precision: Precision
    passes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Reference:
    """Something to compare with that is no variant: `program` times `model` in turn with them.

    `seconds` is how long it took for all rows of the evaluation set, `memory` its peak resident memory in bytes.
    """

    name: str
    model: Path
    program: str
    seconds: float
    memory: int


class Pass(Protocol):
    """One rewrite of a model.

    `lossless` promises the same answers up to rounding; `needs_data` passes are skipped without an evaluation set;
    `precision` is what the result is in; `space` holds the parameters worth searching, the first value of each
    being its default.
    """

    @property
    def name(self) -> str: ...
    @property
    def precision(self) -> Precision: ...
    @property
    def lossless(self) -> bool: ...
    @property
    def needs_data(self) -> bool: ...
    @property
    def space(self) -> Mapping[str, Sequence[Any]]: ...

    def applies(self, artifact: ModelArtifact, hardware: Hardware, evaluation: EvaluationData | None) -> str | None:
        """None when the pass can be tried, else a sentence why not."""
        ...

    def run(
        self, artifact: ModelArtifact, folder: Path, params: Mapping[str, Any], evaluation: EvaluationData | None
    ) -> ModelArtifact:
        """The rewritten model, written below `folder` only; `params` holds a value for each parameter of `space`.

        May raise anything: the trial records it as the reason why there is no variant.
        """
        ...


@dataclass(frozen=True)
class Recipe:
    """A named chain of steps (pass name, parameters); missing parameters take their defaults.

    It begins with the original, or with what training made of it under the name `start`.
    """

    name: str
    steps: tuple[tuple[str, Mapping[str, Any]], ...]
    start: str = ""
