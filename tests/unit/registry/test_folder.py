"""An entry as a folder on disk: what belongs to it, and what is refused before anything is sent."""

from pathlib import Path

import pytest

from modelyard.errors import InvalidEntry
from modelyard.registry.folder import read_folder
from tests.support.artifacts.entries import an_entry


def test_hidden_files_and_caches_do_not_belong_to_an_entry(tmp_path: Path) -> None:
    folder = an_entry(tmp_path / "toy")
    plain = read_folder(folder).entry
    (folder / ".DS_Store").write_text("x")
    (folder / "__pycache__").mkdir()
    (folder / "__pycache__" / "make.pyc").write_text("x")

    assert read_folder(folder).entry == plain


def test_every_content_and_every_path_is_in_the_digest(tmp_path: Path) -> None:
    folder = an_entry(tmp_path / "toy")
    digests = {read_folder(folder).entry.digest}
    (folder / "a.txt").write_text("x")
    digests.add(read_folder(folder).entry.digest)
    (folder / "a.txt").rename(folder / "b.txt")
    digests.add(read_folder(folder).entry.digest)
    (folder / "b.txt").write_text("y")
    digests.add(read_folder(folder).entry.digest)

    assert len(digests) == 4


def test_links_are_refused(tmp_path: Path) -> None:
    folder = an_entry(tmp_path / "toy")
    (folder / "secret").symlink_to("/etc/hostname")

    with pytest.raises(InvalidEntry, match="secret is a link; put the file itself"):
        read_folder(folder)


def test_names_that_other_systems_cannot_store_are_refused(tmp_path: Path) -> None:
    folder = an_entry(tmp_path / "toy")
    (folder / "a\\b").write_text("x")

    with pytest.raises(InvalidEntry, match="rename the file"):
        read_folder(folder)


def test_a_folder_without_metadata_says_what_to_write(tmp_path: Path) -> None:
    with pytest.raises(InvalidEntry, match=r"has no modelyard.yaml; write one with name, version"):
        read_folder(tmp_path)
    with pytest.raises(InvalidEntry, match="is not a folder"):
        read_folder(tmp_path / "missing")
