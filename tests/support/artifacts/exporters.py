"""Small models with the traits of their exporters: how nodes are named, which opsets, what shapes are declared.

The exporters themselves are heavy and not installed; scikit-learn's is, and makes its own.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from onnx import TensorProto, helper, numpy_helper

node = helper.make_node
_RANDOM = np.random.default_rng(0)


def _weight(name: str, *dims: int) -> Any:
    return numpy_helper.from_array(_RANDOM.normal(size=dims).astype(np.float32), name)


def _model(producer: str, nodes: list[Any], weights: list[Any], opset: int, names: tuple[str, str], dims: Any) -> Any:
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, dims) for name in names]
    graph = helper.make_graph(nodes, "main", ends[:1], ends[1:], weights)
    imports = [helper.make_opsetid("", opset), helper.make_opsetid("ai.onnx.ml", 3)]
    return helper.make_model(graph, opset_imports=imports, ir_version=8, producer_name=producer)


def torch() -> Any:
    """Names by module path, tensors with dots and slashes, dim_params of an older exporter."""
    nodes = [
        node("Gemm", ["input.1", "fc.weight", "fc.bias"], ["/fc/Gemm_output_0"], name="/fc/Gemm", transB=1),
        node("Relu", ["/fc/Gemm_output_0"], ["/act/Relu_output_0"], name="/act/Relu"),
        node("Gemm", ["/act/Relu_output_0", "out.weight"], ["5"], name="/out/Gemm", transB=1),
    ]
    weights = [_weight("fc.weight", 8, 8), _weight("fc.bias", 8), _weight("out.weight", 8, 8)]
    return _model("pytorch", nodes, weights, 17, ("input.1", "5"), ("dynamic_axes_1", 8))


def tf2onnx() -> Any:
    """Names with colons and scopes, a Cast and an If of tf.cond, opset 13, unk__ dimensions."""
    then = helper.make_graph(
        [node("MatMul", ["h:0", "w2"], ["t:0"], name="cond/MatMul")], "then",
        [], [helper.make_tensor_value_info("t:0", TensorProto.FLOAT, None)],
    )  # fmt: skip
    other = helper.make_graph(
        [node("MatMul", ["h:0", "w3"], ["e:0"], name="cond/MatMul")], "else",
        [], [helper.make_tensor_value_info("e:0", TensorProto.FLOAT, None)],
    )  # fmt: skip
    nodes = [
        node("MatMul", ["x:0", "w1"], ["h:0"], name="StatefulPartitionedCall/model/dense/MatMul"),
        node("ReduceMax", ["h:0"], ["m:0"], name="StatefulPartitionedCall/Max", keepdims=0),
        node("Cast", ["m:0"], ["c:0"], name="Cast__12", to=TensorProto.BOOL),
        node("If", ["c:0"], ["Identity:0"], name="StatefulPartitionedCall/cond", then_branch=then, else_branch=other),
    ]
    return _model(
        "tf2onnx", nodes, [_weight(f"w{i}", 8, 8) for i in (1, 2, 3)], 13, ("x:0", "Identity:0"), ("unk__1", 8)
    )


def jax2tf() -> Any:
    """XLA's ops as tf2onnx leaves them: several nodes of one source line without a name, range and clip among them."""
    nodes = [
        node("MatMul", ["args_0", "w1"], ["dot_general"]),
        node("Min", ["dot_general", "high"], ["min"]),
        node("Max", ["min", "low"], ["max"]),
        node("CumSum", ["max", "axis"], ["sum"]),
        node("Resize", ["sum", "", "scales"], ["resized"], mode="nearest"),
        node("CumSum", ["resized", "axis"], ["sum_1"]),
        node("MatMul", ["sum_1", "w2"], ["jax2tf_result"]),
    ]
    weights = [
        _weight("w1", 8, 8), _weight("w2", 8, 8), numpy_helper.from_array(np.float32(3), "high"),
        numpy_helper.from_array(np.float32(-3), "low"), numpy_helper.from_array(np.array(1, np.int32), "axis"),
        numpy_helper.from_array(np.ones(2, np.float32), "scales"),
    ]  # fmt: skip
    return _model("tf2onnx", nodes, weights, 15, ("args_0", "jax2tf_result"), ("b", 8))


