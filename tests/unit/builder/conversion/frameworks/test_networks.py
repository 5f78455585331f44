"""Programs of PyTorch, models of Keras and SavedModels: the ONNX form answers a person's rows as they do."""

import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
import pytest

from modelyard.builder.artifacts.staging import Naming, stage_entry, try_entry
from modelyard.builder.conversion.frameworks.catalogue import FRAMEWORKS
from modelyard.builder.conversion.frameworks.conversion import convert_file
from modelyard.builder.conversion.frameworks.environment import python_of
from modelyard.errors import InvalidEntry, InvalidInput
from modelyard.registry.folder import read_folder

PROGRAM = Path(__file__).parents[4] / "support" / "frameworks" / "networks.py"


@pytest.fixture(scope="module")
def torch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made("torch", tmp_path_factory.mktemp("torch"))


@pytest.fixture(scope="module")
def tensorflow(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made("tensorflow", tmp_path_factory.mktemp("tensorflow"))


def made(program: str, folder: Path) -> Path:
    framework = next(one for one in FRAMEWORKS if one.program == program)
    command = python_of(framework).command(PROGRAM, program, str(folder))
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return folder


def answers(model: Path, rows: Path) -> dict[str, Any]:
    session = ort.InferenceSession(str(model), providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    with np.load(rows) as given:
        feed = {port.name: given[port.name] for port in session.get_inputs()}
    return dict(zip(names, session.run(names, feed), strict=True))


@pytest.mark.torch
@pytest.mark.parametrize("name", ["one", "several"])
def test_a_program_of_pytorch_answers_as_it_did(name: str, torch: Path, tmp_path: Path) -> None:
    proof = convert_file(torch / f"{name}.pt2", tmp_path / "model.onnx", sample=torch / f"{name}.npz")

    assert (proof.rows, proof.share) == (20, 1.0)
    assert proof.original.startswith("PyTorch 2.")
    said = answers(tmp_path / "model.onnx", torch / f"{name}.npz")
    with np.load(torch / f"{name}-answers.npz") as expected:
        assert list(said) == {"one": ["output"], "several": ["total", "product"]}[name]
        assert all(np.allclose(said[key], expected[key], atol=1e-5) for key in said)


@pytest.mark.torch
def test_a_program_with_a_fixed_batch_keeps_it(torch: Path, tmp_path: Path) -> None:
    proof = convert_file(torch / "fixed.pt2", tmp_path / "model.onnx", sample=torch / "one.npz")

    assert proof.rows == 20 // 3 * 3


@pytest.mark.torch
def test_a_program_is_only_read_when_it_is_trusted(torch: Path, tmp_path: Path) -> None:
    with pytest.raises(InvalidEntry, match=r"one\.pt2 is a program of PyTorch, which may run code .* --trust-pickle"):
        stage_entry(torch / "one.pt2", tmp_path / "a", Naming(version="1", sample=torch / "one.npz"))

    trusted = Naming("net", "1", trust_pickle=True, sample=torch / "one.npz")
    folder = stage_entry(torch / "one.pt2", tmp_path / "b", trusted)

    assert read_folder(folder).entry.metadata.framework == "pytorch"
    try_entry(folder, tmp_path / "tried")


@pytest.mark.torch
def test_a_program_that_is_cut_short_is_told(torch: Path, tmp_path: Path) -> None:
    (tmp_path / "m.pt2").write_bytes((torch / "one.pt2").read_bytes()[:500])

    with pytest.raises(InvalidEntry, match=r"PyTorch cannot work with m\.pt2"):
        convert_file(tmp_path / "m.pt2", tmp_path / "model.onnx", sample=torch / "one.npz")


@pytest.mark.tensorflow
@pytest.mark.parametrize("name", ["one.keras", "several.keras", "saved"])
def test_a_model_of_tensorflow_answers_as_it_did(name: str, tensorflow: Path, tmp_path: Path) -> None:
    rows = tensorflow / f"{name.removesuffix('.keras')}.npz"

    proof = convert_file(tensorflow / name, tmp_path / "model.onnx", sample=rows)

    assert (proof.rows, proof.share) == (20, 1.0)
    assert proof.original.startswith("TensorFlow 2.")
    said = answers(tmp_path / "model.onnx", rows)
    with np.load(rows.with_name(f"{rows.stem}-answers.npz")) as expected:
        assert all(
            np.allclose(mine, theirs, atol=1e-5) for mine, theirs in zip(said.values(), expected.values(), strict=True)
        )


@pytest.mark.tensorflow
def test_a_saved_model_becomes_an_entry(tensorflow: Path, tmp_path: Path) -> None:
    naming = Naming("net", "1", trust_pickle=True, sample=tensorflow / "saved.npz")

    folder = stage_entry(tensorflow / "saved", tmp_path / "scratch", naming)

    entry = read_folder(folder).entry
    assert [file.path for file in entry.files] == ["model.onnx", "modelyard.yaml"]
    assert entry.metadata.framework == "tensorflow"


def test_a_network_without_rows_is_not_converted(tmp_path: Path) -> None:
    (tmp_path / "m.pt2").write_bytes(b"PK\x03\x04")

    with pytest.raises(InvalidInput, match=r"is converted only with rows .* an array for each input"):
        convert_file(tmp_path / "m.pt2", tmp_path / "model.onnx")
