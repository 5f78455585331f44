"""Both onnxruntime backends, the compiled one and that in Python, inside a real Triton, with many clients at once."""

import json
import os
import struct
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from modelyard.builder.triton.install import triton_home
from modelyard.builder.triton.server import FRONTEND, TritonServer
from tests.support.artifacts import onnx_models as models
from tests.support.servers.questions import ask, data
from tests.support.servers.triton_homes import running, save_for_triton

PATIENT = "max_batch_size: 16\ndynamic_batching { max_queue_delay_microseconds: 300000 }\n"
X = {"name": "x", "datatype": "FP32", "shape": [1, 3], "data": [1, 2, 3]}
THREADS = 'max_batch_size: 4\nparameters {{ key: "intra_op_thread_count" value {{ string_value: "{}" }} }}\n'


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, home: Path) -> Iterator[TritonServer]:
    root = tmp_path_factory.mktemp("backend")
    served = {
        "table": (models.looking_up(), PATIENT),
        "shifted": (models.looking_up(shift=100), PATIENT),
        "words": (models.echoing(), PATIENT),
        "steps": (models.remembering(), ""),
        "four": (models.doubling(), PATIENT),
    }
    for name, (proto, author) in served.items():
        save_for_triton(proto, author, root / "repository" / name)
    with running(home, root / "repository", "four", root / "triton.log") as started:
        yield started


def ids(*values: int) -> dict[str, Any]:
    return {"name": "ids", "datatype": "INT64", "shape": [1, len(values)], "data": list(values)}


def executions(server: TritonServer, model: str) -> tuple[int, int]:
    """(requests answered, times the model ran)."""
    found = httpx.get(f"{server.url}/v2/models/{model}/stats", trust_env=False).json()["model_stats"][0]
    return int(found["inference_count"]), int(found["execution_count"])


def test_requests_that_wait_together_run_together_and_get_their_own_rows(server: TritonServer) -> None:
    before = executions(server, "table")

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda number: data(ask(server, "table", ids(number % 4)))["y"], range(8)))

    assert answers == [[2.0 * (number % 4), 2.0 * (number % 4) + 1] for number in range(8)]
    requests, runs = (after - start for after, start in zip(executions(server, "table"), before, strict=True))
    assert requests == 8
    assert runs < 8


def test_one_bad_request_in_a_batch_fails_alone(server: TritonServer) -> None:
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda number: ask(server, "table", ids(number)), (0, 9, 1, 2)))

    assert [answer.status_code for answer in answers] == [200, 400, 200, 200]
    assert "out of" in answers[1].json()["error"]
    assert [data(answers[index])["y"][0] for index in (0, 2, 3)] == [0.0, 2.0, 4.0]


def test_requests_of_several_rows_are_split_where_they_were_joined(server: TritonServer) -> None:
    two = {"name": "ids", "datatype": "INT64", "shape": [2, 1], "data": [3, 0]}

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(lambda given: data(ask(server, "table", given))["y"], (two, ids(1)))

    assert (first, second) == ([6.0, 7.0, 0.0, 1.0], [2.0, 3.0])


def test_strings_come_back_as_they_went(server: TritonServer) -> None:
    words = {"name": "text", "datatype": "BYTES", "shape": [2, 1], "data": ["grün", ""]}

    assert data(ask(server, "words", words))["same"] == ["grün", ""]


def test_bytes_that_are_no_text_are_that_clients_error(server: TritonServer) -> None:
    raw = struct.pack("<I", 1) + b"\xff"
    tensor = {"name": "text", "datatype": "BYTES", "shape": [1, 1], "parameters": {"binary_data_size": len(raw)}}
    head = json.dumps({"inputs": [tensor]}).encode()
    good = {"name": "text", "datatype": "BYTES", "shape": [1, 1], "data": ["fine"]}

    def bad(_: int) -> httpx.Response:
        headers = {"Inference-Header-Content-Length": str(len(head))}
        url = f"{server.url}/v2/models/words/infer"
        return httpx.post(url, content=head + raw, headers=headers, timeout=30, trust_env=False)

    with ThreadPoolExecutor(2) as pool:
        spoilt, answer = pool.submit(bad, 0), pool.submit(ask, server, "words", good)

    assert spoilt.result().status_code == 400
    assert "utf-8" in spoilt.result().json()["error"]
    assert data(answer.result())["same"] == ["fine"]


