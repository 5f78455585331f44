"""A result is found again by the digest of what it was made from, and is always whole."""

import threading
from pathlib import Path

import pytest

from localcluster.cache import digest_of, digest_of_files, kept, locked, remove


def write(file: Path, text: str) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return file


def test_parts_do_not_run_into_each_other():
    assert digest_of("ab", "c") != digest_of("a", "bc")


@pytest.mark.parametrize("change", ["content", "name", "mode"])
def test_a_changed_file_changes_the_digest(tmp_path: Path, change: str):
    file = write(tmp_path / "sources" / "main.go", "package main")
    before = digest_of_files(tmp_path, [tmp_path / "sources"])
    if change == "content":
        file.write_text("package other")
    elif change == "name":
        file.rename(file.with_name("other.go"))
    else:
        file.chmod(0o755)
    assert digest_of_files(tmp_path, [tmp_path / "sources"]) != before


def test_what_python_leaves_behind_does_not_change_the_digest(tmp_path: Path):
    write(tmp_path / "sources" / "a.py", "x = 1")
    before = digest_of_files(tmp_path, [tmp_path / "sources"])
    write(tmp_path / "sources" / "__pycache__" / "a.cpython-311.pyc", "compiled")
    assert digest_of_files(tmp_path, [tmp_path / "sources"]) == before


def test_the_place_of_a_clone_does_not_change_the_digest(tmp_path: Path):
    for clone in ("one", "two"):
        write(tmp_path / clone / "a", "same")
    digests = {digest_of_files(tmp_path / clone, [tmp_path / clone]) for clone in ("one", "two")}
    assert len(digests) == 1


def test_a_result_is_made_once(tmp_path: Path):
    made = []

    def make(unfinished: Path) -> None:
        made.append(unfinished)
        write(unfinished, "result")

    assert kept(tmp_path / "bin", make) is False
    assert kept(tmp_path / "bin", make) is True
    assert len(made) == 1
    assert (tmp_path / "bin").read_text() == "result"


def test_an_interrupted_making_leaves_no_result_and_the_next_one_starts_clean(tmp_path: Path):
    def interrupted(unfinished: Path) -> None:
        write(unfinished / "half", "half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        kept(tmp_path / "bin", interrupted)
    assert not (tmp_path / "bin").exists()

    kept(tmp_path / "bin", lambda unfinished: remove(write(unfinished / "whole", "whole")))
    assert list((tmp_path / "bin").iterdir()) == []


def test_two_who_want_the_same_result_make_it_once(tmp_path: Path):
    made = []
    both = threading.Barrier(2)

    def want() -> None:
        both.wait()
        kept(tmp_path / "bin", lambda unfinished: (made.append(1), write(unfinished, "x"))[0])

    threads = [threading.Thread(target=want) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert made == [1]


def test_who_has_to_wait_for_a_lock_is_told(tmp_path: Path):
    told = threading.Event()
    with locked(tmp_path / "lock"):
        waiting = threading.Thread(target=lambda: _enter(tmp_path / "lock", told))
        waiting.start()
        assert told.wait(10)
    waiting.join()


def _enter(lock: Path, told: threading.Event) -> None:
    with locked(lock, told.set):
        pass
