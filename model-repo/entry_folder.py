"""One version's folder, written the same way by every make.py.

    modelyard.yaml   name, version, framework, task and the rest; metrics are what was measured just now
    model.onnx       one self-contained file, read by onnxruntime 1.17 and newer
    eval.npz         input:<tensor> and output:<tensor> (first dimension: samples), labels: what is true, and
                     where it is judged by groups slice:<column>: the group of each sample
    MODEL_CARD.md    written by hand, but for the figures and whatever else is between two markers

A written model is at once compared with the trained one; what it measures on held-out data is its figures.
"""

import re
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import yaml

IR_VERSION = 9  # onnxruntime 1.17 reads up to this; so the file also runs on older Tritons
OPSET = 18
TOLERANCE = 1e-4

Arrays = dict[str, np.ndarray]


class _Yaml(yaml.SafeDumper):
    """Lists of plain values on one line, everything else on lines of its own."""

    def represent_short(self, data: list[Any]) -> yaml.Node:
        return self.represent_sequence("tag:yaml.org,2002:seq", data, flow_style=not isinstance(data[0], dict))


_Yaml.add_representer(list, _Yaml.represent_short)


def write_model(folder: Path, model: onnx.ModelProto) -> None:
    """Write `model.onnx` without the traces of the machine that made it; raises when the graph is not valid."""
    model.ir_version = IR_VERSION
    model.doc_string = ""
    del model.metadata_props[:]
    del model.graph.metadata_props[:]
    for part in (*model.graph.node, *model.graph.initializer, *model.graph.value_info, *model.functions):
        part.doc_string = ""
        del part.metadata_props[:]
    for value in (*model.graph.input, *model.graph.output):
        del value.metadata_props[:]
    onnx.checker.check_model(model, full_check=True)
    (folder / "model.onnx").write_bytes(model.SerializeToString(deterministic=True))


def session(folder: Path) -> onnxruntime.InferenceSession:
    """The written model, on one core so that sums are added in one order."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    return onnxruntime.InferenceSession(folder / "model.onnx", options, providers=["CPUExecutionProvider"])


def answers(folder: Path, inputs: Arrays) -> Arrays:
    """What the written model answers to `inputs`, by output name."""
    running = session(folder)
    names = [output.name for output in running.get_outputs()]
    return {name: np.asarray(value) for name, value in zip(names, running.run(names, inputs), strict=True)}


def write_eval(
    folder: Path, inputs: Arrays, expected: Arrays, labels: np.ndarray, slices: Arrays | None = None
) -> Arrays:
    """Write `eval.npz` and return what the written model answers; `slices` are groups [samples] by column.

    `expected` is what the trained model said before it became ONNX; AssertionError when the written model differs
    from it, or answers a sample alone otherwise than among the others.
    """
    answered = answers(folder, inputs)
    _assert_close(answered, expected)
    for row in range(2):
        alone = answers(folder, {name: array[row : row + 1] for name, array in inputs.items()})
        _assert_close(alone, {name: array[row : row + 1] for name, array in expected.items()})
    named = {f"input:{name}": array for name, array in inputs.items()}
    named |= {f"output:{name}": array for name, array in expected.items()}
    named |= {f"slice:{name}": array for name, array in (slices or {}).items()}
    np.savez_compressed(folder / "eval.npz", allow_pickle=False, **named, labels=labels)
    return answered


def _assert_close(answered: Arrays, expected: Arrays) -> None:
    for name, array in expected.items():
        np.testing.assert_allclose(answered[name], array, rtol=TOLERANCE, atol=TOLERANCE, err_msg=name)


def write_description(folder: Path, description: dict[str, Any], metrics: dict[str, float | int]) -> None:
    """Write `modelyard.yaml` and the figures in the card; print them."""
    metrics = {name: value if isinstance(value, int) else round(float(value), 4) for name, value in metrics.items()}
    described = {"name": folder.parent.name, "version": folder.name, **description, "metrics": metrics}
    (folder / "modelyard.yaml").write_text(yaml.dump(described, Dumper=_Yaml, sort_keys=False, width=110))
    lines = [f"| {name} | {value:g} |" for name, value in metrics.items()]
    write_part(folder / "MODEL_CARD.md", "figures", "\n".join(["| metric | value |", "|---|---|", *lines]))
    print(f"{described['name']} {described['version']}: " + ", ".join(f"{k} {v:g}" for k, v in metrics.items()))


def write_part(card: Path, part: str, text: str) -> None:
    """Put `text` between the markers of a part of the card; raises ValueError when they are not there once."""
    markers = re.compile(rf"(<!-- {part} -->\n).*(<!-- /{part} -->)", re.DOTALL)
    written, places = markers.subn(lambda found: f"{found[1]}{text}\n{found[2]}", card.read_text())
    if places != 1:
        raise ValueError(f"{card} needs the markers <!-- {part} --> and <!-- /{part} -->, once each.")
    card.write_text(written)
