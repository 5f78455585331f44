"""Dimension 0 of outputs, declared as it was found to be.

Converters of boosted trees declare their labels as [1] and give one a row. The runtimes take such a declaration for
a check of every answer, and Triton's own backend refuses a configuration that says otherwise.
"""

from pathlib import Path

from modelyard.builder.inspection.onnx_graph import read_model

_BATCH = "modelyard_batch"


def declare_batch(path: Path) -> None:
    """Opens dimension 0 of every output of the batchable ONNX model at `path` that declares it fixed."""
    import onnx

    model = read_model(path)
    fixed = [
        value.type.tensor_type.shape.dim[0]
        for value in model.graph.output
        if value.type.tensor_type.shape.dim and value.type.tensor_type.shape.dim[0].HasField("dim_value")
    ]
    if not fixed:
        return
    for dim in fixed:
        dim.dim_param = _BATCH
    onnx.save(model, str(path))
