"""The gRPC half of `predictions.py`, apart because its imports cannot stand beside the kserve SDK's.

Requests are put together from the protocol's own messages: tritonclient's client hides the answer's
headers, and the header that names the revision is what a person wants to see.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import grpc
from google.protobuf.json_format import MessageToDict
from tritonclient.grpc import service_pb2, service_pb2_grpc
from tritonclient.utils import np_to_triton_dtype

from modelyard.core.names import REVISION_HEADER
from modelyard.errors import ModelyardError

from .http_tensors import packed, unpacked
from .name_lookup import failed_grpc_lookup
from .predictions import Description, Endpoint, Prediction, description, refusal, unknown_host, unreachable

if TYPE_CHECKING:
    import numpy as np

_MESSAGES: Any = service_pb2  # generated code, whose classes no type checker sees
_TIMEOUT = 30.0
_LIMIT = 256 * 1024 * 1024


class GrpcInference:
    """One channel in the clear; the host travels as the connection's authority."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        parts = urlsplit(endpoint.url)
        target = f"{parts.hostname}:{parts.port or 80}" if parts.hostname else endpoint.url
        options: list[tuple[str, Any]] = [
            ("grpc.max_receive_message_length", _LIMIT),
            ("grpc.max_send_message_length", _LIMIT),
            ("grpc.enable_http_proxy", 0),
        ]
        if endpoint.host:
            options.append(("grpc.default_authority", endpoint.host))
        self._channel = grpc.insecure_channel(target, options=options)
        self._stub = service_pb2_grpc.GRPCInferenceServiceStub(self._channel)
        self._metadata = [(REVISION_HEADER, endpoint.revision)] if endpoint.revision else []

    def describe(self) -> Description:
        """See `Inference.describe`."""
        request = _MESSAGES.ModelMetadataRequest(name=self._endpoint.model)
        answer, _ = self._call(self._stub.ModelMetadata, request)
        described: Any = MessageToDict(answer)
        return description(described)

    def largest_batch(self) -> int:
        """See `Inference.largest_batch`."""
        try:
            answer, _ = self._call(self._stub.ModelConfig, _MESSAGES.ModelConfigRequest(name=self._endpoint.model))
        except ModelyardError:
            return 0
        return answer.config.max_batch_size

    def predict(self, inputs: Mapping[str, np.ndarray]) -> Prediction:
        """See `Inference.predict`."""
        answer, headers = self._call(self._stub.ModelInfer, infer_request(self._endpoint.model, inputs))
        return Prediction(answered_arrays(answer), headers.get(REVISION_HEADER, ""))

    def close(self) -> None:
        """See `Inference.close`."""
        self._channel.close()

    def _call(self, method: Any, request: Any) -> tuple[Any, dict[str, str]]:
        try:
            answer, call = method.with_call(request, timeout=_TIMEOUT, metadata=self._metadata)
        except grpc.RpcError as bad:
            code, details = bad.code().name, bad.details() or ""  # type: ignore[attr-defined]
            if code == "UNAVAILABLE" and failed_grpc_lookup(details):
                raise unknown_host(self._endpoint) from bad
            if code == "UNAVAILABLE" and "failed to connect" in details:
                raise unreachable(self._endpoint, details) from bad
            raise refusal(self._endpoint, code, details) from bad
        return answer, {key: str(value) for key, value in call.initial_metadata()}


def infer_request(model: str, inputs: Mapping[str, np.ndarray]) -> Any:
    """The protocol's ModelInferRequest for one inference; arrays travel as raw bytes, strings length-prefixed."""
    request = _MESSAGES.ModelInferRequest(model_name=model)
    for name, array in inputs.items():
        request.inputs.add(name=name, datatype=np_to_triton_dtype(array.dtype), shape=array.shape)
        request.raw_input_contents.append(packed(array))
    return request


def answered_arrays(answer: Any) -> dict[str, np.ndarray]:
    """Arrays by output name of a ModelInferResponse."""
    pairs = zip(answer.outputs, answer.raw_output_contents, strict=True)
    return {tensor.name: unpacked(tensor.datatype, raw).reshape(tuple(tensor.shape)) for tensor, raw in pairs}
