"""The clients against a real Triton, and against a real Envoy that has no server."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from modelyard import AsyncClient, Client
from modelyard.builder.triton.install import triton_home
from modelyard.builder.triton.server import TritonServer
from modelyard.errors import DeadlineExceeded, InvalidInput, NotOffered, Refused, Unreachable
from tests.support.artifacts import onnx_models as models
from tests.support.servers.gateway_envoy import gateway, loopback
from tests.support.servers.triton_homes import running, save_for_triton

pytestmark = pytest.mark.triton
WAYS: dict[str, dict[str, Any]] = {"bytes": {}, "JSON": {"binary": False}, "gRPC": {"protocol": "grpc"}}
ROWS = np.arange(30, dtype=np.float32).reshape(10, 3)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TritonServer]:
    root = tmp_path_factory.mktemp("sdk")
    save_for_triton(models.doubling(), "max_batch_size: 4\n", root / "repository" / "double")
    save_for_triton(models.echoing(), "max_batch_size: 4\n", root / "repository" / "echo")
    with running(triton_home(), root / "repository", "double", root / "triton.log") as started:
        yield started


def address(server: TritonServer, way: str) -> dict[str, Any]:
    grpc = WAYS[way].get("protocol") == "grpc"
    return {"url": f"http://127.0.0.1:{server.grpc_port}" if grpc else server.url, **WAYS[way]}


@pytest.fixture(params=WAYS)
def client(request: pytest.FixtureRequest, server: TritonServer) -> Iterator[Client]:
    with Client(**address(server, request.param)) as made:
        yield made


def only(model: str, client: Client) -> str:
    [spec] = client.describe(model).inputs
    return spec.name


def test_numbers_and_frames_come_back_in_their_kind(client: Client) -> None:
    client.wait_ready("double", timeout=60)

    assert client.predict("double", ROWS[:2]).tolist() == (2 * ROWS[:2]).tolist()
    frame = pd.DataFrame(ROWS[:2], index=["a", "b"])
    assert client.predict("double", frame).to_numpy().tolist() == (2 * ROWS[:2]).tolist()


def test_texts_come_back_as_texts(client: Client) -> None:
    assert client.predict("echo", {only("echo", client): [["one"], ["zwölf"], [""]]}) is not None
    assert np.ravel(client.predict("echo", [["one"], ["zwölf"], [""]])).tolist() == ["one", "zwölf", ""]


def test_rows_beyond_the_limit_of_the_server_go_in_parts(client: Client) -> None:
    assert client.predict_batch("double", ROWS).tolist() == (2 * ROWS).tolist()
    with pytest.raises(InvalidInput, match="batch-size must be <= 4"):
        client.predict("double", ROWS)


def test_a_server_lists_its_models(client: Client) -> None:
    assert [(model.name, model.ready) for model in client.models()] == [("double", True), ("echo", True)]


def test_a_model_that_is_not_there_is_named(client: Client) -> None:
    with pytest.raises(Refused, match="has no model nobody: check the name"):
        client.predict("nobody", ROWS)
    with pytest.raises(DeadlineExceeded, match=r"nobody is not ready after 0\.2 s"):
        client.wait_ready("nobody", timeout=0.2)


def test_triton_explains_nothing(client: Client) -> None:
    with pytest.raises(NotOffered):
        client.explain("double", ROWS[:1])


@pytest.mark.parametrize("way", WAYS)
def test_the_awaited_client_does_the_same(server: TritonServer, way: str) -> None:
    async def asked() -> None:
        async with AsyncClient(**address(server, way)) as client:
            await client.wait_ready("double", timeout=60)
            answers = await asyncio.gather(*(client.predict("double", ROWS[at : at + 1]) for at in range(10)))
            assert np.concatenate(answers).tolist() == (2 * ROWS).tolist()
            assert (await client.predict_batch("double", ROWS, in_flight=2)).tolist() == (2 * ROWS).tolist()
            assert [model.name for model in await client.models()] == ["double", "echo"]

    asyncio.run(asked())


def test_a_gateway_without_a_server_for_it_is_asked_again_and_then_named(tmp_path: Path) -> None:
    with (
        gateway(tmp_path, [loopback(77)]) as url,
        Client(url, retries=1) as client,
        pytest.raises(Unreachable, match="remote connection failure"),
    ):
        client.describe("digits")
