"""One prediction with KServe's own Python SDK.

    python -m tests.support.cluster.kserve_client MODEL NAMESPACE TENSOR FILE.npy

A process of its own, because the SDK and tritonclient's gRPC stubs define the same protobuf package.
Prints the first output as a JSON list.
"""

import asyncio
import json
import sys

import numpy as np
from kserve import InferenceRESTClient, InferInput, InferRequest, RESTConfig

from tests.support.cluster.models import gateway, host


async def predict(model: str, namespace: str, tensor: str, values: np.ndarray) -> list[float]:
    client = InferenceRESTClient(RESTConfig(protocol="v2"))
    request_input = InferInput(tensor, list(values.shape), "FP32")
    request_input.set_data_from_numpy(values, binary_data=False)
    answer = await client.infer(
        f"http://{gateway()}",
        InferRequest(model_name=model, infer_inputs=[request_input]),
        headers={"Host": host(model, namespace)},
        model_name=model,
    )
    return np.asarray(answer.outputs[0].as_numpy()).ravel().tolist()


if __name__ == "__main__":
    name, where, tensor_name, file = sys.argv[1:]
    print(json.dumps(asyncio.run(predict(name, where, tensor_name, np.load(file)))))
