"""Entries whose optimization comes out one way on every machine: the goal is the size, which nothing disturbs."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from modelyard.builder.optimization.options import OptimizationOptions
from modelyard.builder.optimization.pass_api import Precision, Recipe
from tests.support.artifacts import quantizable
from tests.support.artifacts.entries import an_entry

SMALLER = OptimizationOptions("size", 0.05, (Precision.FP32, Precision.INT8), 600.0, "cpu", leftover=False)
"""The recipes alone, however busy the machine: nothing is searched in the time that they leave."""


def a_perceptron(folder: Path, inner: int = 8192, **metadata: Any) -> Path:
    """An entry of which int8 leaves about a quarter, with 64 rows it is judged by."""
    proto = quantizable.perceptron(inner)
    known = quantizable.evaluation_of(proto, rows=64, metric="accuracy")
    arrays = {f"input:{name}": value for name, value in known.inputs.items()}
    arrays |= {f"output:{name}": value for name, value in known.outputs.items()}
    arrays["labels"] = known.outputs["logits"].argmax(axis=1)
    return an_entry(folder, proto, arrays, name="perceptron", task="other", **metadata)


def chains(**steps: Sequence[str]) -> Any:
    """Recipes by name instead of those of the product: each a chain of passes."""
    made = tuple(Recipe(name.replace("_", "-"), tuple((step, {}) for step in chain)) for name, chain in steps.items())
    return lambda precisions, lossless_only: made
