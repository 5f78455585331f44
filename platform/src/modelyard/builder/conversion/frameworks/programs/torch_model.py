"""A PyTorch program, `torch.export.save(torch.export.export(module, args), "model.pt2")`."""

import logging
from pathlib import Path
from typing import Any

import numpy as np
import torch  # type: ignore[import-not-found]
from torch.utils import _pytree  # type: ignore[import-not-found]

from .chunks import in_chunks
from .trees import CannotBeSaid

OPSET, IR_VERSION = 18, 10


def convert(path: Path, folder: Path) -> dict[str, Any]:
    """Writes single.onnx; the version of the library."""
    logging.getLogger("torch").setLevel(logging.ERROR)
    program = torch.export.load(str(path))
    names = _outputs(program)
    written = torch.onnx.export(
        program, dynamo=True, opset_version=OPSET, input_names=_inputs(program), output_names=names, verbose=False
    )
    model = written.model_proto
    model.ir_version = min(model.ir_version, IR_VERSION)
    _forget_traces(model)
    (folder / "single.onnx").write_bytes(model.SerializeToString())
    return {"version": torch.__version__}


def answer(path: Path, rows: dict[str, Any]) -> dict[str, Any]:
    """Its own answers to arrays by input name."""
    program = torch.export.load(str(path))
    module, names, outputs = program.module(), _inputs(program), _outputs(program)

    def ask(part: dict[str, Any]) -> dict[str, Any]:
        given = [torch.from_numpy(np.ascontiguousarray(part[name])) for name in names]
        args, kwargs = _pytree.tree_unflatten(given, program.call_spec.in_spec)
        with torch.no_grad():
            leaves = _pytree.tree_leaves(module(*args, **kwargs))
        return dict(zip(outputs, (leaf.numpy() for leaf in leaves), strict=True))

    return in_chunks(rows, ask)


def _inputs(program: Any) -> list[str]:
    names = list(program.graph_signature.user_inputs)
    if not all(isinstance(name, str) for name in names):
        raise CannotBeSaid("it takes something that is no tensor; export a module that takes tensors alone")
    return names


def _outputs(program: Any) -> list[str]:
    """`output`, or the keys of the dict it gives, or output_0, output_1, ..."""
    spec, count = program.call_spec.out_spec, program.call_spec.out_spec.num_leaves
    if spec.type is dict and len(spec.context) == count:
        return [str(key) for key in spec.context]
    return ["output"] if count == 1 else [f"output_{place}" for place in range(count)]


def _forget_traces(model: Any) -> None:
    """Removes what torch notes about every node: it names the author's paths and takes much room."""
    graph = model.graph
    for element in (model, graph, *graph.node, *graph.initializer, *graph.value_info, *graph.input, *graph.output):
        element.doc_string = ""
        del element.metadata_props[:]
