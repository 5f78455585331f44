"""Rewrites of quantized graphs: bit for bit the same answers, in the form that is fast."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper, numpy_helper

from modelyard.builder.optimization.passes.quantized_graph import rows_before_floats, small_tables, unsigned_activations
from tests.support.artifacts.onnx_models import INT64, model, value
from tests.support.artifacts.quantizable import attending, inputs_for

ROWS, WIDTH = 300, 16


def answered(proto: Any, feed: dict[str, Any]) -> Any:
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    return ort.InferenceSession(proto.SerializeToString(), options, providers=["CPUExecutionProvider"]).run(None, feed)[
        0
    ]


def signed_pair() -> Any:
    """x quantized to S8 around 5, and back."""
    nodes = [
        helper.make_node("QuantizeLinear", ["x", "scale", "zero"], ["q"]),
        helper.make_node("DequantizeLinear", ["q", "scale", "zero"], ["y"]),
    ]
    weights = [
        numpy_helper.from_array(np.float32(0.02), "scale"),
        numpy_helper.from_array(np.int8(5), "zero"),
    ]
    proto = model(nodes, [value("x", ("batch", 4))], [value("y", ("batch", 4))], weights)
    proto.graph.value_info.append(value("q", ("batch", 4), TensorProto.INT8))
    return proto


def table(zero: int = 0, axis: int = 0) -> Any:
    """Rows of an int8 table, made float as a whole before one is looked up."""
    random = np.random.default_rng(1)
    size = (ROWS, WIDTH)[axis]
    nodes = [
        helper.make_node("DequantizeLinear", ["table", "scale", "zero"], ["floats"], axis=axis),
        helper.make_node("Gather", ["floats", "ids"], ["y"]),
    ]
    weights = [
        numpy_helper.from_array(random.integers(-127, 128, (ROWS, WIDTH)).astype(np.int8), "table"),
        numpy_helper.from_array(random.random(size).astype(np.float32), "scale"),
        numpy_helper.from_array(np.full(size, zero, np.int8), "zero"),
    ]
    return model(nodes, [value("ids", ("batch", "n"), INT64)], [value("y", ("batch", "n", WIDTH))], weights)


IDS = {"ids": np.array([[0, 7, 299], [1, 1, 150]])}


def test_signed_activations_become_unsigned_and_answers_stay() -> None:
    proto = signed_pair()
    x = {"x": np.linspace(-4, 4, 12, dtype=np.float32).reshape(3, 4)}
    before = answered(proto, x)

    assert unsigned_activations(proto) == 2

    onnx.checker.check_model(proto, full_check=True)
    assert np.array_equal(answered(proto, x), before)
    zeros = [numpy_helper.to_array(tensor) for tensor in proto.graph.initializer if tensor.name.startswith("zero")]
    assert [(zero.dtype, int(zero)) for zero in zeros] == [(np.dtype(np.uint8), 133)]


def test_a_second_time_there_is_nothing_left_to_do() -> None:
    proto = signed_pair()
    unsigned_activations(proto)

    assert unsigned_activations(proto) == 0


def test_a_table_is_looked_up_before_it_is_made_float() -> None:
    proto = table()
    before = answered(proto, IDS)

    assert rows_before_floats(proto) == 1

    onnx.checker.check_model(proto, full_check=True)
    assert np.array_equal(answered(proto, IDS), before)
    assert "DequantizeLinear" not in {node.op_type for node in proto.graph.node}
    assert {tensor.name for tensor in proto.graph.initializer} == {"table", "scale"}


@pytest.mark.parametrize("proto", [table(zero=3), table(axis=1)], ids=["zero points", "scales by column"])
def test_a_table_it_cannot_read_by_rows_is_left_alone(proto: Any) -> None:
    before = proto.SerializeToString()

    assert rows_before_floats(proto) == 0
    assert proto.SerializeToString() == before


def test_float_tables_become_int8_with_a_scale_a_row() -> None:
    proto = attending()
    inputs = inputs_for(proto, rows=8)
    before = answered(proto, inputs)

    assert small_tables(proto) == 1

    onnx.checker.check_model(proto, full_check=True)
    stored = {tensor.name: tensor for tensor in proto.graph.initializer}
    whole = next(numpy_helper.to_array(t) for t in stored.values() if t.data_type == TensorProto.INT8)
    assert np.abs(whole.astype(int)).max(axis=1).tolist() == [127] * ROWS
    np.testing.assert_allclose(answered(proto, inputs), before, atol=0.1)


def test_a_table_that_is_also_multiplied_stays_float() -> None:
    proto = attending()
    looked = next(node for node in proto.graph.node if node.op_type == "Gather")
    proto.graph.node.append(helper.make_node("Identity", [looked.input[0]], ["copied"]))

    assert small_tables(proto) == 0


def test_a_small_table_is_not_worth_it() -> None:
    assert small_tables(attending(words=100)) == 0


def test_the_answers_of_a_real_lookup_do_not_depend_on_its_place(tmp_path: Path) -> None:
    proto = table()
    rows_before_floats(proto)

    alone = answered(proto, {"ids": np.array([[299]])})

    assert np.array_equal(alone[0, 0], answered(proto, IDS)[0, 2])
