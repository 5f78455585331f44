"""The packages of a Python model, installed where it is pushed and from nowhere but wheels."""

import zipfile
from pathlib import Path

import pytest

from modelyard.builder.artifacts.source import read_source
from modelyard.builder.artifacts.staging import Naming, stage
from modelyard.errors import InvalidEntry
from modelyard.registry.folder import read_folder
from tests.support.frameworks.python_models import a_python_model, a_wheel

TRUSTED = Naming(trust_code=True)


def test_the_packages_become_one_file_of_the_entry_and_the_wheels_stay_behind(tmp_path: Path) -> None:
    said: list[str] = []
    folder = a_python_model(tmp_path / "greeter")

    staged = stage(folder, tmp_path / "scratch", Naming(trust_code=True, say=said.append))

    paths = {file.path for file in read_folder(staged).entry.files}
    assert paths == {
        "environment.zip", "eval.npz", "marks/mark.txt", "model.py", "modelyard.yaml", "requirements.txt",
    }  # fmt: skip
    assert said == ["installing what requirements.txt pins: 1 in all"]
    assert "environment.zip" in read_source(staged).files
    assert not (folder / "environment.zip").exists()
    with zipfile.ZipFile(staged / "environment.zip") as archive:
        assert {"greeting.py", "greeting-1.0.dist-info/METADATA"} < set(archive.namelist())
        assert {name.partition("/")[0] for name in archive.namelist()} == {"greeting.py", "greeting-1.0.dist-info"}


def test_the_same_wheels_give_the_same_bytes(tmp_path: Path) -> None:
    folder = a_python_model(tmp_path / "greeter")

    first, second = (stage(folder, tmp_path / scratch, TRUSTED) for scratch in ("a", "b"))

    assert read_folder(first).entry.digest == read_folder(second).entry.digest


def test_what_has_its_packages_is_taken_as_it_is(tmp_path: Path) -> None:
    staged = stage(a_python_model(tmp_path / "greeter"), tmp_path / "scratch", TRUSTED)
    bare = a_python_model(tmp_path / "bare", requirements="")
    for wheel in (bare / "wheels").iterdir():
        wheel.unlink()
    (bare / "wheels").rmdir()

    assert stage(staged, tmp_path / "again", TRUSTED) == staged
    assert stage(bare, tmp_path / "none", TRUSTED) == bare


def test_a_folder_of_wheels_is_all_that_is_asked(tmp_path: Path) -> None:
    folder = a_python_model(tmp_path / "greeter", requirements="greeting==1.0\nsix==1.17.0\n")

    with pytest.raises(InvalidEntry, match=r"wheels/ has no wheel of six, .* remove wheels/"):
        stage(folder, tmp_path / "scratch", TRUSTED)


def test_a_version_that_no_wheel_has_is_said_with_the_installers_words(tmp_path: Path) -> None:
    folder = a_python_model(tmp_path / "greeter", requirements="greeting==2.0\n")
    a_wheel(folder / "wheels", "greeting", "1.1", "")

    with pytest.raises(InvalidEntry, match=r"from wheels/ alone: .*greeting.*2\.0"):
        stage(folder, tmp_path / "scratch", TRUSTED)


def test_a_wheel_that_is_not_the_one_of_the_hash_is_refused(tmp_path: Path) -> None:
    folder = a_python_model(tmp_path / "greeter", requirements=f"greeting==1.0 --hash=sha256:{'0' * 64}\n")

    with pytest.raises(InvalidEntry, match=r"(?i)hash mismatch|do not match the hashes"):
        stage(folder, tmp_path / "scratch", TRUSTED)
