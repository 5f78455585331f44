"""Models of other frameworks become entries as pickles do, with the rows that prove them, which are not kept."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from modelyard.builder.artifacts.source import read_source
from modelyard.builder.artifacts.staging import Naming, stage, stage_entry, try_entry
from modelyard.errors import InvalidEntry, InvalidInput
from modelyard.registry.folder import read_folder
from tests.support.artifacts.entries import an_entry
from tests.support.frameworks.trained import Trained, trained


@pytest.fixture(scope="module")
def lightgbm(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    return trained("lightgbm", tmp_path_factory.mktemp("lightgbm"))


def test_a_lone_file_becomes_an_entry_that_can_be_served(lightgbm: Trained, tmp_path: Path) -> None:
    said: list[str] = []
    naming = Naming("risk", "1", sample=lightgbm.rows, say=said.append)

    folder = stage_entry(lightgbm.folder / "binary.txt", tmp_path / "scratch", naming)

    entry = read_folder(folder).entry
    assert [file.path for file in entry.files] == ["model.onnx", "modelyard.yaml"]
    assert (entry.name, entry.metadata.framework) == ("risk", "lightgbm")
    assert said[-1].startswith("binary.txt was converted in single precision: 100.00% of 400 rows (rows.csv) are")
    assert "as by LightGBM 4." in said[-1]
    try_entry(folder, tmp_path / "tried")


def test_a_folder_may_hold_the_frameworks_model_and_other_texts(lightgbm: Trained, tmp_path: Path) -> None:
    folder = an_entry(tmp_path / "toy", framework="lightgbm")
    (folder / "model.onnx").unlink()
    (folder / "eval.npz").unlink(missing_ok=True)
    (folder / "NOTES.txt").write_text("words")
    shutil.copyfile(lightgbm.folder / "number.txt", folder / "model.txt")

    staged = stage_entry(folder, tmp_path / "scratch", Naming(sample=lightgbm.rows))

    assert [file.path for file in read_folder(staged).entry.files] == ["NOTES.txt", "model.onnx", "modelyard.yaml"]


def test_an_evaluation_set_beside_it_proves_it_and_goes_along(lightgbm: Trained, tmp_path: Path) -> None:
    (tmp_path / "lone").mkdir()
    path = tmp_path / "lone" / "number.txt"
    shutil.copyfile(lightgbm.folder / "number.txt", path)
    rows = np.genfromtxt(lightgbm.rows, delimiter=",", skip_header=1, usecols=(1, 2, 3)).astype(np.float32)
    arrays = {"input": rows, "variable": lightgbm.answers["number"][:, None].astype(np.float32)}
    np.savez(tmp_path / "lone" / "eval.npz", **arrays)

    folder = stage_entry(path, tmp_path / "scratch", Naming(version="1"))

    assert [file.path for file in read_folder(folder).entry.files] == ["eval.npz", "model.onnx", "modelyard.yaml"]


def test_a_sample_without_anything_to_convert_is_a_mistake(lightgbm: Trained, tmp_path: Path) -> None:
    folder = an_entry(tmp_path / "toy")

    with pytest.raises(InvalidInput, match=r"--sample is for models that are converted, and .* needs no conversion"):
        stage(folder, tmp_path / "scratch", Naming(sample=lightgbm.rows))
    with pytest.raises(InvalidInput, match="needs no conversion"):
        stage_entry(folder / "model.onnx", tmp_path / "other", Naming(version="1", sample=lightgbm.rows))


def test_where_nothing_is_converted_the_file_is_named_with_the_way(lightgbm: Trained) -> None:
    with pytest.raises(InvalidEntry, match=r"is a model that has to be converted first; push it: modelyard push"):
        read_source(lightgbm.folder / "binary.txt")
