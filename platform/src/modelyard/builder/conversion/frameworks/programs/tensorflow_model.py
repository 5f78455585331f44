"""A Keras model, `model.save("model.keras")`, or a SavedModel, a folder with saved_model.pb: its serving_default."""

import os
import sys
from pathlib import Path
from typing import Any

os.environ |= {"KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}

import numpy as np
import onnx
import tensorflow  # type: ignore[import-not-found]

from .chunks import in_chunks
from .trees import CannotBeSaid

OPSET, IR_VERSION = 18, 10
SIGNATURE = "serving_default"


def convert(path: Path, folder: Path) -> dict[str, Any]:
    """Writes single.onnx; the version of the library."""
    target = folder / "single.onnx"
    if path.is_dir():
        _signature(path)
        _convert_saved(path, target)
    else:
        network = _keras(path)
        _call(network)
        network.export(str(target), format="onnx", verbose=False, opset_version=OPSET)
    model = onnx.load(str(target))
    model.ir_version = min(model.ir_version, IR_VERSION)
    target.write_bytes(model.SerializeToString())
    return {"version": tensorflow.__version__}


def answer(path: Path, rows: dict[str, Any]) -> dict[str, Any]:
    """Its own answers to arrays by input name, by output name where the model has names, else in its order."""
    if path.is_dir():
        function = _signature(path)
        return in_chunks(rows, lambda part: _arrays(function(**{n: tensorflow.constant(a) for n, a in part.items()})))
    model = _keras(path)

    def ask(part: dict[str, Any]) -> dict[str, Any]:
        given = [tensorflow.constant(array) for array in part.values()]
        return _arrays(model(given if len(given) > 1 else given[0], training=False))

    return in_chunks(rows, ask)


def _arrays(answers: Any) -> dict[str, Any]:
    if isinstance(answers, dict):
        return {name: np.asarray(tensor) for name, tensor in answers.items()}
    several = answers if isinstance(answers, list | tuple) else [answers]
    return {f"output_{place}": np.asarray(tensor) for place, tensor in enumerate(several)}


def _call(network: Any) -> None:
    """Asks it once, with zeros: Keras exports no network that it has not seen at work."""
    shapes = [(1, *(size or 1 for size in given.shape[1:])) for given in network.inputs]
    network([tensorflow.zeros(shape, given.dtype) for shape, given in zip(shapes, network.inputs, strict=True)])


def _keras(path: Path) -> Any:
    import keras  # type: ignore[import-not-found]

    return keras.saving.load_model(path, compile=False, safe_mode=True)


def _signature(path: Path) -> Any:
    signatures = tensorflow.saved_model.load(str(path)).signatures
    if SIGNATURE not in signatures:
        raise CannotBeSaid(
            f"it has no signature {SIGNATURE}; save it with one: tf.saved_model.save(..., signatures=...)"
        )
    return signatures[SIGNATURE]


def _convert_saved(path: Path, target: Path) -> None:
    from tf2onnx import convert as tf2onnx  # type: ignore[import-not-found]

    words = ["--saved-model", str(path), "--signature_def", SIGNATURE, "--output", str(target), "--opset", str(OPSET)]
    sys.argv = ["tf2onnx", *words]
    tf2onnx.main()
