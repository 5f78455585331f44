"""Trees of gradient boosting in ONNX: nodes of ai.onnx.ml 3, and the operators that make answers of their sum.

    trees -> sum by target + base -> link -> numbers
                                          -> probabilities -> the likeliest class

LightGBM compares float64. With float32 inputs thresholds are rounded down, which then decides every row alike; with
float64 inputs they are kept to the digit.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

DOMAIN = "ai.onnx.ml"
_FLOAT, _DOUBLE = 1, 11


class CannotBeSaid(ValueError):
    """The model has something that ONNX has no word for; the message says what, and what to do."""


class GrowingGraph(Protocol):
    """Where nodes go: a graph of our own, or the one that skl2onnx builds."""

    def node(self, kind: str, inputs: Sequence[str], domain: str = "", **attributes: Any) -> str:
        """Adds a node with one output, whose name is returned."""
        ...

    def constant(self, values: Any) -> str:
        """Adds an initializer of a numpy array and returns its name."""
        ...


@dataclass
class Nodes:
    """The nodes of all trees, in lists that are the attributes of TreeEnsembleRegressor."""

    values: list[float] = field(default_factory=list)
    columns: dict[str, list[Any]] = field(default_factory=dict)
    weights: list[float] = field(default_factory=list)
    targets: dict[str, list[int]] = field(default_factory=dict)

    def branch(
        self, at: tuple[int, int], mode: str, feature: int, value: float, ways: tuple[int, int], missing: bool
    ) -> None:
        """A question at (tree, node): to `ways[0]` when it is true, and when nothing is known and `missing` is."""
        self._node(at, feature, mode, ways, missing)
        self.values.append(float(value))

    def leaf(self, at: tuple[int, int], target: int, weight: float) -> None:
        """An end at (tree, node): `weight` is added to `target`."""
        self._node(at, 0, "LEAF", (0, 0), False)
        self.values.append(0.0)
        self.weights.append(float(weight))
        for name, number in (("treeids", at[0]), ("nodeids", at[1]), ("ids", target)):
            self.targets.setdefault(f"target_{name}", []).append(number)

    def _node(self, at: tuple[int, int], feature: int, mode: str, ways: tuple[int, int], missing: bool) -> None:
        row = {
            "treeids": at[0], "nodeids": at[1], "featureids": feature, "modes": mode, "truenodeids": ways[0],
            "falsenodeids": ways[1], "missing_value_tracks_true": int(missing),
        }  # fmt: skip
        for name, value in row.items():
            self.columns.setdefault(f"nodes_{name}", []).append(value)

    def in_single(self, targets: int, base: Sequence[float], down: bool) -> dict[str, Any]:
        """Attributes for float32 inputs; thresholds are rounded `down`, or are float32 already."""
        values = rounded_down(self.values) if down else np.asarray(self.values, np.float32)
        return {
            **self._shared(targets),
            "nodes_values": values.tolist(),
            "target_weights": self.weights,
            "base_values": list(base),
        }

    def in_double(self, targets: int, base: Sequence[float]) -> dict[str, Any]:
        """Attributes for float64 inputs."""
        return {
            **self._shared(targets),
            "nodes_values_as_tensor": _tensor("values", self.values),
            "target_weights_as_tensor": _tensor("weights", self.weights),
            "base_values_as_tensor": _tensor("base", base),
        }

    def _shared(self, targets: int) -> dict[str, Any]:
        return {**self.columns, **self.targets, "n_targets": targets}


@dataclass(frozen=True)
class Boosted:
    """A model of boosted trees: what is summed, and what is made of the sums.

    `link` is none, sigmoid, softmax, exp, softplus, or square: x * |x|. `classes` is 0 where it gives numbers; with 2
    classes and one sum, that is of the second. `wide` says that it compares float64.
    """

    nodes: Nodes
    targets: int
    link: str
    classes: int = 0
    scale: float = 1.0
    base: tuple[float, ...] = ()
    wide: bool = False


def answers(graph: GrowingGraph, model: Boosted, given: str, double: bool) -> tuple[str, ...]:
    """Adds the model behind the tensor `given`; the names of (place of the class, probabilities), or of (numbers,).

    `double`: what is given is float64. All answers are float32, [rows, ...].
    """
    wide, base = double and model.wide, model.base or (0.0,) * model.targets
    read = graph.node("Cast", [given], to=_FLOAT) if double and not wide else given
    if wide:
        attributes = model.nodes.in_double(model.targets, base)
    else:
        attributes = model.nodes.in_single(model.targets, base, down=model.wide)
    sums = graph.node("TreeEnsembleRegressor", [read], DOMAIN, post_transform="NONE", **attributes)
    values = _linked(graph, model, sums)
    if not model.classes:
        return (values,)
    if model.classes == 2 and model.targets == 1:
        other = graph.node("Sub", [graph.constant(np.array([1], np.float32)), values])
        values = graph.node("Concat", [other, values], axis=1)
    return graph.node("ArgMax", [values], axis=1, keepdims=0), values


def rounded_down(values: Sequence[float]) -> Any:
    """The largest float32 that are not above the values: x <= value decides the same for every float32 x."""
    exact = np.asarray(values, np.float64)
    with np.errstate(over="ignore"):
        single = exact.astype(np.float32)
    return np.where(single > exact, np.nextafter(single, np.float32(-np.inf)), single)


def _linked(graph: GrowingGraph, model: Boosted, sums: str) -> str:
    if model.scale != 1.0:
        sums = graph.node("Mul", [sums, graph.constant(np.array([model.scale], np.float32))])
    if model.link == "none":
        return sums
    if model.link == "softmax":
        return graph.node("Softmax", [sums], axis=1)
    if model.link == "square":
        return graph.node("Mul", [sums, graph.node("Abs", [sums])])
    return graph.node(model.link.capitalize(), [sums])


def _tensor(name: str, values: Sequence[float]) -> Any:
    from onnx import helper

    return helper.make_tensor(name, _DOUBLE, [len(values)], list(map(float, values)))
