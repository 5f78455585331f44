"""What a converter leaves is mended so that every runtime can run it."""

from typing import Any

import numpy as np
from onnx import helper

from modelyard.builder.conversion.finishing import finish, settled
from tests.support.artifacts import onnx_models as models


def test_maps_that_nobody_asked_for_go_out_as_the_tensor_inside() -> None:
    nodes = [
        helper.make_node("Identity", ["x"], ["scores"]),
        helper.make_node("ZipMap", ["scores"], ["maps"], domain="ai.onnx.ml", classlabels_int64s=[0, 1, 2]),
    ]
    kind = helper.make_map_type_proto(7, helper.make_tensor_type_proto(1, []))
    maps = helper.make_value_info("maps", helper.make_sequence_type_proto(kind))
    proto = models.model(nodes, [models.value("x", ("n", 3))], [maps])

    finish(proto, double=False, filled=[])

    assert [node.op_type for node in proto.graph.node] == ["Identity"]
    assert [output.name for output in proto.graph.output] == ["scores"]


def imputing() -> Any:
    node = helper.make_node(
        "Imputer", ["x"], ["y"], domain="ai.onnx.ml", imputed_value_floats=[1.7e9], replaced_value_float=float("nan")
    )
    return models.model([node], [models.value("x", ("n", 1), 11)], [models.value("y", ("n", 1), 11)])


def test_an_imputer_without_a_kernel_becomes_plain_operators_with_all_digits_there_are() -> None:
    for filled, value in (([np.array([1.7e9 + 3])], 1.7e9 + 3), ([np.array([5.0])], float(np.float32(1.7e9)))):
        proto = imputing()

        finish(proto, double=True, filled=filled)

        assert [node.op_type for node in proto.graph.node] == ["IsNaN", "Where"]
        assert models.numpy_helper.to_array(proto.graph.initializer[0]).tolist() == [value]


def test_the_same_model_has_the_same_bytes_in_every_process() -> None:
    """A converter writes the operator sets in the order of a Python set, which differs between processes."""
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid("ai.onnx.ml", 3)]
    first, second = imputing(), imputing()
    for proto, order in ((first, opsets), (second, opsets[::-1])):
        del proto.opset_import[:]
        proto.opset_import.extend(order)
    assert first.SerializeToString() != second.SerializeToString()

    assert settled(first) == settled(second)
    assert [(one.domain, one.version) for one in second.opset_import] == [("", 18), ("ai.onnx.ml", 3)]
