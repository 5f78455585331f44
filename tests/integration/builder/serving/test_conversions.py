"""Models of frameworks, built and pushed as a person types it; a real Triton answers as the framework did."""

import json
from pathlib import Path

import numpy as np
import pytest

from modelyard.builder.triton.install import triton_home
from modelyard.settings import StoreSettings
from tests.support.frameworks.trained import Trained, trained
from tests.support.machine.command_line import modelyard
from tests.support.servers.store import StoreServer
from tests.support.servers.triton_homes import running


@pytest.fixture(scope="module")
def lightgbm(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    return trained("lightgbm", tmp_path_factory.mktemp("lightgbm"))


@pytest.fixture
def where(store_server: StoreServer) -> StoreSettings:
    return store_server.settings(store_server.new_bucket())


def test_triton_answers_in_float64_what_lightgbm_did(lightgbm: Trained, tmp_path: Path) -> None:
    """Every second counts here, and float32 has one number for 128 of them."""
    import httpx

    model, rows, out = lightgbm.folder / "seconds.txt", lightgbm.folder / "seconds.npz", tmp_path / "out"

    ran = modelyard("build", model, "--sample", rows, "--out", out, "-o", "json", cwd=tmp_path)

    assert ran.code == 0, ran.err
    assert "converted in double precision: 100.00% of 400 rows (seconds.npz)" in " ".join(ran.err.split())
    report = json.loads(ran.out)
    assert [(one["name"], one["datatype"], one["shape"]) for one in report["inputs"]] == [("input", "FP64", [-1, 3])]
    with np.load(rows) as given:
        sent = given["input"][:32]
    body = {"inputs": [{"name": "input", "datatype": "FP64", "shape": [32, 3], "data": sent.ravel().tolist()}]}
    with running(triton_home(), out / "repository", "seconds", tmp_path / "triton.log") as server:
        answer = httpx.post(f"{server.url}/v2/models/seconds/infer", json=body).json()
    said = {one["name"]: np.array(one["data"]).reshape(one["shape"]) for one in answer["outputs"]}
    assert np.allclose(said["probabilities"][:, 1], lightgbm.answers["seconds"][:32], atol=1e-4)


def test_a_push_says_what_the_conversion_was_proved_on(lightgbm: Trained, where: StoreSettings, tmp_path: Path) -> None:
    words = ["push", lightgbm.folder / "three.txt", "--name", "risk", "--version", "1"]

    bare = modelyard(*words, store=where, cwd=tmp_path)
    ran = modelyard(*words, "--sample", lightgbm.rows, store=where, cwd=tmp_path)
    twice = modelyard(
        "push", tmp_path / "m.onnx", "--version", "1", "--sample", lightgbm.rows, store=where, cwd=tmp_path
    )
    listed = modelyard("entries", "-o", "json", store=where, cwd=tmp_path)

    assert bare.code == 2
    assert "three.txt is converted only with rows to prove it on" in " ".join(bare.err.replace("│", " ").split())
    assert ran.code == 0, ran.err
    assert "100.00% of 400 rows (rows.csv) are answered as by LightGBM" in " ".join(ran.err.split())
    assert ran.out.startswith("pushed risk:1 (2 files")
    assert twice.code == 2
    assert [(one["name"], one["version"]) for one in json.loads(listed.out)] == [("risk", "1")]
