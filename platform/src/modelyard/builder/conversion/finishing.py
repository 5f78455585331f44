"""What the converter leaves to be mended in a converted model, so that every runtime here can run it.

ZipMap                      scores wrapped into maps although nobody asked: the tensor inside goes out
StringNormalizer            lower-cases in en_US, a locale on few images: C.UTF-8 is on all
trees in double precision   scikit-learn's trees compare in float32, and so does this form of them
Imputer in double precision has no kernel: the same in plain operators
scores in double precision  are float32 by the specification, whatever was declared
"""

from typing import Any

_TREES = ("TreeEnsembleClassifier", "TreeEnsembleRegressor")
_FLOAT, _DOUBLE = 1, 11


def finish(model: Any, double: bool, filled: list[Any]) -> None:
    """Mends a converted onnx.ModelProto in place; `double` when its numbers are float64.

    `filled` are arrays of what imputers put in, with all their digits: the graph holds them in float32.
    """
    _without_zipmap(model.graph)
    _in_any_locale(model.graph)
    if double:
        _in_double(model.graph, filled)


def _without_zipmap(graph: Any) -> None:
    from onnx import helper

    for node in [node for node in graph.node if node.op_type == "ZipMap"]:
        output = next(value for value in graph.output if value.name == node.output[0])
        graph.node.remove(node)
        graph.output.remove(output)
        graph.output.append(helper.make_tensor_value_info(node.input[0], _FLOAT, [None, None]))


def _in_any_locale(graph: Any) -> None:
    from onnx import helper

    for node in graph.node:
        if node.op_type == "StringNormalizer" and not any(item.name == "locale" for item in node.attribute):
            node.attribute.append(helper.make_attribute("locale", "C.UTF-8"))


def _in_double(graph: Any, filled: list[Any]) -> None:
    nodes = [made for place, node in enumerate(graph.node) for made in _for_double(graph, node, place, filled)]
    floats = {node.output[-1] for node in nodes if node.domain == "ai.onnx.ml" and node.op_type.startswith(_SCORING)}
    del graph.node[:]
    graph.node.extend(nodes)
    for output in graph.output:
        if output.name in floats and output.type.tensor_type.elem_type == _DOUBLE:
            output.type.tensor_type.elem_type = _FLOAT


_SCORING = ("TreeEnsemble", "SVM", "Linear")


def _for_double(graph: Any, node: Any, place: int, filled: list[Any]) -> list[Any]:
    """The nodes in place of `node`, which is the one at `place`."""
    from onnx import helper, numpy_helper

    if node.op_type in _TREES:
        narrow = f"modelyard/single/{place}"
        cast = helper.make_node("Cast", [node.input[0]], [narrow], to=_FLOAT)
        node.input[0] = narrow
        return [cast, node]
    if node.op_type != "Imputer":
        return [node]
    import numpy as np

    single = next(item.floats for item in node.attribute if item.name == "imputed_value_floats")
    values = next((exact for exact in filled if np.array_equal(exact.astype(np.float32), single)), single)
    missing, instead = f"modelyard/missing/{place}", f"modelyard/instead/{place}"
    graph.initializer.append(numpy_helper.from_array(np.array(values, np.float64), instead))
    return [
        helper.make_node("IsNaN", [node.input[0]], [missing]),
        helper.make_node("Where", [missing, instead, node.input[0]], [node.output[0]]),
    ]
