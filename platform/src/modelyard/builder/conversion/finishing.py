"""What the converter leaves to be mended in a converted model, so that every runtime here can run it.

ZipMap                      scores wrapped into maps although nobody asked: the tensor inside goes out
names of inputs             a column `age (years)` keeps its own: the converter writes age__years_
the shape of predict()      the same numbers in another one: networks give [rows x outputs, 1]
StringNormalizer            lower-cases in en_US, a locale on few images: C.UTF-8 is on all
trees in double precision   scikit-learn's trees compare in float32, and so does this form of them; others say how
Imputer in double precision has no kernel: the same in plain operators
scores in double precision  are float32 by the specification, whatever was declared
the order of operator sets  is that of a Python set, another one in some processes: the same file makes the same entry
"""

from collections.abc import Sequence
from typing import Any

from modelyard.builder.inspection.node_names import node_lists

_TREES = ("TreeEnsembleClassifier", "TreeEnsembleRegressor")
_ENGLISH = (b"", b"en_US", b"en_US.UTF-8")
_FLOAT, _DOUBLE = 1, 11


def finish(model: Any, double: bool, filled: list[Any]) -> None:
    """Mends a converted onnx.ModelProto in place; `double` when its numbers are float64.

    `filled` are arrays of what imputers put in, with all their digits: the graph holds them in float32.
    """
    _without_zipmap(model.graph)
    in_any_locale(model)
    if double:
        _in_double(model.graph, filled)


def settled(model: Any) -> bytes:
    """The bytes of a converted onnx.ModelProto, the same in every process: an entry is known by its content."""
    versions = sorted((opset.domain, opset.version) for opset in model.opset_import)
    del model.opset_import[:]
    for domain, version in versions:
        model.opset_import.add(domain=domain, version=version)
    return model.SerializeToString(deterministic=True)


def name_inputs(model: Any, names: Sequence[str]) -> None:
    """Gives the inputs of a converted onnx.ModelProto their names in order: skl2onnx rewrites `age (years)`."""
    renamed = {value.name: name for value, name in zip(model.graph.input, names, strict=True) if value.name != name}
    for nodes in node_lists(model) if renamed else ():
        for node in nodes:
            node.input[:] = [renamed.get(name, name) for name in node.input]
    for value in model.graph.input:
        value.name = renamed.get(value.name, value.name)


def reshape_output(model: Any, name: str, shape: Sequence[int]) -> None:
    """Lets output `name` of an onnx.ModelProto go out in `shape`, whose dimension 0 is left to the rows."""
    import numpy as np
    from onnx import helper, numpy_helper

    inside, dims = f"modelyard/{name}", f"modelyard/shape_of_{name}"
    for node in model.graph.node:
        node.input[:] = [inside if read == name else read for read in node.input]
        node.output[:] = [inside if made == name else made for made in node.output]
    model.graph.initializer.append(numpy_helper.from_array(np.array([-1, *shape[1:]], np.int64), dims))
    model.graph.node.append(helper.make_node("Reshape", [inside, dims], [name], name=f"modelyard/reshape_{name}"))
    for place, output in enumerate(model.graph.output):
        if output.name == name:
            kind = output.type.tensor_type.elem_type
            model.graph.output[place].CopyFrom(helper.make_tensor_value_info(name, kind, [None, *shape[1:]]))


def _without_zipmap(graph: Any) -> None:
    from onnx import helper

    for node in [node for node in graph.node if node.op_type == "ZipMap"]:
        output = next(value for value in graph.output if value.name == node.output[0])
        graph.node.remove(node)
        graph.output.remove(output)
        graph.output.append(helper.make_tensor_value_info(node.input[0], _FLOAT, [None, None]))


def in_any_locale(model: Any) -> bool:
    """Lets an onnx.ModelProto change the case of texts in C.UTF-8 instead of en_US; whether there was any to change."""
    import onnx

    changed = False
    for nodes in node_lists(model):
        for node in nodes:
            if node.op_type != "StringNormalizer":
                continue
            kept = [item for item in node.attribute if item.name != "locale"]
            named = next((item.s for item in node.attribute if item.name == "locale"), b"")
            if named not in _ENGLISH:
                continue
            attributes = [*kept, onnx.helper.make_attribute("locale", "C.UTF-8")]
            del node.attribute[:]
            node.attribute.extend(attributes)
            changed = True
    return changed


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

    if node.op_type in _TREES and not any(item.name == "nodes_values_as_tensor" for item in node.attribute):
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