def test_an_index_that_the_graph_computes_itself_is_the_models_failure(server: TritonServer) -> None:
    answer = ask(server, "shifted", ids(0))

    assert answer.status_code == 500
    assert "idx=100 must be within" in answer.json()["error"]


@pytest.mark.parametrize(
    "body",
    [
        "hello",
        "{}",
        "[]",
        '{"inputs":' + "[" * 100_000,
        {"inputs": [{**X, "shape": None}]},
        {"inputs": [{name: value for name, value in X.items() if name != "shape"}]},
        {"inputs": [{**X, "shape": [-1, 3]}]},
        {"inputs": [{**X, "shape": [2, 3]}]},
        {"inputs": [{**X, "data": [1, None, 3]}]},
        {"inputs": [{**X, "data": ["1", "2", "3"]}]},
        {"inputs": [{**X, "data": [[1, 2], [3, 4]]}]},
        {"inputs": [X], "outputs": [{}]},
        {"inputs": [X], "id": 5},
        {"inputs": [X], "parameters": {"priority": "high"}},
        {"inputs": [X], "parameters": "high"},
        {"inputs": [X], "parameters": [5]},
        {"inputs": [X], "parameters": None},
        {"inputs": [{**X, "shape": [1_000_000_000, 3]}]},
        {"inputs": [{**X, "shape": [10**18, 10**18]}]},
    ],
)
def test_a_request_that_cannot_be_read_is_the_clients_mistake(server: TritonServer, body: Any) -> None:
    """Triton itself calls most of them its own failure; the library that mends that takes a C compiler to make."""
    text = body if isinstance(body, str) else json.dumps(body)

    answer = httpx.post(f"{server.url}/v2/models/four/infer", content=text, timeout=30, trust_env=False)

    assert answer.json()["error"]
    assert answer.status_code == (400 if (triton_home() / "lib" / FRONTEND).exists() else 500)


def test_a_body_that_is_no_object_is_the_clients_mistake_where_an_answer_is_generated(server: TritonServer) -> None:
    answer = httpx.post(f"{server.url}/v2/models/four/generate", json=[1], timeout=30, trust_env=False)

    assert answer.json()["error"]
    assert answer.status_code == (400 if (triton_home() / "lib" / FRONTEND).exists() else 500)


def test_only_the_outputs_that_were_asked_for_are_given(server: TritonServer) -> None:
    x = {"name": "x", "datatype": "FP32", "shape": [1, 4], "data": [1, 2, 3, 4]}
    state = {"name": "state", "datatype": "FP32", "shape": [2, 1, 4], "data": [0] * 8}

    assert data(ask(server, "steps", x, state, outputs=("y",))) == {"y": [1.0, 2.0, 3.0, 4.0]}
    assert set(data(ask(server, "steps", x, state))) == {"y", "next"}


def test_requests_of_a_model_that_cannot_be_batched_are_never_joined(server: TritonServer) -> None:
    state = {"name": "state", "datatype": "FP32", "shape": [2, 1, 4], "data": [1] * 8}

    def answer(number: int) -> list[float]:
        x = {"name": "x", "datatype": "FP32", "shape": [1, 4], "data": [number] * 4}
        return data(ask(server, "steps", x, state, outputs=("y",)))["y"]

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(answer, range(8))) == [[number + 2.0] * 4 for number in range(8)]


def test_threads_are_as_many_as_the_configuration_says(tmp_path: Path, home: Path) -> None:
    def threads(number: int) -> int:
        root = tmp_path / str(number)
        save_for_triton(models.doubling(), THREADS.format(number), root / "repository" / "model")
        with running(home, root / "repository", "model", root / "triton.log") as started:
            group = started.process.pid
            return sum(_threads(status) for status in Path("/proc").glob("[0-9]*/status") if _is_in(group, status))

    assert threads(4) - threads(1) == 3


def _is_in(group: int, status: Path) -> bool:
    try:
        return os.getpgid(int(status.parent.name)) == group
    except ProcessLookupError:
        return False


def _threads(status: Path) -> int:
    facts = dict(row.split(":\t", 1) for row in status.read_text().splitlines() if ":\t" in row)
    return int(facts["Threads"])
