"""`modelyard new`: what it writes, and what it refuses before it has written anything."""

import os
from pathlib import Path

import pytest

from modelyard.cli.project.new import NAME_THERE, TEMPLATE, write_repository
from modelyard.errors import InvalidInput
from tests.support.machine.command_line import modelyard

AT_THE_TOP = {
    ".dvc", ".github", ".gitignore", "Makefile", "README.md", "app", "chart", "dvc.yaml", "model.yaml", "params.yaml",
    "pytest.ini", "release.sh", "requirements.txt", "src", "tests",
}  # fmt: skip


def test_a_repository_is_made_and_the_next_steps_are_said(tmp_path: Path) -> None:
    ran = modelyard("new", "loans", cwd=tmp_path)

    assert ran.code == 0, ran.err
    assert {path.name for path in (tmp_path / "loans").iterdir()} == AT_THE_TOP
    assert "  cd loans && git init" in ran.out
    assert "  make train test" in ran.out


def test_it_has_every_file_of_the_template_under_its_own_name(tmp_path: Path) -> None:
    made = write_repository("loans", tmp_path / "here")

    files = [path for path in (tmp_path / "here").rglob("*") if path.is_file()]
    assert sorted(path.relative_to(tmp_path / "here") for path in files) == sorted(made)
    assert len(made) == len([p for p in TEMPLATE.rglob("*") if p.is_file() and "__pycache__" not in p.parts])
    assert not [path for path in files if NAME_THERE in path.read_text() or "dot-" in str(path)]
    assert "name: loans" in (tmp_path / "here" / "params.yaml").read_text()
    assert os.access(tmp_path / "here" / "release.sh", os.X_OK)


def test_what_python_compiled_in_the_template_is_left_behind(tmp_path: Path) -> None:
    compiled = TEMPLATE / "src" / "__pycache__"
    there = compiled.exists()
    compiled.mkdir(exist_ok=True)
    (compiled / "left-behind.pyc").write_bytes(b"\0")
    try:
        made = write_repository("loans", tmp_path / "here")
    finally:
        (compiled / "left-behind.pyc").unlink()
        if not there:
            compiled.rmdir()

    assert [path for path in made if "__pycache__" in path.parts] == []


def test_an_empty_folder_will_do(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()

    ran = modelyard("new", "loans", "--path", "empty", cwd=tmp_path)

    assert ran.code == 0, ran.err
    assert (tmp_path / "empty" / "dvc.yaml").is_file()


@pytest.mark.parametrize("name", ["Loans", "loans_2", "2loans", "my--loans", "-loans", "loans-", "", "a" * 41, "a/b"])
def test_a_name_that_no_model_can_have_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidInput, match="is no name for a Model: use up to 40 lower-case letters"):
        write_repository(name, tmp_path / "here")

    assert list(tmp_path.iterdir()) == []


def test_a_folder_with_something_in_it_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "loans").mkdir()
    (tmp_path / "loans" / "mine.txt").write_text("mine")

    ran = modelyard("new", "loans", cwd=tmp_path)

    assert ran.code == 2
    assert ran.err == "loans is there and not empty; name another folder with --path.\n"
    assert [path.name for path in (tmp_path / "loans").iterdir()] == ["mine.txt"]


def test_a_file_in_the_way_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "loans").write_text("mine")

    with pytest.raises(InvalidInput, match="is there and not empty"):
        write_repository("loans", tmp_path / "loans")

    assert (tmp_path / "loans").read_text() == "mine"
