"""The backend for Python models inside a real Triton: an author's code answers as its entry declares."""

import json
import shutil
import struct
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from modelyard.builder.python_models.packing import PYTHON
from modelyard.builder.triton.install import triton_home
from modelyard.builder.triton.server import TritonServer
from tests.support.artifacts.building import built_python
from tests.support.frameworks.python_models import GREETER, a_python_model
from tests.support.servers.questions import ask, data
from tests.support.servers.triton_homes import running

PATIENT = "max_batch_size: 8\ndynamic_batching { max_queue_delay_microseconds: 300000 }\n"
NOSY = """
import importlib.util
import os

import numpy as np


class Model:
    def __init__(self, folder):
        pass

    def predict(self, inputs):
        keys = [name for name in os.environ if name.startswith(("AWS_", "MODELYARD_"))]
        ours = [name for name in ("onnxruntime", "openvino") if importlib.util.find_spec(name)]
        return {"keys": np.array([" ".join(keys)]), "ours": np.array([" ".join(ours)])}
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TritonServer]:
    root = tmp_path_factory.mktemp("python")
    for name, config in (("alone", None), ("together", PATIENT)):
        folder = a_python_model(root / name)
        if config is not None:
            (folder / "config.pbtxt").write_text(config)
        artifact = built_python(folder, root / f"{name}-out", name)
        shutil.copytree(artifact.folder / "repository" / name, root / "repository" / name)
    with running(triton_home(python=PYTHON), root / "repository", "alone", root / "triton.log") as started:
        yield started


def names(*given: str, **changes: Any) -> dict[str, Any]:
    return {"name": "name", "datatype": "BYTES", "shape": [len(given), 1], "data": list(given), **changes}


def ages(*given: float, **changes: Any) -> dict[str, Any]:
    return {"name": "age", "datatype": "FP32", "shape": [len(given), 1], "data": list(given), **changes}


def error(server: TritonServer, *inputs: dict[str, Any], model: str = "alone") -> tuple[int, str]:
    answer = ask(server, model, *inputs)
    return answer.status_code, answer.json()["error"]


@pytest.mark.parametrize("model", ["alone", "together"])
def test_it_answers_with_its_packages_and_its_files_in_the_declared_types(server: TritonServer, model: str) -> None:
    answer = ask(server, model, names("Ada", "Grün"), ages(36, 7))

    assert data(answer) == {"greeting": ["Hello, Ada!", "Hello, Grün!"], "next": [37.0, 8.0]}
    assert [one["datatype"] for one in answer.json()["outputs"]] == ["BYTES", "FP32"]


def test_only_what_is_asked_for_is_given(server: TritonServer) -> None:
    assert data(ask(server, "alone", names("Ada"), ages(36), outputs=("next",))) == {"next": [37.0]}


@pytest.mark.parametrize(
    "inputs",
    [
        [names("Ada")],
        [names("Ada"), ages(36), ages(1, name="height")],
        [names("Ada"), ages(36, datatype="FP64")],
        [names("Ada"), ages(36, 7, shape=[1, 2])],
        [names("Ada"), ages(36, shape=[1])],
    ],
    ids=["an input too few", "an input too many", "another type", "another shape", "another rank"],
)
def test_a_request_that_does_not_fit_the_contract_is_the_clients_mistake(
    server: TritonServer, inputs: list[dict[str, Any]]
) -> None:
    status, message = error(server, *inputs)

    assert status == 400, message
    assert message


def test_bytes_that_are_no_text_are_the_clients_mistake(server: TritonServer) -> None:
    raw = struct.pack("<I", 1) + b"\xff"
    tensor = {"name": "name", "datatype": "BYTES", "shape": [1, 1], "parameters": {"binary_data_size": len(raw)}}
    head = json.dumps({"inputs": [ages(1), tensor]}).encode()

    answer = httpx.post(
        f"{server.url}/v2/models/alone/infer",
        content=head + raw,
        headers={"Inference-Header-Content-Length": str(len(head))},
        timeout=30,
        trust_env=False,
    )

    assert (answer.status_code, "not UTF-8" in answer.json()["error"]) == (400, True)


def test_what_the_author_calls_a_bad_request_is_the_clients_mistake(server: TritonServer) -> None:
    assert error(server, names("nobody"), ages(1)) == (400, "there is nobody to greet")


def test_an_exception_of_the_authors_is_the_models_failure_and_the_next_request_is_answered(
    server: TritonServer,
) -> None:
    line = next(number for number, text in enumerate(GREETER.splitlines(), start=1) if "KeyError" in text)

    assert error(server, names("late"), ages(1)) == (500, f"model.py raised KeyError in line {line}: 'clock'")
    assert data(ask(server, "alone", names("Ada"), ages(36)))["next"] == [37.0]


def test_an_output_that_is_not_as_declared_is_the_models_failure(server: TritonServer) -> None:
    status, message = error(server, names("short"), ages(1), model="together")

    assert status == 500
    assert message.endswith("'greeting' as object [0, 1], and modelyard.yaml declares BYTES [1, 1]")


def test_of_requests_that_run_together_each_gets_its_own_answer_or_error(server: TritonServer) -> None:
    with ThreadPoolExecutor(4) as pool:
        who = ("Ada", "late", "nobody", "Bob")
        answers = list(pool.map(lambda name: ask(server, "together", names(name), ages(1)), who))

    assert [answer.status_code for answer in answers] == [200, 500, 400, 200]
    assert [data(answers[at])["greeting"] for at in (0, 3)] == [["Hello, Ada!"], ["Hello, Bob!"]]


def test_it_sees_no_keys_and_nothing_that_it_did_not_pin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hush")
    monkeypatch.setenv("MODELYARD_STORE_SECRET_ACCESS_KEY", "hush")
    text = [{"name": name, "datatype": "BYTES", "shape": [1]} for name in ("keys", "ours")]
    inputs = [{"name": "x", "datatype": "INT8", "shape": [1]}]
    folder = a_python_model(tmp_path / "nosy", NOSY, "", name="nosy", inputs=inputs, outputs=text)
    shutil.rmtree(folder / "wheels")
    expected = {"output:keys": np.array([""]), "output:ours": np.array([""])}
    np.savez(folder / "eval.npz", **{"input:x": np.zeros(1, np.int8)}, **expected)  # pyright: ignore

    report = built_python(folder, tmp_path / "out", "nosy").report

    assert report.quality is not None
    assert report.quality.largest_difference == {"keys": 0.0, "ours": 0.0}


def test_answers_of_chance_are_held_to_types_and_shapes_alone(tmp_path: Path) -> None:
    dice = GREETER.replace('ages.astype("float64") + 1', "np.random.default_rng().random(ages.shape)")
    folder = a_python_model(tmp_path / "dice", dice, deterministic=False)

    report = built_python(folder, tmp_path / "out", "dice").report

    assert report.quality is not None
    assert report.quality.largest_difference == {}
    assert report.proof.server.startswith("Triton ")
