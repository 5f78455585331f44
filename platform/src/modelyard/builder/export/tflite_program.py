"""Runs in an environment of its own, by a Python that has onnx2tf and LiteRT but not Modelyard.

    python -I tflite_program.py missing PACKAGE...                       prints those that cannot be imported
    python -I tflite_program.py convert MODEL.onnx MODEL.tflite NAME...  inputs NAME keep their shapes
    python -I tflite_program.py answer MODEL.tflite IN.npz OUT.npz       arrays by tensor name

The last two print who did it, with the version; what goes wrong is the last line of stderr.
"""

import contextlib
import importlib.util
import os
import shutil
import sys
from importlib import import_module
from importlib.metadata import version

_WRITTEN = "model_float32.tflite"


def missing(packages: list[str]) -> str:
    """Names of packages this Python lacks, and of an onnx2tf that still needs TensorFlow."""
    absent = [name for name in packages if importlib.util.find_spec(name) is None]
    if "onnx2tf" in packages and "onnx2tf" not in absent and _release("onnx2tf") < (2, 4):
        absent.append("onnx2tf")
    return " ".join(absent)


def _release(package: str) -> tuple[int, ...]:
    return tuple(int(number) for number in version(package).split(".")[:2])


def convert(model: str, target: str, inputs: list[str]) -> str:
    """Writes TARGET, the float32 form of what the converter makes, and returns its name and version."""
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
        import_module("onnx2tf").convert(
            input_onnx_file_path=model,
            output_folder_path="made",
            tflite_backend="flatbuffer_direct",
            keep_shape_absolutely_input_names=inputs,
            non_verbose=True,
            verbosity="error",
        )
    name = os.path.splitext(os.path.basename(model))[0]
    written = [file for file in os.listdir("made") if file in (_WRITTEN, f"{name}_float32.tflite")]
    shutil.copyfile(os.path.join("made", written[0]), target)
    return f"onnx2tf {version('onnx2tf')}"


def answer(model: str, inputs: str, target: str) -> str:
    """Runs MODEL once on the .npz `inputs`, tensors resized to them, and writes the outputs to the .npz `target`."""
    numpy = import_module("numpy")
    runtime = import_module("ai_edge_litert.interpreter").Interpreter(model, num_threads=1)
    with numpy.load(inputs, allow_pickle=False) as arrays:
        feed = {name: arrays[name] for name in arrays.files}
    tensors = runtime.get_input_details()
    for tensor in tensors:
        runtime.resize_tensor_input(tensor["index"], feed[tensor["name"]].shape)
    runtime.allocate_tensors()
    for tensor in tensors:
        runtime.set_tensor(tensor["index"], feed[tensor["name"]])
    runtime.invoke()
    outputs = {tensor["name"]: runtime.get_tensor(tensor["index"]) for tensor in runtime.get_output_details()}
    numpy.savez(target, **outputs)
    return f"ai-edge-litert {version('ai-edge-litert')}"


def main(arguments: list[str]) -> int:
    """0 when it is done, 1 with the reason on stderr."""
    verb, rest = arguments[0], arguments[1:]
    try:
        if verb == "missing":
            message = missing(rest)
        elif verb == "convert":
            message = convert(rest[0], rest[1], rest[2:])
        else:
            message = answer(rest[0], rest[1], rest[2])
    except (Exception, SystemExit) as bad:  # noqa: BLE001 - onnx2tf ends with both
        sys.stderr.write(f"\n{type(bad).__name__}: {' '.join(str(bad).split())}\n")
        return 1
    print(message)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
