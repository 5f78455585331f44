"""`modelyard export`, as a person types it: from a folder and from the registry, and the check on the other side."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from modelyard.settings import StoreSettings
from tests.support.artifacts.entries import an_entry
from tests.support.machine.command_line import modelyard, modelyard_here
from tests.support.servers.store import StoreServer

INPUT = np.arange(12, dtype=np.float32).reshape(4, 3)
ARRAYS = {"input:x": INPUT, "output:y": INPUT * 2}


@pytest.fixture
def where(store_server: StoreServer) -> StoreSettings:
    return store_server.settings(store_server.new_bucket())


def test_a_folder_is_exported_and_the_archive_checked(tmp_path: Path) -> None:
    folder = an_entry(tmp_path / "toy", arrays=ARRAYS, licence="MIT")

    made = modelyard_here("export", folder, "--format", "onnx", "--out", "toy.zip", cwd=tmp_path)
    checked = modelyard_here("export", "--check", "toy.zip", cwd=tmp_path)
    told = modelyard_here("export", "--check", "toy.zip", "-o", "json", cwd=tmp_path)

    assert (made.code, checked.code) == (0, 0), made.err + checked.err
    assert made.out.startswith("toy.zip: exported, toy:1 as onnx (5 files, ")
    assert checked.out.startswith("toy.zip: intact, toy:1 as onnx (5 files, ")
    assert "licence  MIT" in made.out
    assert "4 golden rows (evaluation), largest difference 0" in checked.out
    facts = json.loads(told.out)
    assert (facts["file"], facts["rows"], facts["largestDifference"]) == ("toy.zip", 4, {"y": 0.0})


def test_an_entry_of_the_registry_gives_the_archive_of_its_folder(where: StoreSettings, tmp_path: Path) -> None:
    folder = an_entry(tmp_path / "here", arrays=ARRAYS)
    assert modelyard_here("push", folder, store=where, cwd=tmp_path).code == 0
    assert modelyard_here("push", an_entry(tmp_path / "old", version="0"), store=where, cwd=tmp_path).code == 0
    assert modelyard_here("alias", "set", "toy", "champion", "1", store=where, cwd=tmp_path).code == 0

    for what in (folder, "toy:1", "toy@champion", "toy"):
        ran = modelyard_here(
            "export", what, "--format", "onnx", "--out", f"{Path(what).name}.zip", store=where, cwd=tmp_path
        )
        assert ran.code == 0, ran.err

    one, *others = (tmp_path / f"{name}.zip" for name in ("here", "toy:1", "toy@champion", "toy"))
    assert [other.read_bytes() == one.read_bytes() for other in others] == [True] * 3
    assert "toy:1 is its newest version" in " ".join(ran.err.split())


def test_what_is_nowhere_is_said_in_a_sentence(where: StoreSettings, tmp_path: Path) -> None:
    for what, sentence in (
        ("toy", "there is no file toy here and no entry toy in the registry"),
        ("toy:1", "the registry has no entry toy"),
        ("toy.onnx", "there is no toy.onnx"),
        ("some/folder", "there is no some/folder"),
    ):
        ran = modelyard_here("export", what, "--format", "onnx", "--out", "toy.zip", store=where, cwd=tmp_path)
        assert (ran.code, sentence in " ".join(ran.err.split())) == (2, True), ran.err
    assert not list(tmp_path.glob("*.zip"))


def test_a_damaged_archive_ends_with_exit_code_2(tmp_path: Path) -> None:
    modelyard_here("export", an_entry(tmp_path / "toy"), "--format", "onnx", "--out", "toy.zip", cwd=tmp_path)
    whole = (tmp_path / "toy.zip").read_bytes()
    (tmp_path / "toy.zip").write_bytes(whole[: len(whole) // 2])

    ran = modelyard_here("export", "--check", "toy.zip", cwd=tmp_path)

    assert (ran.code, ran.out) == (2, "")
    assert "toy.zip is damaged" in ran.err


def test_a_format_that_cannot_be_made_here_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    for form, sentence in (("coreml", "coremltools no longer reads ONNX"), ("tflite", "TFLite needs onnx2tf")):
        ran = modelyard(
            "export",
            "toy:1",
            "--format",
            form,
            "--out",
            "toy.zip",
            cwd=tmp_path,
            MODELYARD_TFLITE_PYTHON=sys.executable,
        )
        assert (ran.code, sentence in ran.err) == (2, True), ran.err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((), "say what to export"),
        (("toy", "--format", "onnx"), "say what to export"),
        (("toy", "--check", "toy.zip"), "--check stands alone"),
    ],
)
def test_half_a_request_is_refused(arguments: tuple[str, ...], sentence: str, tmp_path: Path) -> None:
    ran = modelyard_here("export", *arguments, cwd=tmp_path)

    assert (ran.code, sentence in ran.err) == (2, True), ran.err
