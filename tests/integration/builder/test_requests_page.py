"""What platform/docs/requests.md tells other programs to send is sent here to a real Triton."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest

from modelyard.builder.inspection.model_file import inspect
from modelyard.builder.triton.config import complete_config
from modelyard.builder.triton.install import triton_home
from modelyard.builder.triton.server import TritonServer
from tests.support.artifacts import onnx_models as models
from tests.support.servers.triton_homes import running

PAGE = Path(__file__).resolve().parents[3] / "platform" / "docs" / "requests.md"
QUESTION = {"inputs": [{"name": "x", "datatype": "FP32", "shape": [1, 2], "data": [-1, 0]}]}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TritonServer]:
    root = tmp_path_factory.mktemp("requests")
    path = models.saved(models.logarithm(), root / "repository" / "logs" / "1" / "model.onnx")
    graph = inspect(path)
    (path.parents[1] / "config.pbtxt").write_text(complete_config("", "logs", graph.inputs, graph.outputs, True))
    with running(triton_home(), root / "repository", "logs", root / "triton.log") as started:
        yield started


def test_nan_and_infinity_stand_bare_in_an_answer_in_json(server: TritonServer) -> None:
    answer = httpx.post(f"{server.url}/v2/models/logs/infer", content=json.dumps(QUESTION), trust_env=False)

    assert (answer.status_code, '"data":[NaN,-Infinity]' in answer.text) == (200, True)


def test_the_pages_program_reads_them_from_bytes(server: TritonServer) -> None:
    program = re.search(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert program is not None
    names = {"url": server.url, "model": "logs"}

    exec(program[1], names)

    assert np.array_equal(names["values"], np.array([[np.nan, -np.inf]], np.float32), equal_nan=True)
