"""A client goes away while its request waits behind another's: nobody computes it, and nobody else notices."""

import time
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import onnxruntime as ort
import pytest
from tritonclient.grpc import service_pb2, service_pb2_grpc

from modelyard.builder.triton.server import TritonServer
from tests.support.artifacts import onnx_models as models
from tests.support.servers.triton_homes import running, save_for_triton

CONFIGURATIONS = {"one": "", "batched": "max_batch_size: 16\ndynamic_batching { }\n"}
ON_ITS_WAY = 0.5
"""Seconds that a request, or its end, takes to the server at most, as long as the first is computed meanwhile."""
LONGEST = 10**8


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, home: Path) -> Iterator[TritonServer]:
    root = tmp_path_factory.mktemp("cancelled")
    for name, author in CONFIGURATIONS.items():
        save_for_triton(models.counting(), author, root / "repository" / name)
    with running(home, root / "repository", "one", root / "triton.log") as started:
        yield started


@pytest.fixture
def stub(server: TritonServer) -> Iterator[service_pb2_grpc.GRPCInferenceServiceStub]:
    with grpc.insecure_channel(f"127.0.0.1:{server.grpc_port}") as channel:
        yield service_pb2_grpc.GRPCInferenceServiceStub(channel)


def counted(stub: service_pb2_grpc.GRPCInferenceServiceStub, model: str, times: int) -> Any:
    """A request under way."""
    request = service_pb2.ModelInferRequest(model_name=model)
    request.inputs.add(name="times", datatype="INT64", shape=[1, 1])
    request.raw_input_contents.append(np.array([times], "<i8").tobytes())
    return stub.ModelInfer.future(request, timeout=240)


def answer(under_way: "Future[Any]") -> tuple[int, float]:
    """(the rounds that were counted, the number that was drawn)."""
    response = under_way.result()
    names = [output.name for output in response.outputs]
    outputs = dict(zip(names, response.raw_output_contents, strict=True))
    return int(np.frombuffer(outputs["counted_to"], "<i8")[0]), float(np.frombuffer(outputs["drawn"], "<f4")[0])


def series() -> list[float]:
    """What the model draws for its first rows."""
    session = ort.InferenceSession(models.counting().SerializeToString(), providers=["CPUExecutionProvider"])
    return [float(session.run(["drawn"], {"times": np.array([[1]])})[0][0, 0]) for _ in range(100)]


@pytest.mark.parametrize("model", CONFIGURATIONS)
def test_a_request_whose_client_has_gone_is_not_computed(
    stub: service_pb2_grpc.GRPCInferenceServiceStub, model: str
) -> None:
    times = 300_000
    while True:
        assert times < LONGEST, "the first is always done too early"
        first = counted(stub, model, times)
        time.sleep(ON_ITS_WAY)
        gone = counted(stub, model, 3)
        time.sleep(ON_ITS_WAY)  # or the other one might come first
        other = counted(stub, model, 2)
        time.sleep(ON_ITS_WAY)
        gone.cancel()
        time.sleep(ON_ITS_WAY)
        waited = gone.cancelled() and not first.done()
        answers = [answer(first), answer(other), answer(counted(stub, model, 5))]
        assert [rounds for rounds, _ in answers] == [times, 2, 5]
        if waited:
            break
        times *= 4

    computed = [series().index(drawn) for _, drawn in answers]
    assert computed == list(range(computed[0], computed[0] + 3))
