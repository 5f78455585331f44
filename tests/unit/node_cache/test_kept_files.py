"""The folder of a node's cache: never wrong, never half written, never too full."""

import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from modelyard.node_cache.kept_files import PIECE, Damaged, KeptFiles, WrongContent


def name_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def keep(kept: KeptFiles, content: bytes) -> bool:
    return kept.add(name_of(content), len(content), lambda path: path.write_bytes(content))


def read(kept: KeptFiles, sha256: str) -> bytes:
    """All of a file, piece by piece."""
    opened = kept.open(sha256)
    assert opened is not None
    try:
        size = (kept._folder / sha256).stat().st_size
        return b"".join(opened.piece(number) for number in range(-(-size // PIECE)))
    finally:
        opened.close()


@pytest.fixture
def kept(tmp_path: Path) -> KeptFiles:
    return KeptFiles(tmp_path / "cache", 10 * PIECE)


@pytest.mark.parametrize("size", [1, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE + 7])
def test_what_was_kept_is_read_as_it_was(kept: KeptFiles, size: int) -> None:
    content = os.urandom(size)

    assert keep(kept, content)
    assert kept.has(name_of(content))
    assert read(kept, name_of(content)) == content
    assert kept.size == size


def test_what_is_not_there_is_not_had(kept: KeptFiles) -> None:
    assert not kept.has("0" * 64)
    assert kept.open("0" * 64) is None


def test_another_content_is_not_kept_and_leaves_nothing(kept: KeptFiles) -> None:
    with pytest.raises(WrongContent, match="it has the SHA-256 "):
        kept.add(name_of(b"right"), 5, lambda path: path.write_bytes(b"wrong"))

    assert (list(kept._folder.iterdir()), kept.size) == ([], 0)
    assert keep(kept, os.urandom(kept.limit)), "the room is given back"


def test_a_fetch_that_fails_leaves_nothing(kept: KeptFiles) -> None:
    def broken(path: Path) -> None:
        path.write_bytes(b"ha")
        raise OSError("No space left on device")

    with pytest.raises(OSError, match="No space"):
        kept.add("0" * 64, 5, broken)

    assert (list(kept._folder.iterdir()), kept.size) == ([], 0)


def test_what_was_asked_for_longest_ago_goes_first(kept: KeptFiles) -> None:
    first, second, third, fourth = (os.urandom(3 * PIECE) for _ in range(4))
    for content in (first, second, third):
        keep(kept, content)

    assert kept.has(name_of(first))
    keep(kept, fourth)

    assert [kept.has(name_of(content)) for content in (first, second, third, fourth)] == [True, False, True, True]
    assert kept.size == 9 * PIECE


def test_a_file_that_is_larger_than_the_folder_may_be_displaces_nothing(kept: KeptFiles) -> None:
    keep(kept, b"small")

    assert not kept.add("0" * 64, kept.limit + 1, lambda path: pytest.fail("nothing is fetched"))
    assert kept.has(name_of(b"small"))


def test_a_file_that_goes_while_it_is_read_is_read_to_its_end(kept: KeptFiles) -> None:
    content = os.urandom(6 * PIECE)
    keep(kept, content)
    opened = kept.open(name_of(content))
    assert opened is not None

    keep(kept, os.urandom(6 * PIECE))

    assert not kept.has(name_of(content))
    assert b"".join(opened.piece(number) for number in range(6)) == content
    opened.close()


@pytest.mark.parametrize("place", [0, PIECE + 5])
def test_a_piece_that_has_changed_is_not_given_out(kept: KeptFiles, place: int) -> None:
    content = os.urandom(2 * PIECE)
    keep(kept, content)
    with (kept._folder / name_of(content)).open("r+b") as file:
        file.seek(place)
        file.write(bytes([content[place] ^ 1]))
    opened = kept.open(name_of(content))
    assert opened is not None

    with pytest.raises(Damaged):
        opened.piece(place // PIECE)
    assert opened.piece(1 - place // PIECE) == (content[PIECE:] if place < PIECE else content[:PIECE])
    opened.close()


def test_the_next_process_finds_what_is_whole_in_the_order_it_was_asked_for(tmp_path: Path) -> None:
    kept = KeptFiles(tmp_path, 10 * PIECE)
    contents = [os.urandom(3 * PIECE) for _ in range(3)]
    for age, content in enumerate(reversed(contents)):
        keep(kept, content)
        os.utime(tmp_path / name_of(content), (age, age))
    (tmp_path / name_of(contents[2])).write_bytes(b"cut short")
    (tmp_path / "unfinished-0").write_bytes(b"half")

    again = KeptFiles(tmp_path, 6 * PIECE)

    assert not (tmp_path / "unfinished-0").exists()
    assert [again.has(name_of(content)) for content in contents] == [True, False, False]
    assert read(again, name_of(contents[0])) == contents[0]


def test_what_somebody_deleted_is_fetched_again(kept: KeptFiles) -> None:
    keep(kept, b"gone")
    (kept._folder / name_of(b"gone")).unlink()

    assert kept.open(name_of(b"gone")) is None
    assert not kept.has(name_of(b"gone"))
    assert keep(kept, b"gone")


def test_many_at_once_never_take_more_than_they_may_and_all_stay_right(kept: KeptFiles) -> None:
    contents = [os.urandom(PIECE + number) for number in range(12)]

    def use(number: int) -> bool:
        content = contents[number % len(contents)]
        if not kept.has(name_of(content)) and not keep(kept, content):
            return kept.size <= kept.limit
        opened = kept.open(name_of(content))
        if opened is not None:
            assert opened.piece(0) == content[:PIECE]
            opened.close()
        return kept.size <= kept.limit

    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(use, range(200)))

    on_disk = [path for path in kept._folder.iterdir() if path.is_file()]
    assert sum(path.stat().st_size for path in on_disk) == kept.size <= kept.limit
    assert all(hashlib.sha256(path.read_bytes()).hexdigest() == path.name for path in on_disk)
