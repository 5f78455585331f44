"""FastAPI with a model that onnxruntime runs: `fastapi_program.py NAME FILE HTTP THREADS`.

As people write it: the body is checked by pydantic, inference runs in the pool of threads that FastAPI gives to plain
functions. It takes the JSON of the Open Inference Protocol, so that all servers are sent the same bytes.
"""

import sys
from typing import Any

import numpy as np
import onnxruntime
import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel

NUMPY = {"FP32": np.float32, "FP64": np.float64, "INT32": np.int32, "INT64": np.int64}
NAMES = {"tensor(float)": "FP32", "tensor(double)": "FP64", "tensor(int64)": "INT64", "tensor(int32)": "INT32"}


class Tensor(BaseModel):
    """An input."""

    name: str
    datatype: str
    shape: list[int]
    data: list[float] | list[int]


class Request(BaseModel):
    """The body of an inference request."""

    inputs: list[Tensor]


def application(name: str, file: str, threads: int) -> FastAPI:
    """The server of one model."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
    outputs = session.get_outputs()
    app = FastAPI()

    @app.get("/v2/health/ready")
    def ready() -> dict[str, bool]:
        return {"ready": True}

    @app.post(f"/v2/models/{name}/infer")
    def infer(request: Request) -> dict[str, Any]:
        feed = {one.name: np.array(one.data, NUMPY[one.datatype]).reshape(one.shape) for one in request.inputs}
        arrays = session.run(None, feed)
        return {
            "model_name": name,
            "outputs": [
                {"name": port.name, "datatype": NAMES[port.type], "shape": array.shape, "data": array.ravel().tolist()}
                for port, array in zip(outputs, arrays, strict=True)
            ],
        }

    return app


if __name__ == "__main__":
    named, path, port, count = sys.argv[1:]
    uvicorn.run(application(named, path, int(count)), host="127.0.0.1", port=int(port), log_level="warning")
