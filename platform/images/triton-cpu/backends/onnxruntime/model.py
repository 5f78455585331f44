"""Triton backend `onnxruntime` for CPUs, in Python.

Triton loads this file for every model whose `config.pbtxt` says `backend: "onnxruntime"`, so one model
repository runs here and, on GPU nodes, on the backend of the same name in NVIDIA's image.

Parameters of `config.pbtxt` (the names are those of the backend it stands in for): `intra_op_thread_count`,
`inter_op_thread_count`, and `session.intra_op.allow_spinning` ("1" keeps idle threads hot).
"""

import site
from pathlib import Path

# The packages lie beside the backends, and this interpreter heeds no PYTHONPATH.
site.addsitedir(str(Path(__file__).resolve().parents[2] / "site"))

import modelyard_serving as serving
import onnxruntime as ort


def session_options(config: dict) -> ort.SessionOptions:
    """Thread settings from the model's parameters."""
    given = serving.parameters(config)
    options = ort.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = serving.threads(config)
    options.inter_op_num_threads = int(given.get("inter_op_thread_count", 1))
    # Spinning threads would use up a container's CPU quota while they wait.
    options.add_session_config_entry(
        "session.intra_op.allow_spinning", given.get("session.intra_op.allow_spinning", "0")
    )
    return options


class TritonPythonModel(serving.Model):
    """One instance of an ONNX model."""

    runtime = "onnxruntime"
    model_file = "model.onnx"

    def open(self, path, config):
        """Makes the session."""
        self.session = ort.InferenceSession(str(path), session_options(config), ["CPUExecutionProvider"])
        self.inputs = [node.name for node in self.session.get_inputs()]
        self.outputs = [node.name for node in self.session.get_outputs()]

    def infer(self, wanted, feed):
        """Computes no more than what leads to the wanted outputs."""
        return self.session.run(wanted, feed)

    def accepted(self, array):
        """Triton gives strings as bytes objects; onnxruntime wants text."""
        return serving.to_text(array)

    def finalize(self):
        """Frees the session before the process ends."""
        self.session = None