def paddle() -> Any:
    """Nothing is named, constants are nodes, dimensions are -1 or left out, opset 11."""
    nodes = [
        node("Constant", [], ["linear_0.w_0"], value=_weight("", 8, 8)),
        node("Constant", [], ["linear_0.b_0"], value=_weight("", 8)),
        node("MatMul", ["x", "linear_0.w_0"], ["linear_0.tmp_0"]),
        node("Add", ["linear_0.tmp_0", "linear_0.b_0"], ["linear_0.tmp_1"]),
        node("Softmax", ["linear_0.tmp_1"], ["save_infer_model/scale_0.tmp_0"], axis=1),
    ]
    return _model("PaddlePaddle", nodes, [], 11, ("x", "save_infer_model/scale_0.tmp_0"), (-1, 8))


def keras() -> Any:
    """Layers by name, the same name again where a layer is shared, None for the batch."""
    nodes = [
        node("MatMul", ["input_1", "dense/kernel"], ["dense/MatMul:0"], name="functional_1/dense/MatMul"),
        node("Relu", ["dense/MatMul:0"], ["dense/Relu:0"], name="functional_1/dense/Relu"),
        node("MatMul", ["dense/Relu:0", "dense/kernel"], ["dense_1:0"], name="functional_1/dense/MatMul_1"),
        node("Sigmoid", ["dense_1:0"], ["output_0"], name="functional_1/dense/Sigmoid"),
    ]
    return _model("keras", nodes, [_weight("dense/kernel", 8, 8)], 18, ("input_1", "output_0"), (None, 8))


def skl2onnx() -> Any:
    """Made by the exporter itself: a scaler, a projection and a network."""
    from skl2onnx import to_onnx
    from sklearn.decomposition import PCA
    from sklearn.neural_network import MLPRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    rows = _RANDOM.normal(size=(32, 8)).astype(np.float32)
    model = make_pipeline(StandardScaler(), PCA(8), MLPRegressor(hidden_layer_sizes=(8,), max_iter=3, random_state=0))
    return to_onnx(model.fit(rows, rows[:, 0]), rows[:1], target_opset={"": 18, "ai.onnx.ml": 3})


def onnxmltools() -> Any:
    """A boosted tree as its converters write it: one node of ai.onnx.ml, a Mul, and labels declared as [1]."""
    trees = node(
        "TreeEnsembleRegressor", ["input"], ["margin"], domain="ai.onnx.ml", name="TreeEnsembleRegressor",
        n_targets=1, nodes_featureids=[3, 0, 0], nodes_modes=["BRANCH_LT", "LEAF", "LEAF"], nodes_nodeids=[0, 1, 2],
        nodes_treeids=[0, 0, 0], nodes_truenodeids=[1, 0, 0], nodes_falsenodeids=[2, 0, 0],
        nodes_values=[0.1, 0.0, 0.0],
        target_ids=[0, 0], target_nodeids=[1, 2], target_treeids=[0, 0], target_weights=[1.0, -1.0],
    )  # fmt: skip
    nodes = [trees, node("MatMul", ["margin", "w"], ["variable"], name="")]
    proto = _model("OnnxMLTools", nodes, [_weight("w", 1, 4)], 15, ("input", "variable"), (None, 8))
    proto.graph.output[0].type.tensor_type.shape.dim[0].dim_value = 1
    proto.graph.output[0].type.tensor_type.shape.dim[1].dim_value = 4
    return proto


EXPORTERS: dict[str, Callable[[], Any]] = {
    maker.__name__: maker for maker in (torch, tf2onnx, jax2tf, paddle, keras, skl2onnx, onnxmltools)
}
