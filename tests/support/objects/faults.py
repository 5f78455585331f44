"""How pods look when something is wrong with them, as the kubelet reports it, and what the server's log says.

The logs are what Triton 2.51 wrote on a machine without a GPU, shortened in the middle.
"""

from typing import Any

TRUNCATED_MODEL_LOG = """\
E1121 10:16:55.701804 1 server.cc:241] "CudaDriverHelper has not been initialized."
I1121 10:16:55.712311 1 model_lifecycle.cc:472] "loading: digits:1"
I1121 10:16:57.219953 1 pb_stub.cc:366] "Failed to initialize Python stub: TritonModelException: onnxruntime cannot \
load model.onnx: [ONNXRuntimeError] : 7 : INVALID_PROTOBUF\\n\\nAt:\\n  /backends/onnxruntime/model.py(98)\\n"
E1121 10:16:57.368379 1 backend_model.cc:692] "ERROR: Failed to create instance: TritonModelException: onnxruntime \
cannot load model.onnx: [ONNXRuntimeError] : 7 : INVALID_PROTOBUF\\n\\nAt:\\n  /backends/onnxruntime/model.py(98)\\n"
E1121 10:16:57.368558 1 model_lifecycle.cc:642] "failed to load 'digits' version 1: Internal: TritonModelException: \
onnxruntime cannot load model.onnx: [ONNXRuntimeError] : 7 : INVALID_PROTOBUF : Protobuf parsing failed.\\n\\nAt:\\n  \
/backends/onnxruntime/model.py(98): initialize\\n"
I1121 10:16:57.368601 1 model_lifecycle.cc:777] "failed to load 'digits'"
Error: Failed to initialize NVML
I1121 10:16:57.370190 1 server.cc:345] "Timeout 30: Found 0 live models and 0 in-flight non-inference requests"
error: creating server: Internal - failed to load all models
"""
UNKNOWN_BACKEND_LOG = """\
E1121 10:16:58.494265 1 server.cc:241] "CudaDriverHelper has not been initialized."
E1121 10:16:58.501970 1 model_lifecycle.cc:642] "failed to load 'digits' version 1: Invalid argument: unable to find \
backend library for backend 'nosuch', try specifying runtime on the model configuration."
error: creating server: Internal - failed to load all models
"""
PORT_TAKEN_LOG = """\
E1121 10:16:58.494265 1 server.cc:241] "CudaDriverHelper has not been initialized."
I1121 10:16:59.101970 1 server.cc:674] "digits READY"
E1121 10:16:59.301970 1 main.cc:278] "failed to start HTTP service: Unavailable - Socket '0.0.0.0:8080' already in use"
"""


def crashed(exit_code: int = 1, reason: str = "Error", message: str = "", **more: Any) -> dict[str, Any]:
    """A container in its crash loop."""
    ended = {"exitCode": exit_code, "reason": reason, "message": message}
    waiting = {"waiting": {"reason": "CrashLoopBackOff"}}
    status = {"name": "kserve-container", "restartCount": 2, "state": waiting, "lastState": {"terminated": ended}}
    return {**status, **more}


def waiting(reason: str, **more: Any) -> dict[str, Any]:
    """A container that cannot start."""
    state = {"waiting": {"reason": reason, **more}}
    return {"name": "kserve-container", "image": "docker.io/modelyard/triton-cpu:0.1.0", "state": state}


def unschedulable(message: str = "0/1 nodes are available: 1 Insufficient memory.") -> dict[str, Any]:
    return {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message}


def restarted(exit_code: int, reason: str = "Error", message: str = "") -> dict[str, Any]:
    """A server that runs again after it ended with that code."""
    ended = {"terminated": {"exitCode": exit_code, "reason": reason, "message": message}}
    return {"name": "kserve-container", "ready": True, "restartCount": 1, "state": {"running": {}}, "lastState": ended}


FAULTS: dict[str, dict[str, Any]] = {
    "": {"containerStatuses": [{"name": "kserve-container", "ready": True, "restartCount": 0}]},
    "slow": {"containerStatuses": [{"name": "kserve-container", "ready": False, "restartCount": 0}]},
    "crash": {"containerStatuses": [crashed()]},
    "memory": {"containerStatuses": [crashed(137, "OOMKilled")]},
    "image": {"containerStatuses": [waiting("ImagePullBackOff")]},
    "nodes": {"conditions": [unschedulable()]},
    "starting": {"containerStatuses": [waiting("PodInitializing")]},
    "restarted": {"containerStatuses": [restarted(139)]},
    "told to end": {"containerStatuses": [restarted(143)]},
}
"""Status of a pod by what is wrong with its revision; the empty word means nothing."""
