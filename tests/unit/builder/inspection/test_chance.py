"""Outputs that are drawn are known by the graph, not by two runs that happened to differ."""

from typing import Any

import numpy as np
import pytest
from onnx import helper, numpy_helper

from modelyard.builder.inspection.chance import outputs_of_chance
from tests.support.artifacts import onnx_models as models

node = helper.make_node


def a_model(nodes: list[Any], weights: list[Any] = [], outputs: str = "y") -> Any:  # noqa: B006
    ends = [models.value(name, ("n", 3)) for name in outputs]
    return models.model(nodes, [models.value("x", ("n", 3))], ends, weights)


def flag(value: bool) -> Any:
    return numpy_helper.from_array(np.array(value), "training")


HALF = numpy_helper.from_array(np.float32(0.5), "half")


def branching() -> Any:
    drawn = helper.make_graph([node("RandomNormalLike", ["x"], ["t"])], "t", [], [models.value("t", ("n", 3))])
    plain = helper.make_graph([node("Identity", ["x"], ["e"])], "e", [], [models.value("e", ("n", 3))])
    nodes = [
        node("ReduceSum", ["x"], ["s"], keepdims=0),
        node("Cast", ["s"], ["c"], to=9),
        node("If", ["c"], ["y"], then_branch=drawn, else_branch=plain),
    ]
    return a_model(nodes)


def calling() -> Any:
    """A function that calls another one, listed after it, which draws."""
    proto = a_model([node("Outer", ["x"], ["y"], domain="own")])
    opset = [helper.make_opsetid("", 18), helper.make_opsetid("own", 1)]
    proto.functions.append(
        helper.make_function("own", "Outer", ["a"], ["b"], [node("Inner", ["a"], ["b"], domain="own")], opset)
    )
    proto.functions.append(
        helper.make_function("own", "Inner", ["a"], ["b"], [node("RandomUniformLike", ["a"], ["b"])], opset)
    )
    return proto


@pytest.mark.parametrize(
    ("proto", "names"),
    [
        (a_model([node("RandomNormalLike", ["x"], ["r"]), node("Add", ["x", "r"], ["y"])]), {"y"}),
        (a_model([node("Multinomial", ["x"], ["y"]), node("Relu", ["x"], ["z"])], outputs="yz"), {"y"}),
        (a_model([node("Bernoulli", ["x"], ["y"])]), {"y"}),
        (a_model([node("Dropout", ["x", "half", "training"], ["y"])], [HALF, flag(True)]), {"y"}),
        (a_model([node("Dropout", ["x", "half", "training"], ["y"])], [HALF, flag(False)]), set()),
        (a_model([node("Constant", [], ["t"], value=flag(False)), node("Dropout", ["x", "half", "t"], ["y"])], [HALF]),
         set()),
        (a_model([node("Dropout", ["x"], ["y"])]), set()),
        (a_model([node("Dropout", ["x", "half", ""], ["y"])], [HALF]), set()),
        (a_model([node("Relu", ["x"], ["y"])]), set()),
        (branching(), {"y"}),
        (calling(), {"y"}),
    ],
    ids=["noise", "a draw beside a fact", "bernoulli", "dropout at work", "dropout off",
         "dropout off by a node", "dropout without a word",
         "dropout with an empty word", "relu", "in a branch", "in a function of a function"],
)  # fmt: skip
def test_what_is_reached_from_a_draw_is_of_chance(proto: Any, names: set[str]) -> None:
    assert outputs_of_chance(proto) == names
