"""Where a framework's packages are, and what a program of it that does not end well means."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from modelyard.builder.conversion.frameworks import child, environment
from modelyard.builder.conversion.frameworks.catalogue import FRAMEWORKS, Framework
from modelyard.errors import HostFailure, InvalidEntry, InvalidSettings, UnsupportedModel

LIGHTGBM = FRAMEWORKS[0]
HERE = environment.FrameworkPython(sys.executable)


@pytest.mark.parametrize("framework", FRAMEWORKS[:3], ids=lambda one: one.program)
def test_every_framework_has_pinned_packages(framework: Framework) -> None:
    lines = (environment.REQUIREMENTS / f"{framework.program}.txt").read_text().splitlines()
    packages = [line.split()[0] for line in lines if line and not line.startswith((" ", "#"))]

    assert all("==" in package for package in packages)
    assert {"numpy", "onnx", framework.program.removesuffix("-cpu")} <= {
        package.split("==")[0].removesuffix("-cpu") for package in packages
    }


def test_packages_that_are_named_are_used_and_nothing_is_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(environment.HOME, str(tmp_path))
    with pytest.raises(InvalidSettings, match="which has no folder lightgbm; unset it"):
        environment.site_of(LIGHTGBM)

    (tmp_path / "lightgbm").mkdir()

    assert environment.site_of(LIGHTGBM) == tmp_path / "lightgbm"


def test_packages_are_installed_once_and_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODELYARD_CACHE", str(tmp_path))
    monkeypatch.delenv(environment.HOME, raising=False)
    installed: list[Path] = []

    def install(requirements: Path, site: Path, python: str, whose: str, say: Callable[[str], None]) -> None:
        site.mkdir()
        installed.append(requirements)
        if len(installed) == 1:
            raise ConnectionError("gone")

    monkeypatch.setattr(environment.packages, "install", install)
    said: list[str] = []

    with pytest.raises(ConnectionError):
        environment.site_of(LIGHTGBM, said.append)
    site = environment.site_of(LIGHTGBM, said.append)
    again = environment.site_of(LIGHTGBM, said.append)

    assert site == again
    assert site.is_dir()
    assert len(installed) == 2
    assert said == ["installing LightGBM to convert with (once)"] * 2


def program(folder: Path, text: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = folder / "program.py"
    path.write_text(f"import json, os, pathlib, signal, sys\nresult = pathlib.Path(sys.argv[5])\n{text}\n")
    monkeypatch.setattr(child, "_START", path)
    return path


ENDS = {
    "a reason": ('result.write_text(json.dumps({"cannot": "it sings"}))', UnsupportedModel, "cannot be .* it sings"),
    "an exception": ('raise ValueError("bad tree")', InvalidEntry, "cannot work with m.txt: ValueError: bad tree"),
    "nothing": ("", HostFailure, "ended without a reason"),
    "a crash": ("os.kill(os.getpid(), signal.SIGSEGV)", HostFailure, r"crashed \(SIGSEGV\).*may be damaged"),
    "no memory": ("os.kill(os.getpid(), signal.SIGKILL)", HostFailure, "ran out of memory"),
    "a library of the system": (
        'raise OSError("libgomp.so.1: cannot open shared object file")', HostFailure, "apt-get install libgomp1"
    ),
}  # fmt: skip


@pytest.mark.parametrize("how", ENDS)
def test_how_a_program_ends_is_said(how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text, error, sentence = ENDS[how]
    program(tmp_path, text, monkeypatch)

    with pytest.raises(error, match=sentence):
        child.ran(LIGHTGBM, HERE, "convert", tmp_path / "m.txt", tmp_path)


def test_a_program_that_never_ends_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path, "import time\ntime.sleep(60)", monkeypatch)
    monkeypatch.setattr(child, "SECONDS", 0.5)

    with pytest.raises(HostFailure, match="took too long"):
        child.ran(LIGHTGBM, HERE, "convert", tmp_path / "m.txt", tmp_path)


def test_a_program_gets_none_of_our_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path, "result.write_text(json.dumps(dict(os.environ)))", monkeypatch)
    for name in ("MODELYARD_STORE_SECRET_ACCESS_KEY", "AWS_SECRET_ACCESS_KEY", "MLFLOW_TRACKING_PASSWORD"):
        monkeypatch.setenv(name, "secret")

    seen = child.ran(LIGHTGBM, HERE, "convert", tmp_path / "m.txt", tmp_path)

    assert "PATH" in seen
    assert "secret" not in seen.values()
