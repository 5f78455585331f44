"""Widths that a file leaves open and its weights settle."""

from typing import Any

import numpy as np
import pytest
from onnx import helper, numpy_helper

from modelyard.builder.inspection.implied_sizes import implied_sizes
from tests.support.artifacts import onnx_models as models

node = helper.make_node


def weight(name: str, *dims: int) -> Any:
    return numpy_helper.from_array(np.ones(dims, np.float32), name)


def a_model(nodes: list[Any], weights: list[Any], rank: int = 2) -> Any:
    return models.model(nodes, [models.value("x", [None] * rank)], [models.value("y", None)], weights)


def ml(kind: str, **attributes: Any) -> Any:
    return node(kind, ["x"], ["y"], domain="ai.onnx.ml", **attributes)


DEQUANTIZED = [node("DequantizeLinear", ["w8", "s"], ["w"]), node("MatMul", ["x", "w"], ["y"])]
INT8 = numpy_helper.from_array(np.ones((13, 2), np.int8), "w8")


@pytest.mark.parametrize(
    ("nodes", "weights", "rank", "size"),
    [
        ([node("MatMul", ["x", "w"], ["y"])], [weight("w", 13, 1)], 2, {1: 13}),
        ([node("MatMul", ["x", "w"], ["y"])], [weight("w", 13)], 3, {2: 13}),
        ([node("Gemm", ["x", "w"], ["y"], transB=1)], [weight("w", 2, 13)], 2, {1: 13}),
        ([node("Gemm", ["x", "w"], ["y"])], [weight("w", 13, 2)], 2, {1: 13}),
        ([node("Conv", ["x", "w"], ["y"], group=3)], [weight("w", 6, 1, 3, 3)], 4, {1: 3}),
        ([node("LSTM", ["x", "w", "r"], ["y"], hidden_size=2)], [weight("w", 1, 8, 13)], 3, {2: 13}),
        ([node("Relu", ["x"], ["z"]), node("MatMul", ["z", "w"], ["y"])], [weight("w", 13, 1)], 2, {1: 13}),
        (DEQUANTIZED, [INT8, weight("s")], 2, {1: 13}),
        ([node("Transpose", ["w"], ["v"]), node("MatMul", ["x", "v"], ["y"])], [weight("w", 1, 13)], 2, {1: 13}),
        (
            [
                node("Constant", [], ["w"], value=weight("w", 13, 1)),
                node("Constant", [], ["unused"], value_float=1.0),
                node("MatMul", ["x", "w"], ["y"]),
            ],
            [], 2, {1: 13},
        ),
        ([ml("LinearRegressor", coefficients=[1.0] * 26, targets=2)], [], 2, {1: 13}),
        ([ml("LinearClassifier", coefficients=[1.0] * 39, intercepts=[0.0] * 3)], [], 2, {1: 13}),
        (
            [node("Add", ["x", "b"], ["z"]), node("MatMul", ["z", "w"], ["y"])],
            [weight("b", 1), weight("w", 13, 1)], 2, {1: 13},
        ),
    ],
)  # fmt: skip
def test_a_size_that_alone_can_run_is_exact(nodes: list[Any], weights: list[Any], rank: int, size: dict) -> None:
    assert implied_sizes(a_model(nodes, weights, rank)).exact == {"x": size}


@pytest.mark.parametrize(
    ("nodes", "weights", "rank", "size"),
    [
        ([node("Sub", ["x", "mean"], ["y"])], [weight("mean", 13)], 2, {1: 13}),
        ([node("BatchNormalization", ["x", "a", "b", "c", "d"], ["y"])], [weight(n, 5) for n in "abcd"], 4, {1: 5}),
        ([ml("Scaler", offset=[0.0] * 13, scale=[1.0])], [], 2, {1: 13}),
        ([ml("SVMRegressor", support_vectors=[1.0] * 26, n_supports=2)], [], 2, {1: 13}),
        ([ml("SVMClassifier", support_vectors=[1.0] * 26, vectors_per_class=[1, 1])], [], 2, {1: 13}),
        ([ml("TreeEnsembleRegressor", nodes_featureids=[3, 12, 0])], [], 2, {1: 13}),
    ],
)
def test_the_size_a_model_was_trained_with_is_likely(
    nodes: list[Any], weights: list[Any], rank: int, size: dict
) -> None:
    implied = implied_sizes(a_model(nodes, weights, rank))

    assert (implied.exact, implied.likely) == ({}, {"x": size})


@pytest.mark.parametrize(
    ("nodes", "weights"),
    [
        (
            [node("MatMul", ["x", "a"], ["y"]), node("MatMul", ["x", "b"], ["z"])],
            [weight("a", 3, 1), weight("b", 4, 1)],
        ),
        ([node("Gemm", ["x", "w"], ["y"], transA=1)], [weight("w", 13, 2)]),
        ([node("MatMul", ["w", "x"], ["y"])], [weight("w", 13, 2)]),
        ([node("Reshape", ["x", "w"], ["z"]), node("MatMul", ["z", "w"], ["y"])], [weight("w", 13, 1)]),
        ([ml("Scaler", offset=[0.0], scale=[1.0])], []),
        ([ml("SVMRegressor", coefficients=[1.0] * 13)], []),
        ([ml("TreeEnsembleRegressor")], []),
        ([node("Conv", ["x", "w"], ["y"])], [weight("w", 6, 1, 3, 3)]),
        ([node("LSTM", ["x", "w"], ["y"])], [weight("w", 6, 1)]),
        ([node("MatMul", ["x", "w"], ["y"])], [weight("w")]),
    ],
)
def test_what_contradicts_itself_or_tells_nothing_is_left_open(nodes: list[Any], weights: list[Any]) -> None:
    implied = implied_sizes(a_model(nodes, weights))

    assert (implied.exact, implied.likely) == ({}, {})


def test_nodes_that_give_or_read_nothing_imply_nothing() -> None:
    nodes = [
        models.helper.make_node("Relu", ["x"], []),
        models.helper.make_node("Constant", [], []),
        models.helper.make_node("Transpose", [], ["t"]),
    ]
    proto = models.model(nodes, [models.value("x", ("n", None))], [models.value("t", None)])

    assert implied_sizes(proto).exact == {}
