"""Passes that do one plain thing each, so that the engine can be seen to cope with it."""

import ctypes
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

from modelyard.builder.optimization.pass_api import EvaluationData, Hardware, ModelArtifact, Precision, Recipe

WHERE = "tests.unit.builder.optimization.tiny_passes:PASSES"


@dataclass(frozen=True)
class Scaling:
    """Multiplies every weight by `factor`; a factor of 1 changes nothing."""

    name: str
    factor: float = 1.0
    precision: Precision = Precision.FP32
    lossless: bool = True
    needs_data: bool = False
    space: Mapping[str, Sequence[Any]] = field(default_factory=dict)

    def applies(self, material: ModelArtifact, hardware: Hardware, evaluation: EvaluationData | None) -> str | None:
        return None

    def run(
        self, material: ModelArtifact, folder: Path, params: Mapping[str, Any], evaluation: EvaluationData | None
    ) -> ModelArtifact:
        model = onnx.load(str(material.path))
        for tensor in model.graph.initializer:
            values = numpy_helper.to_array(tensor)
            if values.dtype.kind == "f":
                tensor.CopyFrom(numpy_helper.from_array((values * np.float32(self.factor)), tensor.name))
        onnx.save(model, str(folder / "model.onnx"))
        return ModelArtifact(folder / "model.onnx", "onnx", self.precision)


@dataclass(frozen=True)
class Halving(Scaling):
    """Halves the answers, whose largest stays the largest, and leaves out the description."""

    def run(
        self, material: ModelArtifact, folder: Path, params: Mapping[str, Any], evaluation: EvaluationData | None
    ) -> ModelArtifact:
        made = Scaling(self.name, 0.5).run(material, folder, params, evaluation)
        model = onnx.load(str(made.path))
        model.doc_string = ""
        onnx.save(model, str(made.path))
        return made


@dataclass(frozen=True)
class Tunable(Scaling):
    """Scales by what a search chooses, and says so in the size of the file: `padding` bytes more."""

    def run(
        self, material: ModelArtifact, folder: Path, params: Mapping[str, Any], evaluation: EvaluationData | None
    ) -> ModelArtifact:
        made = Scaling(self.name, params["factor"]).run(material, folder, params, evaluation)
        model = onnx.load(str(made.path))
        model.doc_string = "x" * params["padding"]
        onnx.save(model, str(made.path))
        return made


@dataclass(frozen=True)
class Noisy(Scaling):
    """Adds noise to the answers, and leaves out the description."""

    def run(
        self, material: ModelArtifact, folder: Path, params: Mapping[str, Any], evaluation: EvaluationData | None
    ) -> ModelArtifact:
        model = onnx.load(str(material.path))
        model.doc_string = ""
        model.graph.node[-1].output[0] = "exact"
        model.graph.node.append(helper.make_node("RandomUniformLike", ["exact"], ["noise"], low=-0.2, high=0.2))
        model.graph.node.append(helper.make_node("Add", ["exact", "noise"], ["logits"]))
        onnx.save(model, str(folder / "model.onnx"))
        return ModelArtifact(folder / "model.onnx", "onnx", self.precision)


@dataclass(frozen=True)
class Refusing(Scaling):
    """Never applies."""

    def applies(self, material: ModelArtifact, hardware: Hardware, evaluation: EvaluationData | None) -> str | None:
        return "the model has nothing it could change."


@dataclass(frozen=True)
class Misbehaving(Scaling):
    """Does what its name says: raising, crashing, hanging, devouring, lazy."""

    def run(
        self, material: ModelArtifact, folder: Path, params: Mapping[str, Any], evaluation: EvaluationData | None
    ) -> ModelArtifact:
        if self.name == "raising":
            raise ValueError("no such node")
        if self.name == "crashing":
            ctypes.string_at(0)
        if self.name == "hanging":
            time.sleep(3600)
        if self.name == "devouring":
            np.ones(1 << 40, np.int8)
        return ModelArtifact(folder / "model.onnx", "onnx", self.precision)


_ALL: tuple[Any, ...] = (
    Scaling("identity"),
    Scaling("nan", float("nan"), Precision.INT8, lossless=False),
    Scaling("flip", -1.0, Precision.INT8, lossless=False),
    Scaling("hungry", needs_data=True),
    Noisy("noisy"),
    Halving("halving"),
    Refusing("refusing"),
    Tunable("tunable", space={"factor": (1.0, -1.0), "padding": (3000, 2000, 1000, 0), "fixed": (None,)}),
    Tunable("padded", space={"factor": (1.0,), "padding": (3000, 0)}),
    *(Misbehaving(name) for name in ("raising", "crashing", "hanging", "devouring", "lazy")),
)
PASSES: Mapping[str, Any] = {one.name: one for one in _ALL}


def recipes(*names: str) -> Any:
    """A recipe of one step for each name, whatever the precisions; lossless ones only when that is asked for."""

    def chosen(precisions: Sequence[Precision], lossless_only: bool) -> tuple[Recipe, ...]:
        return tuple(Recipe(name, ((name, {}),)) for name in names if PASSES[name].lossless or not lossless_only)

    return chosen
