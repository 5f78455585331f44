"""KServe's own ModelServer with a model that onnxruntime runs: `kserve_program.py NAME FILE HTTP GRPC THREADS`.

As KServe's documentation writes a custom predictor. THREADS is 0 for what onnxruntime takes by itself, else the threads
of one inference.
"""

import sys
from typing import Any

import onnxruntime
from kserve import InferOutput, InferRequest, InferResponse, Model, ModelServer
from kserve.utils.numpy_codec import from_np_dtype
from kserve.utils.utils import generate_uuid


class OnnxModel(Model):
    """A model file in one session, which all requests share."""

    def __init__(self, name: str, file: str, threads: int) -> None:
        super().__init__(name)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self.session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
        self.outputs = [output.name for output in self.session.get_outputs()]
        self.ready = True

    def predict(self, payload: Any, headers: Any = None, response_headers: Any = None) -> Any:
        """The outputs, in the form in which the request came."""
        assert isinstance(payload, InferRequest)
        arrays = self.session.run(self.outputs, {tensor.name: tensor.as_numpy() for tensor in payload.inputs})
        outputs = []
        for name, array in zip(self.outputs, arrays, strict=True):
            output = InferOutput(name, list(array.shape), from_np_dtype(array.dtype))
            output.set_data_from_numpy(array, binary_data=payload.use_binary_outputs)
            outputs.append(output)
        return InferResponse(
            payload.id or generate_uuid(), self.name, outputs,
            use_binary_outputs=payload.use_binary_outputs, requested_outputs=payload.request_outputs,
        )  # fmt: skip


if __name__ == "__main__":
    named, path, http, grpc, count = sys.argv[1:]
    server = ModelServer(http_port=int(http), grpc_port=int(grpc), workers=1)
    server.start([OnnxModel(named, path, int(count))])
