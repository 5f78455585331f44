"""The formats an export can have: how each is written, and how it answers on this machine.

    onnx       as the entry holds it                       asked in onnxruntime
    openvino   IR in fp32, by OpenVINO's own reader        asked in OpenVINO, on the CPU, in fp32
    tflite     fp32, by onnx2tf (tflite)                   asked in LiteRT
    coreml     refused: coremltools reads ONNX no longer, and its runtime is on macOS only

A format whose converter or runtime is missing is refused in a sentence before anything is read.
"""

import importlib.util
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from modelyard.builder.inference.sessions import Feed, open_model
from modelyard.builder.inspection.graph import Graph
from modelyard.builder.inspection.model_file import inspect
from modelyard.core.failure_causes import blamed
from modelyard.errors import InvalidSettings, UnsupportedModel

from . import tflite as tflite

_NO_COREML = (
    "Core ML models cannot be made here: coremltools no longer reads ONNX, and what it writes runs on macOS only, so "
    "nothing could be checked; on a Mac, give the PyTorch module behind the entry to coremltools.convert."
)


@dataclass(frozen=True)
class Format:
    """One format. `file` is what a runtime opens in the archive's model/; `against` says what is missing, or None.

    `convert(model.onnx, its graph, folder)` writes the format and returns who did; `answer(file, inputs by name)`
    returns outputs by name and who computed them. Both raise UnsupportedModel.
    """

    name: str
    file: str
    against_making: Callable[[], str | None]
    against_asking: Callable[[], str | None]
    convert: Callable[[Path, Graph, Path], str]
    answer: Callable[[Path, Feed], tuple[Feed, str]]


def format_of(name: str) -> Format:
    """A format by name; raises InvalidSettings for one this Modelyard does not know."""
    if name not in FORMATS:
        raise InvalidSettings(f"{name!r} is no format Modelyard knows: use one of {', '.join(FORMATS)}.")
    return FORMATS[name]


def require(reason: str | None) -> None:
    """Raises InvalidSettings with the reason, when there is one."""
    if reason:
        raise InvalidSettings(reason)


def _nothing() -> None:
    return None


def _copy(model: Path, graph: Graph, folder: Path) -> str:
    for name in (model.name, *graph.data_files):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(model.parent / name, folder / name)
    return ""


def _answer_onnxruntime(path: Path, feed: Feed) -> tuple[Feed, str]:
    inspect(path)  # refuses weights outside the folder before a runtime opens them
    return open_model(path, threads=1)(feed), f"onnxruntime {version('onnxruntime')}"


def _against_openvino() -> str | None:
    if importlib.util.find_spec("openvino") is None:
        return "OpenVINO is not installed here: pip install 'modelyard[optimize]'."
    return None


def _convert_openvino(model: Path, graph: Graph, folder: Path) -> str:
    from modelyard.builder.inspection.onnx_graph import read_model
    from modelyard.builder.inspection.onnx_io import operators
    from modelyard.builder.inspection.openvino_conversion import converted, saved

    classic = sorted(name for name in operators(read_model(model)) if name.startswith("ai.onnx.ml:"))
    if classic:
        operator = classic[0].split(":")[1]
        raise UnsupportedModel(
            f"OpenVINO has no {operator}: it reads neural networks, not classic models; export with --format onnx."
        )
    try:
        saved(converted(model), folder, small=False)
    except UnsupportedModel as bad:
        raise UnsupportedModel(f"{str(bad).split(';')[0].rstrip('.')}; export with --format onnx.") from bad
    return f"openvino {version('openvino')}"


def _answer_openvino(path: Path, feed: Feed) -> tuple[Feed, str]:
    from modelyard.builder.inspection.openvino_library import openvino

    # Without the hint, processors with bfloat16 units compute in it, and the check would judge them.
    options: dict[str, Any] = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 1}
    try:
        compiled = openvino().Core().compile_model(str(path), "CPU", options)
        answer = compiled(feed)
    except (RuntimeError, ValueError, TypeError) as bad:
        raise blamed(bad, f"OpenVINO cannot run it: {' '.join(str(bad).split())[:300]}") from bad
    outputs = {name: answer[port] for port in compiled.outputs for name in port.names}
    return outputs, f"openvino {version('openvino')}"


def _no_coreml() -> str:
    return _NO_COREML


def _refuse(*_: object) -> Any:
    raise UnsupportedModel(_NO_COREML)


FORMATS = {
    form.name: form
    for form in (
        Format("onnx", "model.onnx", _nothing, _nothing, _copy, _answer_onnxruntime),
        Format("openvino", "model.xml", _against_openvino, _against_openvino, _convert_openvino, _answer_openvino),
        Format(
            "tflite",
            tflite.FILE,
            tflite.against_making,
            tflite.against_asking,
            tflite.convert,
            tflite.answer,
        ),
        Format("coreml", "model.mlpackage", _no_coreml, _no_coreml, _refuse, _refuse),
    )
}
