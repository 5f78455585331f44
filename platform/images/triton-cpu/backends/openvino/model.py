"""Triton backend `openvino` for CPUs, in Python: serves OpenVINO's IR, `model.xml` with `model.bin` beside it.

OpenVINO compiles the model for the CPU it finds when it loads. One stream for each instance of the model: Triton
runs instances side by side and gives each its threads (`intra_op_thread_count`, else its share of the CPUs).
"""

import site
from pathlib import Path

# The packages lie beside the backends, and this interpreter heeds no PYTHONPATH.
site.addsitedir(str(Path(__file__).resolve().parents[2] / "site"))

import modelyard_serving as serving
import openvino as ov


class TritonPythonModel(serving.Model):
    """One instance of a model."""

    runtime = "OpenVINO"
    model_file = "model.xml"

    def open(self, path, config):
        """Compiles the model."""
        options = {
            "INFERENCE_NUM_THREADS": serving.threads(config),
            "INFERENCE_PRECISION_HINT": "f32",  # else bf16 where the processor can: other answers than were proved
            "NUM_STREAMS": 1,
            "PERFORMANCE_HINT": "LATENCY",
        }
        compiled = ov.Core().compile_model(str(path), "CPU", options)
        self.request = compiled.create_infer_request()
        self.inputs = _declared(config["input"], compiled.inputs)
        self.outputs = _declared(config["output"], compiled.outputs)
        self.ports = {name: port for port in compiled.outputs for name in port.get_names()}

    def infer(self, wanted, feed):
        """Every input must be there: OpenVINO would answer with what an earlier request left in its place."""
        missing = sorted(set(self.inputs) - set(feed))
        if missing:
            raise serving.BadRequest(f"the request lacks the input {missing[0]!r}; add it")
        answer = self.request.infer(feed, share_inputs=True)
        return [answer[self.ports[name]] for name in wanted]

    def finalize(self):
        """Frees the model before the process ends."""
        self.request = None


def _declared(tensors, ports):
    """Names as the configuration has them; one tensor of OpenVINO may have several, so none of those is preferred."""
    known = {name for port in ports for name in port.get_names()}
    names = [tensor["name"] for tensor in tensors]
    strange = sorted(set(names) - known)
    if strange:
        raise ValueError(
            f"it has no tensor {strange[0]!r}, which config.pbtxt lists; it has {', '.join(sorted(known))}"
        )
    return names
