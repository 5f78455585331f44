"""Which framework a file is of; endings that others use too are looked into."""

from pathlib import Path

import pytest

from modelyard.builder.conversion.frameworks.catalogue import framework_of, model_in
from modelyard.errors import InvalidEntry

BEGINNINGS = {
    "m.txt": (b"tree\nversion=v4\n", "LightGBM"),
    "windows.txt": (b"tree\r\nversion=v4\r\n", "LightGBM"),
    "m.json": (b'{"learner": {"attributes": {}}}', "XGBoost"),
    "m.ubj": (b"{L\x00\x00\x00\x00\x00\x00\x00\x07learner{", "XGBoost"),
    "m.cbm": (b"CBM1\x00\x00", "CatBoost"),
}


@pytest.mark.parametrize("name", BEGINNINGS)
def test_a_file_tells_by_its_first_bytes(name: str, tmp_path: Path) -> None:
    content, framework = BEGINNINGS[name]
    (tmp_path / name).write_bytes(content)

    assert framework_of(tmp_path / name).name == framework


@pytest.mark.parametrize("name", ["notes.txt", "labels.json", "x.ubj", "x.cbm"])
def test_anything_else_of_that_ending_is_told_how_a_model_is_written(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b'{"labels": ["a", "b"]}')

    with pytest.raises(InvalidEntry, match=rf"{name} does not begin like a model of \w+; write it with .*save_model"):
        framework_of(tmp_path / name)


def test_a_folder_has_one_model_of_a_framework(tmp_path: Path) -> None:
    (tmp_path / "README.txt").write_text("words")
    assert model_in(tmp_path) is None

    (tmp_path / "model.txt").write_text("tree\n")
    assert model_in(tmp_path) == tmp_path / "model.txt"

    (tmp_path / "model.cbm").write_bytes(b"CBM1")
    with pytest.raises(InvalidEntry, match=r"has model\.txt and model\.cbm; keep the one to serve"):
        model_in(tmp_path)
