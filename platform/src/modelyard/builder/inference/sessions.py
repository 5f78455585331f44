"""A model file opened in the runtime it is for: onnxruntime for ONNX, OpenVINO for its IR (.xml), TensorRT for .plan.

The first two are opened with a fixed number of threads; a plan takes none, and always runs on the GPU it was built
for. A GPU that was asked for and not given is an error: onnxruntime falls back to the CPU without a word, and the
figures would be of another machine.
"""

from collections.abc import Callable
from pathlib import Path

from modelyard.builder.evaluation.evaluation_set import Feed, Run
from modelyard.builder.inspection.openvino_library import openvino
from modelyard.builder.inspection.runtime_messages import onnxruntime_message
from modelyard.core.failure_causes import blamed
from modelyard.errors import UnsupportedModel

CHUNK = 64
"""Rows that a batchable model is given at once."""
Opener = Callable[[Path, int, bool], Run]
"""From a model file, the number of threads and whether to use the GPU."""


def open_model(path: Path, threads: int, gpu: bool = False) -> Run:
    """A function from arrays by input name to arrays by output name.

    `threads` are those of one inference, `gpu` is for ONNX only. Raises UnsupportedModel when the runtime refuses the
    file or the GPU is not used, HostFailure when the machine failed.
    """
    if path.suffix == ".plan":
        from .tensorrt_session import open_plan

        return open_plan(path)
    return _openvino(path, threads) if path.suffix == ".xml" else _onnxruntime(path, threads, gpu)


def _onnxruntime(path: Path, threads: int, gpu: bool) -> Run:
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    providers = ["CUDAExecutionProvider", "CPUExecutionProvider"] if gpu else ["CPUExecutionProvider"]
    try:
        session = ort.InferenceSession(str(path), options, providers=providers)
    except Exception as bad:  # onnxruntime's exceptions share no base class
        raise blamed(bad, f"onnxruntime cannot run it: {onnxruntime_message(bad)}") from bad
    if session.get_providers()[0] != providers[0]:
        raise UnsupportedModel("onnxruntime does not run it on the GPU; install onnxruntime-gpu with its CUDA.")
    names = [output.name for output in session.get_outputs()]
    return lambda feed: dict(zip(names, session.run(names, feed), strict=True))


def _openvino(path: Path, threads: int) -> Run:
    ov = openvino()
    # Left alone, OpenVINO computes in bf16 where the processor can: other answers than the model's own.
    options = {"INFERENCE_NUM_THREADS": threads, "INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY"}
    try:
        compiled = ov.Core().compile_model(str(path), "CPU", options)
    except RuntimeError as bad:
        raise blamed(bad, f"OpenVINO cannot run it: {' '.join(str(bad).split())[:300]}") from bad
    request = compiled.create_infer_request()

    def run(feed: Feed) -> Feed:
        answer = request.infer(feed, share_inputs=True)
        return {name: answer[port].copy() for port in compiled.outputs for name in port.names}

    return run
