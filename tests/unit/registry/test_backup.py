"""Entries and aliases out of one real store and into another, byte for byte, or not at all."""

import json
from pathlib import Path

import pytest

from modelyard.clients.store import S3Store
from modelyard.core.storage import keys
from modelyard.errors import CorruptEntry, EntryExists, InvalidInput
from modelyard.registry.backup import load, save
from modelyard.registry.bucket import BucketRegistry
from tests.support.artifacts.entries import an_entry
from tests.support.servers.store import StoreServer


@pytest.fixture
def other(store_server: StoreServer) -> S3Store:
    """An empty store."""
    return S3Store(store_server.settings(store_server.new_bucket()))


@pytest.fixture
def filled(store: S3Store, tmp_path: Path) -> S3Store:
    registry = BucketRegistry(store)
    registry.push(an_entry(tmp_path / "toy"))
    registry.set_alias("toy", "champion", "1")
    store.put("registry/toy/1/beside.sig", b"signature")
    store.put("registry/toy/2/files-000000000000/model.onnx", b"a push that failed")
    return store


def contents(store: S3Store) -> dict[str, bytes | None]:
    """Everything below registry/ and aliases/."""
    return {one.key: store.get(one.key) for prefix in ("registry/", "aliases/") for one in store.list(prefix)}


def test_an_empty_store_is_as_the_old_one_was(filled: S3Store, other: S3Store, tmp_path: Path) -> None:
    saved = save(filled, tmp_path / "backup")
    restored = load(other, tmp_path / "backup")

    assert (saved.entries, saved.aliases) == (("toy:1",), ("toy@champion",))
    assert (restored.entries, restored.aliases, restored.present, restored.moved) == (
        ("toy:1",), ("toy@champion",), (), ()
    )  # fmt: skip
    whole = {key: content for key, content in contents(filled).items() if not key.startswith("registry/toy/2/")}
    assert contents(other) == whole
    assert BucketRegistry(other).resolve("toy", alias="champion") == BucketRegistry(filled).resolve("toy", version="1")


def test_a_second_time_changes_nothing(filled: S3Store, other: S3Store, tmp_path: Path) -> None:
    save(filled, tmp_path / "backup")
    load(other, tmp_path / "backup")
    before = contents(other)

    again, restored = save(filled, tmp_path / "backup"), load(other, tmp_path / "backup")

    assert again.entries == ("toy:1",)
    assert (restored.entries, restored.present) == ((), ("toy:1",))
    assert contents(other) == before


def test_an_alias_that_was_deleted_does_not_come_back(filled: S3Store, other: S3Store, tmp_path: Path) -> None:
    BucketRegistry(filled).set_alias("toy", "old", "1")
    save(filled, tmp_path / "backup")
    filled.delete(keys.alias("toy", "old"))

    saved, restored = save(filled, tmp_path / "backup"), load(other, tmp_path / "backup")

    assert saved.aliases == restored.aliases == ("toy@champion",)
    assert BucketRegistry(other).alias_version("toy", "old") is None


def test_what_a_backup_that_was_killed_left_is_no_part_of_the_next(
    filled: S3Store, other: S3Store, tmp_path: Path
) -> None:
    save(filled, tmp_path / "backup")
    aliases, entry = (tmp_path / "backup" / "store" / place for place in ("aliases/toy", "registry/toy/1"))
    (aliases / ".champion.json.unfinished.Ab12Cd34").write_bytes(b'{"vers')
    (entry / ".beside.sig.unfinished").write_bytes(b"sig")

    save(filled, tmp_path / "backup")
    load(other, tmp_path / "backup")

    assert contents(other).keys() == {key for key in contents(filled) if not key.startswith("registry/toy/2/")}


def test_an_alias_that_lives_is_not_moved(filled: S3Store, tmp_path: Path) -> None:
    save(filled, tmp_path / "backup")
    BucketRegistry(filled).push(an_entry(tmp_path / "newer", version="2"))
    BucketRegistry(filled).set_alias("toy", "champion", "2")

    restored = load(filled, tmp_path / "backup")

    assert restored.moved == ("toy@champion",)
    assert BucketRegistry(filled).resolve("toy", alias="champion").version == "2"


def test_another_entry_of_that_name_stops_it_before_anything_is_written(
    filled: S3Store, other: S3Store, tmp_path: Path
) -> None:
    save(filled, tmp_path / "backup")
    BucketRegistry(other).push(an_entry(tmp_path / "else", licence="MIT"))
    before = contents(other)

    with pytest.raises(EntryExists, match="the store has another toy:1 than the backup"):
        load(other, tmp_path / "backup")
    assert contents(other) == before


@pytest.mark.parametrize("damage", ["changed", "missing", "manifest", "digest"])
def test_a_damaged_backup_is_noticed_before_anything_is_written(
    filled: S3Store, other: S3Store, tmp_path: Path, damage: str
) -> None:
    save(filled, tmp_path / "backup")
    folder = tmp_path / "backup" / "store" / "registry" / "toy" / "1"
    [model], manifest = folder.glob("files-*/model.onnx"), folder / "entry.json"
    match damage:
        case "changed":
            model.write_bytes(model.read_bytes()[:-1] + b"!")
        case "missing":
            model.unlink()
        case "manifest":
            manifest.write_text("{")
        case "digest":
            manifest.write_text(json.dumps({**json.loads(manifest.read_text()), "digest": "sha256:" + "0" * 64}))

    with pytest.raises(CorruptEntry):
        load(other, tmp_path / "backup")
    assert contents(other) == {}


def test_a_store_that_lost_or_changed_a_file_is_noticed_when_it_is_saved(filled: S3Store, tmp_path: Path) -> None:
    entry = BucketRegistry(filled).resolve("toy", version="1")
    filled.put(keys.entry_file("toy", "1", entry.digest, "model.onnx"), b"tampered")

    with pytest.raises(CorruptEntry, match=r"model\.onnx of toy:1 is not what was pushed"):
        save(filled, tmp_path / "backup")


def test_a_folder_that_is_no_backup_is_refused(other: S3Store, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="is no backup"):
        load(other, tmp_path)


@pytest.mark.parametrize("key", ["aliases/toy/champion.json", "registry/toy/1/entry.json"])
def test_a_damaged_object_of_the_store_is_named_before_anything_is_written(
    filled: S3Store, other: S3Store, tmp_path: Path, key: str
) -> None:
    save(filled, tmp_path / "backup")
    other.put(key, b"{")
    before = contents(other)

    if key.startswith("registry/"):
        with pytest.raises(CorruptEntry, match="the manifest of toy:1 in the store is damaged"):
            load(other, tmp_path / "backup")
        assert contents(other) == before
        return
    with pytest.raises(CorruptEntry, match="toy@champion is damaged"):
        load(other, tmp_path / "backup")


def test_a_damaged_alias_of_a_backup_is_noticed_before_anything_is_written(
    filled: S3Store, other: S3Store, tmp_path: Path
) -> None:
    save(filled, tmp_path / "backup")
    (tmp_path / "backup" / "store" / "aliases" / "toy" / "champion.json").write_text("[]")

    with pytest.raises(CorruptEntry, match="toy@champion is damaged"):
        load(other, tmp_path / "backup")
    assert contents(other) == {}
