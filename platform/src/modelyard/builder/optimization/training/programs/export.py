"""From a torch network to the ONNX file that all other passes go on from.

Names, datatypes and the dynamic batch are those of the entry's model. Rounding that `qat` put in becomes
QuantizeLinear and DequantizeLinear; quantized weights are stored in 8 bits, not computed at every start.
"""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from onnxscript import opset18 as op
from torch import Tensor, nn

from . import qat as qat  # registers modelyard::rounded

OPSET, IR_VERSION = 18, 9  # onnxruntime 1.17 reads up to these
_MOST_ROWS = 4096


def export(
    network: nn.Module, sample: tuple[Tensor, ...], inputs: Sequence[str], outputs: Sequence[str], path: Path
) -> None:
    """Writes PATH; `sample` has at least two rows. Raises whatever torch says when it cannot export the module."""
    logging.getLogger("torch").setLevel(logging.ERROR)
    batch = torch.export.Dim("batch", min=1, max=_MOST_ROWS)
    program = torch.onnx.export(
        network.eval(),
        tuple(array[:2].contiguous() for array in sample),
        dynamo=True,
        dynamic_shapes=tuple({0: batch} for _ in sample),
        input_names=list(inputs),
        output_names=list(outputs),
        opset_version=OPSET,
        custom_translation_table={torch.ops.modelyard.rounded.default: _rounded},
        verbose=False,
    )
    assert program is not None
    model = program.model_proto
    model.ir_version = IR_VERSION
    store_in_8_bits(model)
    forget_traces(model)
    onnx.save(model, str(path))


def store_in_8_bits(model: onnx.ModelProto) -> None:
    """Turns weights that QuantizeLinear rounds at every start into initializers of 8 bits, in place."""
    graph = model.graph
    held = {tensor.name: tensor for tensor in graph.initializer}
    for node in [node for node in graph.node if node.op_type == "QuantizeLinear" and node.input[0] in held]:
        if not all(name in held for name in node.input):
            continue
        weight, scale, zero = (numpy_helper.to_array(held[name]) for name in node.input[:3])
        limits = np.iinfo(zero.dtype)
        steps = np.rint(weight / scale.reshape(-1, *[1] * (weight.ndim - 1))).clip(limits.min, limits.max)
        graph.initializer.append(numpy_helper.from_array(steps.astype(zero.dtype), node.output[0]))
        graph.node.remove(node)
    used = {name for node in graph.node for name in node.input}
    for tensor in [tensor for tensor in graph.initializer if tensor.name not in used]:
        graph.initializer.remove(tensor)


def forget_traces(model: onnx.ModelProto) -> None:
    """Removes, in place, what torch notes about every node: it names the author's paths and takes much room."""
    graph = model.graph
    for element in (model, graph, *graph.node, *graph.initializer, *graph.value_info, *graph.input, *graph.output):
        element.doc_string = ""
        del element.metadata_props[:]


def _rounded(values: Any, scale: Any, zero_point: Any) -> Any:
    """Axis 0 is that of weights; with one scale for a tensor it is not looked at."""
    return op.DequantizeLinear(op.QuantizeLinear(values, scale, zero_point, axis=0), scale, zero_point, axis=0)


def answers(path: Path, feed: dict[str, np.ndarray]) -> list[np.ndarray]:
    """The outputs of the ONNX file in onnxruntime on the CPU, in the order of the model."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return [np.asarray(array) for array in session.run(None, feed)]
