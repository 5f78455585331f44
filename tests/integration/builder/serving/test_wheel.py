"""The wheel of Modelyard brings Triton's compiled parts to machines that have no C compiler."""

import importlib.util
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from types import ModuleType

import pytest

PLATFORM = Path(__file__).resolve().parents[4] / "platform"
RECIPE = Path("modelyard", "builder", "triton", "triton-cpu")


def build(to: Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    """hatchling makes the wheel."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(to)]
    return subprocess.run(
        command,
        cwd=PLATFORM,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder triton-cpu as the wheel brings it."""
    made, unpacked = tmp_path_factory.mktemp("wheel"), tmp_path_factory.mktemp("installed")
    built = build(made)
    assert built.returncode == 0, built.stderr
    [wheel] = made.glob("*.whl")
    assert wheel.name.endswith("-py3-none-manylinux_2_34_x86_64.whl")
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(unpacked)
    return unpacked / RECIPE


def assemble(recipe: Path) -> ModuleType:
    found = importlib.util.spec_from_file_location("assemble_of_a_wheel", recipe / "assemble.py")
    assert found
    assert found.loader
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


def test_libraries_are_taken_from_the_wheel_where_no_compiler_is(
    recipe: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    script = assemble(recipe)

    for place, sources in script.COMPILED.items():
        library = tmp_path / Path(place).name
        assert script._library(library, sources)
        needed = {int(found) for found in re.findall(rb"GLIBC_2\.(\d+)", library.read_bytes())}
        assert max(needed) <= 34


def test_without_either_the_backend_in_python_serves(
    recipe: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    script = assemble(recipe)
    monkeypatch.setattr(script, "HERE", tmp_path)

    for place, sources in script.COMPILED.items():
        assert not script._library(tmp_path / Path(place).name, sources)


def test_a_library_of_another_system_is_not_taken(
    recipe: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    script = assemble(recipe)
    monkeypatch.setattr(script, "HERE", tmp_path)
    (tmp_path / "compiled").mkdir()
    (tmp_path / "compiled" / "libtriton_onnxruntime.so").write_bytes(b"\x7fELF of something else")

    assert not script._library(tmp_path / "libtriton_onnxruntime.so", ("onnxruntime_backend/*.c",))


def test_a_compiler_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    programs, scratch, made = (tmp_path / name for name in ("programs", "scratch", "made"))
    programs.mkdir()
    scratch.mkdir()
    compiler = programs / "cc"
    compiler.write_text("#!/bin/sh\nexit 1\n")
    compiler.chmod(0o755)

    built = build(made, PATH=f"{programs}:{os.environ['PATH']}", TMPDIR=str(scratch))

    assert built.returncode != 0
    assert list(scratch.iterdir()) == []
