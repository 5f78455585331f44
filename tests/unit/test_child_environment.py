"""Whatever lies in the folder where a command is typed, the programs that it starts import none of it."""

import os
import subprocess
from pathlib import Path

import pytest

from modelyard.builder.inference.sandbox import confined, end, start
from modelyard.child_environment import FOLDER, SAFE_PYTHON, child_environment, program_path, without_keys

MODULES = ("types", "json", "typing", "numpy", "onnx", "modelyard", "sitecustomize")


@pytest.fixture
def crowded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, with files that are called like modules everybody imports."""
    folder = tmp_path / "crowded"
    folder.mkdir()
    for name in MODULES:
        (folder / f"{name}.py").write_text("raise RuntimeError('imported from the working directory')\n")
    monkeypatch.chdir(folder)
    return folder


def test_a_confined_process_imports_nothing_from_the_working_directory(crowded: Path) -> None:
    result = crowded.parent / "result.json"

    assert confined("tests.support.machine.reserving", [str(result), "4096"], result, 60)["mapped"] is True


@pytest.mark.parametrize("path", ["", ":", f"nowhere:{os.pathsep}"])
def test_an_empty_part_of_the_path_does_not_mean_the_working_directory(
    crowded: Path, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.setenv("PYTHONPATH", path)

    done = subprocess.run([*SAFE_PYTHON, "-c", "import json, types, typing"], cwd=FOLDER, env=child_environment())

    assert done.returncode == 0


def test_a_relative_part_of_the_path_means_the_same_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "library").mkdir()
    (tmp_path / "library" / "of_ours.py").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", "library")

    assert subprocess.run([*SAFE_PYTHON, "-c", "import of_ours"], cwd=FOLDER, env=child_environment()).returncode == 0


@pytest.mark.parametrize(("named", "started"), [("python3", "python3"), ("", ""), ("/bin/python", "/bin/python")])
def test_a_program_is_called_by_its_name_or_its_whole_path(named: str, started: str) -> None:
    assert program_path(named) == started


def test_a_program_named_from_the_working_directory_is_found_elsewhere(crowded: Path) -> None:
    assert program_path("venv/bin/python") == str(crowded / "venv" / "bin" / "python")


def test_what_such_a_process_starts_itself_is_as_safe(crowded: Path) -> None:
    environment = child_environment({"ADDED": "1"})

    assert (environment["PYTHONSAFEPATH"], environment["ADDED"]) == ("1", "1")
    assert environment["PATH"] == os.environ["PATH"]


def test_other_surroundings_take_the_place_of_ours() -> None:
    assert child_environment({"ADDED": "1"}, {"THEIRS": "2"}) == {"THEIRS": "2", "ADDED": "1", "PYTHONSAFEPATH": "1"}


def test_a_child_works_in_nobodys_folder(crowded: Path) -> None:
    process = start("timeit", ["-n", "1", "import os; assert os.getcwd() == '/'"], stderr=subprocess.DEVNULL)

    assert process.wait(60) == 0
    end(process)


def test_a_program_that_reads_what_others_wrote_gets_nobodys_keys() -> None:
    kept = {"PATH": "/bin", "HOME": "/root", "LANG": "C", "PYTHONPATH": "/src", "OMP_NUM_THREADS": "1"}
    keys = dict.fromkeys(
        ["MODELYARD_STORE_SECRET_ACCESS_KEY", "AWS_PROFILE", "MLFLOW_TRACKING_URI", "WANDB_API_KEY", "GITHUB_TOKEN",
         "npm_config_password", "OPENAI_API_KEY", "GOOGLE_APPLICATION_CREDENTIALS"], "x",
    )  # fmt: skip

    assert without_keys({**kept, **keys}) == kept
