"""The recipe of census-income, run as the platform runs it: in the Python that trains, on arrays of labelled rows."""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest

from modelyard.builder.artifacts.source import read_source
from modelyard.builder.optimization.training import environment
from modelyard.builder.retraining.staged_version import broken_contract, stage_version
from modelyard.registry.folder import read_folder
from tests.support.artifacts.census import ENTRY

import features  # isort: skip  (beside the entry, found by the line above)
import later  # isort: skip
import with_recipe  # isort: skip

PYPROJECT = Path(__file__).resolve().parents[3] / "platform" / "pyproject.toml"
PACKAGES = {"sklearn": "scikit-learn"}
ASKED, HELD_OUT = 2000, 2000
RECIPE = "retrain.py:retrain"


@pytest.fixture(scope="module")
def entry(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return with_recipe.write(tmp_path_factory.mktemp("entries") / "3")


@pytest.fixture(scope="module")
def trained(entry: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the recipe left, of people thirty years later."""
    scratch = tmp_path_factory.mktemp("trained")
    asked, out = later.people(ASKED, seed=11), scratch / "out"
    out.mkdir()
    training = scratch / "training"
    training.mkdir()
    for file in (entry / "training").iterdir():
        (training / file.name).write_bytes(file.read_bytes())
    rows = {"input:input": features.features(asked), "truth": asked.earns_more}
    times = 1_795_000_000.0 + 10.0 * np.arange(ASKED)
    np.savez(training / "labelled-rows.npz", **rows, time=times, weight=np.ones(ASKED, np.int64))
    job = {"name": "census-income", "folder": str(training), "recipe": RECIPE, "out": str(out), "threads": 1}
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv(environment.PYTHON, sys.executable)
        told = environment.run("retrain", job, scratch / "job", lambda _: None, needs=("numpy",))
    assert told == {"files": ["model.onnx"], "rows": ASKED}
    return out


def answers(model: Path, rows: np.ndarray) -> Mapping[str, Any]:
    session = onnxruntime.InferenceSession(str(model), providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, {"input": rows}), strict=True))


def right(model: Path, people: Any) -> float:
    """The share of people that the model is right about."""
    return float((answers(model, features.features(people))["label"] == people.earns_more).mean())


def test_an_old_model_is_wrong_about_later_people_and_the_retrained_one_is_not(entry: Path, trained: Path) -> None:
    people = later.people(HELD_OUT, seed=12)

    assert right(entry / "model.onnx", people) < 0.6
    assert right(trained / "model.onnx", people) > 0.72


def test_clients_of_the_old_version_notice_nothing(entry: Path, trained: Path, tmp_path: Path) -> None:
    parent = read_source(entry)
    assert parent.metadata is not None
    staged = stage_version(entry, trained, parent.metadata.model_copy(update={"version": "4"}), tmp_path / "4")

    assert broken_contract(parent, staged) == ""
    assert (tmp_path / "4" / "training" / "retrain.py").is_file()


def test_the_entry_is_version_1_under_another_number_with_a_folder_to_learn_from(entry: Path) -> None:
    pushed = read_folder(entry).entry
    beside = {"retrain.py", "old.npz", "features.py", "adult.py", "scikit_onnx.py"}

    assert (pushed.name, pushed.version) == ("census-income", "3")
    assert {file.path for file in pushed.files if file.path.startswith("training/")} == {
        f"training/{name}" for name in beside
    }
    assert (entry / "model.onnx").read_bytes() == (ENTRY / "1" / "model.onnx").read_bytes()


def test_the_same_folder_is_made_again(entry: Path, tmp_path: Path) -> None:
    again = read_folder(with_recipe.write(tmp_path / "3")).entry

    assert again.digest == read_folder(entry).entry.digest


def test_a_folder_that_is_there_is_not_touched(tmp_path: Path) -> None:
    command = [sys.executable, str(ENTRY / "with_recipe.py"), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert (done.returncode, "name a folder that is not" in done.stderr) == (1, True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("file", [path.name for path in with_recipe.BESIDE])
def test_a_recipe_imports_what_the_image_of_the_trainer_has(entry: Path, file: str) -> None:
    extra = tomllib.loads(PYPROJECT.read_text())["project"]["optional-dependencies"]["torch"]
    there = {re.split("[<>=;]", line)[0] for line in extra} | sys.stdlib_module_names
    there |= {path.stem for path in (entry / "training").iterdir()}
    tree = ast.walk(ast.parse((entry / "training" / file).read_text()))
    wanted = {
        name.partition(".")[0]
        for node in tree
        for name in (
            [alias.name for alias in node.names] if isinstance(node, ast.Import)
            else [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        )
    }  # fmt: skip

    assert {PACKAGES.get(name, name) for name in wanted} <= there


def test_later_people_have_sums_that_the_old_ones_did_not() -> None:
    with np.load(ENTRY / "1" / "eval.npz") as kept:
        most = kept["input:input"].max(axis=0)
    rows = features.features(later.people(HELD_OUT, seed=13))
    beyond = dict(zip(features.SEEN, (rows > most).mean(axis=0), strict=True))

    assert beyond["capital-loss"] > 0.02
    assert {name for name, share in beyond.items() if share > 0.002} <= {"capital-gain", "capital-loss"}
