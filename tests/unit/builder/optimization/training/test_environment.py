"""Where training happens, and what is said before it can: no torch, no trust, no recipe."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from modelyard.builder.optimization.training import environment
from modelyard.builder.optimization.training.training_run import RESULT, train, training_run_of
from modelyard.errors import InvalidSettings, UnsupportedModel
from tests.support.machine.command_line import modelyard
from tests.unit.builder.optimization.classifier import a_file, an_entry
from tests.unit.builder.optimization.training.test_recipe import NEEDED


@pytest.fixture(autouse=True)
def _no_environment_of_this_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("MODELYARD_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv(environment.PYTHON, raising=False)
    environment._missing.cache_clear()
    yield
    environment._missing.cache_clear()


def test_the_python_that_is_named_goes_before_the_one_that_was_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = tmp_path / "cache" / "train-venv" / "bin" / "python"
    assert environment.python() == sys.executable
    made.parent.mkdir(parents=True)
    made.touch()
    assert environment.python() == str(made)
    monkeypatch.setenv(environment.PYTHON, "/opt/torch/bin/python")
    assert environment.python() == "/opt/torch/bin/python"


def test_a_python_without_torch_is_told_with_what_it_lacks() -> None:
    reason = environment.against()

    assert reason is not None
    assert reason.startswith("training needs torch and")
    assert f"which {sys.executable} does not have" in reason
    assert "name its Python in MODELYARD_TORCH_PYTHON" in reason


def test_a_python_that_is_none_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(environment.PYTHON, "/nowhere/python")

    assert environment.against() == (
        "MODELYARD_TORCH_PYTHON names /nowhere/python, which is no program; name the Python of an environment with "
        "torch."
    )


def test_nothing_is_run_without_torch(tmp_path: Path) -> None:
    with pytest.raises(InvalidSettings, match="training needs torch"):
        environment.run("train", {}, tmp_path / "course", lambda _: None)

    assert not (tmp_path / "course").exists()


def a_training_entry(folder: Path) -> Path:
    """An entry whose module tells when it is run."""
    entry = an_entry(folder)
    (entry / "training").mkdir()
    lines = [f"{name}: {value}" for name, value in {**NEEDED, "distill": "{}"}.items()]
    (entry / "training" / "recipe.yaml").write_text("\n".join(lines))
    (entry / "training" / "weights.safetensors").touch()
    for name in ("module.py", "data.py"):
        (entry / "training" / name).write_text(f"open({str(folder / 'was-run')!r}, 'w')")
    return entry


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        (["--train"], "add --trust-code if they come from you or from somebody you trust"),
        (["--train", "--trust-code"], "training needs torch"),
    ],
    ids=["no trust", "no torch"],
)
def test_nothing_of_the_authors_is_run_before_all_is_well(tmp_path: Path, more: list[str], sentence: str) -> None:
    (tmp_path / "entry").mkdir()
    entry = a_training_entry(tmp_path / "entry")

    ran = modelyard("optimize", entry, *more, cwd=tmp_path)

    assert ran.code == 2
    assert sentence in " ".join(ran.err.replace("│", " ").split())
    assert not (entry / "was-run").exists()


def test_an_entry_without_a_recipe_or_an_evaluation_set_is_not_trained(tmp_path: Path) -> None:
    (tmp_path / "entry").mkdir()
    entry = a_training_entry(tmp_path / "entry")
    (entry / "eval.npz").unlink()

    unjudged = modelyard("optimize", entry, "--train", "--trust-code", cwd=tmp_path)
    lone = modelyard("optimize", a_file(tmp_path / "model.onnx"), "--train", "--trust-code", cwd=tmp_path)

    assert "add an eval.npz, which judges what comes out" in " ".join(unjudged.err.replace("│", " ").split())
    assert "has no training/recipe.yaml" in " ".join(lone.err.replace("│", " ").split())


@pytest.mark.parametrize("kept", [b'{"stages": [', b"[]", b"\xff"])
def test_a_result_that_was_cut_short_is_made_again(tmp_path: Path, kept: bytes) -> None:
    (tmp_path / "entry").mkdir()
    training_run = training_run_of(a_training_entry(tmp_path / "entry"), tmp_path / "out")
    training_run.folder.mkdir(parents=True)
    (training_run.folder / RESULT).write_bytes(kept)
    told: list[str] = []

    with pytest.raises(InvalidSettings, match="training needs torch"):
        train(training_run, told.append)

    assert told == []


@pytest.mark.parametrize("kept", ["{}", '{"stages": 1}', '{"stages": [{}]}'])
def test_a_result_without_stages_makes_no_sense(tmp_path: Path, kept: str) -> None:
    (tmp_path / "entry").mkdir()
    training_run = training_run_of(a_training_entry(tmp_path / "entry"), tmp_path / "out")
    training_run.folder.mkdir(parents=True)
    (training_run.folder / RESULT).write_text(kept)

    with pytest.raises(UnsupportedModel, match="what the training says of itself makes no sense"):
        train(training_run, lambda _: None)
