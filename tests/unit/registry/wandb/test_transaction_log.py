"""The log of a W&B run: records come back whole however blocks cut them, and damage is told from an early end."""

from pathlib import Path

import pytest

from modelyard.errors import InvalidEntry
from modelyard.registry.wandb.messages import WireFields
from modelyard.registry.wandb.transaction_log import BLOCK, FIRST, FRAME, FULL, HEADER, LAST, records
from tests.support.objects.wandb_runs import log_of, numbered, varint, written

RECORDS = [b"one", b"", bytes(BLOCK - 40), b"two", bytes(range(256)) * 400, b"three"]


def saved(folder: Path, content: bytes) -> Path:
    path = folder / "run-a.wandb"
    path.write_bytes(content)
    return path


def test_records_come_back_however_blocks_cut_them(tmp_path: Path) -> None:
    assert list(records(saved(tmp_path, log_of(RECORDS)))) == RECORDS


@pytest.mark.parametrize("left", range(FRAME.size + 1))
def test_a_block_ends_with_zeros_where_no_frame_fits(tmp_path: Path, left: int) -> None:
    first = bytes(BLOCK - len(HEADER) - FRAME.size - left)

    assert list(records(saved(tmp_path, log_of([first, b"next"])))) == [first, b"next"]


def test_a_run_that_was_killed_ends_where_its_last_record_does(tmp_path: Path) -> None:
    whole = log_of(RECORDS)
    for cut in (1, 7, 300, BLOCK):
        kept = list(records(saved(tmp_path, whole[:-cut])))
        assert kept == RECORDS[: len(kept)]
        assert len(kept) < len(RECORDS)


def test_a_changed_byte_is_damage(tmp_path: Path) -> None:
    content = bytearray(log_of(RECORDS))
    content[len(HEADER) + FRAME.size] ^= 1

    with pytest.raises(InvalidEntry, match="is damaged"):
        list(records(saved(tmp_path, bytes(content))))


@pytest.mark.parametrize("kinds", [(LAST,), (FIRST, FULL), (9,)])
def test_frames_in_an_order_that_makes_no_record_are_damage(tmp_path: Path, kinds: tuple[int, ...]) -> None:
    import zlib

    frames = b"".join(FRAME.pack(zlib.crc32(b"x", zlib.crc32(bytes([kind]))), 1, kind) + b"x" for kind in kinds)

    with pytest.raises(InvalidEntry, match="is damaged"):
        list(records(saved(tmp_path, HEADER + frames)))


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", HEADER[:-1] + b"\x01"])
def test_another_file_is_no_log(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(InvalidEntry, match="no log of W&B's that is known here"):
        list(records(saved(tmp_path, content)))


def test_fields_are_read_by_their_numbers() -> None:
    fixed = varint(3 << 3 | 1) + bytes(8) + varint(4 << 3 | 5) + bytes(4)
    fields = WireFields(numbered(1, 300) + fixed + written(200, "a") + written(200, "ü") + written(5, numbered(1, 2)))

    assert (fields.number(1), fields.number(2)) == (300, 0)
    assert (fields.texts(200), fields.text(200), fields.text(6)) == (["a", "ü"], "ü", "")
    assert [inner.number(1) for inner in fields.messages(5)] == [2]
    assert (fields.has(5), fields.has(6)) == (True, False)


@pytest.mark.parametrize("message", [b"\x80" * 11, b"\x0a\x05ab", b"\x0b", b"\x09abc", b"\x80"])
def test_what_is_no_message_is_refused(message: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        WireFields(message)
