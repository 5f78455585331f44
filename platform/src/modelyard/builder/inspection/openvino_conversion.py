"""From ONNX to OpenVINO's IR, by OpenVINO's own reader."""

from pathlib import Path
from typing import Any

from modelyard.core.failure_causes import blamed

from .openvino_library import openvino

_MESSAGE_LENGTH = 300


def converted(path: Path) -> Any:
    """The openvino.Model of an ONNX file.

    Raises UnsupportedModel when OpenVINO lacks an operator, HostFailure when the machine failed.
    """
    try:
        return openvino().Core().read_model(str(path))
    except RuntimeError as bad:
        message = " ".join(str(bad).split())[-_MESSAGE_LENGTH:]
        raise blamed(bad, f"OpenVINO cannot read this model ({message}); it stays with onnxruntime.") from bad


def saved(model: Any, folder: Path, small: bool) -> Path:
    """Writes an openvino.Model as FOLDER/model.xml and model.bin and returns the former; `small`: weights in fp16."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "model.xml"
    openvino().save_model(model, str(path), compress_to_fp16=small)
    return path
