"""One place knows the cache folder and where uv is."""

import ast
import sys
from pathlib import Path

import pytest

from modelyard import installation


def program(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without any uv: an environment, a cache and a PATH that are empty."""
    monkeypatch.setattr("sys.prefix", str(tmp_path / "environment"))
    monkeypatch.setenv("MODELYARD_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    return tmp_path


def test_where_there_is_no_uv_none_is_found(machine: Path) -> None:
    assert installation.find_uv() is None


def test_the_uv_that_setup_put_into_the_cache_is_found(machine: Path) -> None:
    uv = program(installation.own_uv(), "exit 0")

    assert installation.find_uv() == str(uv)


def test_the_uv_of_the_environment_comes_before_the_cache_and_the_cache_before_the_path(machine: Path) -> None:
    on_path = program(machine / "path" / "uv", "exit 0")
    assert installation.find_uv() == str(on_path)

    own = program(installation.own_uv(), "exit 0")
    assert installation.find_uv() == str(own)

    beside = program(machine / "environment" / "bin" / "uv", "exit 0")
    assert installation.find_uv() == str(beside)


def test_a_stand_in_that_only_says_how_to_install_uv_is_not_taken_for_it(machine: Path) -> None:
    program(machine / "path" / "uv", "echo uv: command not found; exit 127")

    assert installation.find_uv() is None


def test_the_cache_is_where_the_environment_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("MODELYARD_CACHE", "~/elsewhere")
    assert installation.cache_folder() == tmp_path / "elsewhere"

    monkeypatch.delenv("MODELYARD_CACHE")
    assert installation.cache_folder() == tmp_path / ".cache" / "modelyard"


def test_what_the_caller_says_about_caches_wins(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PIP_CACHE_DIR", raising=False)
    monkeypatch.setenv("UV_CACHE_DIR", "/mine")

    environment = installation.installer_environment()

    assert environment["UV_CACHE_DIR"] == "/mine"
    assert environment["PIP_CACHE_DIR"] == str(machine / "cache" / "pip-cache")


def test_it_can_be_imported_before_anything_is_installed() -> None:
    tree = ast.parse(Path(installation.__file__).read_text())
    imports = [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    imports += [each.name for node in ast.walk(tree) if isinstance(node, ast.Import) for each in node.names]

    assert [name for name in imports if name.split(".")[0] not in sys.stdlib_module_names] == []
