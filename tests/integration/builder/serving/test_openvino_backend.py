"""The python-based OpenVINO backend inside a real Triton: IR answers as the ONNX model did, in batches too."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from modelyard.builder.inspection.model_file import inspect
from modelyard.builder.optimization.passes import PASSES
from modelyard.builder.triton.config import complete_config
from modelyard.builder.triton.install import triton_home
from modelyard.builder.triton.server import TritonServer
from modelyard.errors import UnsupportedModel
from tests.support.artifacts import onnx_models as models
from tests.support.artifacts import quantizable
from tests.support.servers.questions import ask, data
from tests.support.servers.triton_homes import running

PATIENT = "max_batch_size: 16\ndynamic_batching { max_queue_delay_microseconds: 300000 }\n"
MOST = 150_000_000
"""Bytes OpenVINO may add to the image."""


def served(repository: Path, name: str, proto: Any, author: str, chain: tuple[str, ...] = ("openvino",)) -> None:
    """An IR in a repository, its configuration as for the ONNX model but for the backend."""
    evaluation = quantizable.evaluation_of(proto, metric="cosine") if len(chain) > 1 or "int8" in chain[0] else None
    material = quantizable.on_disk(proto, repository.parent / name)
    graph = inspect(material.path)
    for place, one in enumerate(chain):
        material = PASSES[one].run(material, repository.parent / name / str(place), {}, evaluation)
    folder = repository / name
    (folder / "1").mkdir(parents=True)
    for file in material.path.parent.iterdir():
        file.rename(folder / "1" / file.name)
    text = complete_config(author, name, graph.inputs, graph.outputs, bool(author), "openvino")
    (folder / "config.pbtxt").write_text(text)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TritonServer]:
    root = tmp_path_factory.mktemp("openvino")
    repository = root / "repository"
    served(repository, "table", models.looking_up(), PATIENT)
    served(repository, "steps", models.remembering(), "")
    served(repository, "encoder", quantizable.attending(), PATIENT, ("openvino-int8",))
    with running(triton_home(), repository, "table", root / "triton.log") as started:
        yield started


def tensor(name: str, array: Any, datatype: str) -> dict[str, Any]:
    values = np.asarray(array)
    return {"name": name, "datatype": datatype, "shape": list(values.shape), "data": values.ravel().tolist()}


def test_requests_that_wait_together_get_their_own_rows(server: TritonServer) -> None:
    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(ask, server, "table", tensor("ids", [[number % 4]], "INT64")) for number in range(8)]

    answers = [data(one.result())["y"] for one in asked]
    assert answers == [[2.0 * (number % 4), 2.0 * (number % 4) + 1] for number in range(8)]


def test_only_the_outputs_that_were_asked_for_are_given(server: TritonServer) -> None:
    x, state = tensor("x", [[1, 2, 3, 4]], "FP32"), tensor("state", np.zeros((2, 1, 4)), "FP32")

    assert data(ask(server, "steps", x, state, outputs=("y",))) == {"y": [1.0, 2.0, 3.0, 4.0]}
    assert set(data(ask(server, "steps", x, state))) == {"y", "next"}


def test_a_model_keeps_nothing_of_an_earlier_request(server: TritonServer) -> None:
    def answer(number: int) -> list[float]:
        x, state = tensor("x", [[number] * 4], "FP32"), tensor("state", np.full((2, 1, 4), number), "FP32")
        return data(ask(server, "steps", x, state, outputs=("y",)))["y"]

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(answer, range(8))) == [[3.0 * number] * 4 for number in range(8)]


def test_a_request_of_the_wrong_shape_fails_alone(server: TritonServer) -> None:
    wrong = tensor("ids", np.zeros((1, 5), int), "INT64")
    right = tensor("ids", np.zeros((1, 6), int), "INT64")

    with ThreadPoolExecutor(2) as pool:
        refused, answered = pool.map(lambda one: ask(server, "encoder", one), (wrong, right))

    assert refused.status_code != 200
    assert len(data(answered)["y"]) == 6 * 32


def test_a_quantized_transformer_answers_as_its_original(server: TritonServer) -> None:
    proto = quantizable.attending()
    evaluation = quantizable.evaluation_of(proto, rows=8, metric="cosine")

    found = data(ask(server, "encoder", tensor("ids", evaluation.inputs["ids"], "INT64")))["y"]

    expected = evaluation.outputs["y"].ravel()
    cosine = np.dot(found, expected) / np.linalg.norm(found) / np.linalg.norm(expected)
    assert cosine > 0.99


def test_a_file_that_is_no_ir_is_refused_with_the_reason(tmp_path: Path) -> None:
    served(tmp_path / "repository", "spoilt", models.looking_up(), PATIENT)
    (tmp_path / "repository" / "spoilt" / "1" / "model.xml").write_text("<net")

    with (
        pytest.raises(UnsupportedModel, match=r"OpenVINO cannot load model\.xml"),
        running(triton_home(), tmp_path / "repository", "spoilt", tmp_path / "triton.log"),
    ):
        pass


def test_it_adds_less_than_150_mb_to_the_image() -> None:
    site = triton_home() / "site"

    added = sum(file.stat().st_size for file in (site / "openvino").rglob("*") if file.is_file())
    assert 0 < added < MOST
