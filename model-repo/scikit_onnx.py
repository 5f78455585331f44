"""A scikit-learn classifier on a table as ONNX: one float32 input, `label` and `probabilities` out.

ZipMap is off: probabilities are one tensor, which a server can answer, and not a list of dictionaries. It needs none of
its neighbours, so that a recipe can have it beside itself (census-income/training).
"""

from typing import Any

import onnx
from skl2onnx import convert_sklearn
from skl2onnx.common.data_types import FloatTensorType


def converted(classifier: Any, name: str, columns: int, opset: int) -> onnx.ModelProto:
    """A fitted classifier as ONNX of an opset, its batch dimension named and dynamic in every input and output."""
    model = convert_sklearn(
        classifier,
        name=name,  # the converter would draw a random one
        initial_types=[("input", FloatTensorType([None, columns]))],
        options={id(classifier): {"zipmap": False, "output_class_labels": False}},
        target_opset={"": opset, "ai.onnx.ml": 3},
    )
    assert isinstance(model, onnx.ModelProto)
    opsets = {used.domain: used.version for used in model.opset_import}  # the converter names one twice
    del model.opset_import[:]
    model.opset_import.extend(onnx.helper.make_opsetid(domain, version) for domain, version in opsets.items())
    for value in (*model.graph.input, *model.graph.output):
        value.type.tensor_type.shape.dim[0].dim_param = "batch"
    return model
