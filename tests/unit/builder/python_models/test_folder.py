"""The folder of a Python model: what it has to hold, and what is served of it."""

import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml

from modelyard.api.entry import Entry, EntryFile, EntryMetadata
from modelyard.builder.artifacts.contract import contract_of
from modelyard.builder.artifacts.shared_layer import make_part
from modelyard.builder.artifacts.source import ModelSource, read_source
from modelyard.builder.artifacts.staging import Naming, stage
from modelyard.builder.python_models.folder import require_publishable
from modelyard.errors import InvalidEntry, UnsupportedModel
from tests.support.artifacts.onnx_models import doubling, saved
from tests.support.frameworks.python_models import a_python_model


def described(folder: Path, **changes: Any) -> ModelSource:
    """The model in FOLDER, with other metadata."""
    file = folder / "modelyard.yaml"
    file.write_text(yaml.safe_dump({**yaml.safe_load(file.read_text()), **changes}))
    return read_source(folder)


def test_its_declared_tensors_are_its_contract(tmp_path: Path) -> None:
    source = read_source(a_python_model(tmp_path / "greeter"))

    contract = contract_of(source)
    assert source.is_python
    assert [(one.name, one.datatype, one.shape) for one in contract.inputs] == [
        ("name", "BYTES", (-1, 1)), ("age", "FP32", (-1, 1)),
    ]  # fmt: skip
    assert [one.name for one in contract.outputs] == ["greeting", "next"]


def test_all_but_what_is_for_builds_is_served(tmp_path: Path) -> None:
    folder = a_python_model(tmp_path / "greeter")
    (folder / "weights.bin").write_bytes(b"1")
    (folder / ".secret").write_text("")
    (folder / "__pycache__").mkdir()
    (folder / "__pycache__" / "model.pyc").write_bytes(b"")

    assert list(read_source(folder).files) == ["code/model.py", "code/marks/mark.txt", "code/weights.bin"]


@pytest.mark.parametrize(
    ("missing", "says"),
    [("model.py", "has no model.py"), ("eval.npz", "has no eval.npz: nothing else shows")],
)
def test_a_file_that_is_missing_is_named(tmp_path: Path, missing: str, says: str) -> None:
    folder = a_python_model(tmp_path / "greeter")
    (folder / missing).unlink()

    with pytest.raises(InvalidEntry, match=says):
        read_source(folder)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"outputs": []}, "declares no outputs"),
        ({"inputs": [{"name": "x", "datatype": "FP32", "shape": []}]}, "as a scalar; write shape"),
        ({"inputs": [{"name": "x", "datatype": "BF16", "shape": [1]}]}, "as BF16, which numpy lacks"),
    ],
    ids=["none", "a scalar", "a type of no numpy"],
)
def test_a_declaration_that_cannot_be_served_is_refused(tmp_path: Path, changes: dict[str, Any], says: str) -> None:
    folder = a_python_model(tmp_path / "greeter")

    with pytest.raises(InvalidEntry, match=says):
        described(folder, **changes)


def test_a_folder_with_an_onnx_model_is_none_whatever_it_says(tmp_path: Path) -> None:
    folder = a_python_model(tmp_path / "greeter", inputs=[], outputs=[])
    (folder / "eval.npz").unlink()
    saved(doubling(), folder / "model.onnx")

    assert not read_source(folder).is_python


def test_it_is_not_staged_before_somebody_trusts_it(tmp_path: Path) -> None:
    folder = a_python_model(tmp_path / "greeter")

    with pytest.raises(InvalidEntry, match=r"greeter is a Python model: whoever wrote its model\.py .* --trust-code"):
        stage(folder, tmp_path / "scratch", Naming())
    with pytest.raises(UnsupportedModel, match="greeter is a Python model, and archives are made of ONNX models"):
        stage(folder, tmp_path / "scratch", Naming(onnx_for="archives are made of ONNX models", trust_code=True))


@pytest.mark.parametrize(
    ("trusted", "target", "asked", "says"),
    [
        (False, "cpu", [], "add --trust-code"),
        (True, "gpu", [], "served on CPUs only"),
        (True, "cpu", ["tune"], "never runs where the store's keys are, so it cannot have tune; remove spec.tune"),
    ],
    ids=["not trusted", "on GPUs", "tuned"],
)
def test_what_keeps_it_from_being_published_is_said(trusted: bool, target: str, asked: list[str], says: str) -> None:
    require_publishable("greeter:1", True, "cpu", [])

    with pytest.raises((InvalidEntry, UnsupportedModel), match=says):
        require_publishable("greeter:1", trusted, target, asked)


def test_a_build_without_trust_takes_the_entry_at_its_word_and_runs_nothing(tmp_path: Path) -> None:
    folder = a_python_model(tmp_path / "greeter", code="raise SystemExit('it was run')", requirements="")

    layer = make_part(read_source(folder), tmp_path / "part")

    assert (layer.is_python, layer.opset, layer.findings["batchable"]) == (True, 0, False)
    assert layer.sample("input")["name"].tolist() == [["Ada"]]
    assert layer.sample("output")["greeting"].tolist() == [["Hello, Ada!"]]
    assert [port.dims for ports in layer.ports for port in ports] == [(None, 1)] * 4


def test_an_environment_that_is_not_what_is_pinned_is_refused(tmp_path: Path) -> None:
    folder = a_python_model(tmp_path / "greeter", requirements="other==1\n")
    with pytest.raises(InvalidEntry, match=r"environment\.zip and requirements\.txt differ in other"):
        make_part(read_source(folder), tmp_path / "part")

    with zipfile.ZipFile(folder / "environment.zip", "w") as archive:
        archive.writestr("other-1.dist-info/METADATA", "")
        archive.writestr("../outside.py", "")
    with pytest.raises(InvalidEntry, match="names that lead out of it"):
        make_part(read_source(folder), tmp_path / "part")

    (folder / "environment.zip").write_bytes(b"nothing")
    with pytest.raises(InvalidEntry, match=r"environment\.zip cannot be read"):
        make_part(read_source(folder), tmp_path / "part")


@pytest.mark.parametrize(
    ("framework", "paths", "python"),
    [
        ("python", ["model.py"], True),
        ("python", ["model.py", "weights/part.onnx"], True),
        ("python", ["model.py", "model.onnx"], False),
        ("python", ["model.xml"], False),
        ("onnx", ["model.py"], False),
    ],
)
def test_an_entry_says_what_its_folder_would_say(framework: str, paths: list[str], python: bool) -> None:
    metadata = EntryMetadata(name="toy", version="1", framework=framework, task="any")
    files = tuple(EntryFile(path=path, size=0, sha256="0" * 64) for path in paths)

    assert (
        Entry(name="toy", version="1", digest="sha256:" + "0" * 64, files=files, metadata=metadata).is_python is python
    )
