"""Entries in a bucket, against a real SeaweedFS: pushed once, resolved, verified when fetched."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NoReturn

import pytest

from modelyard.clients.store import S3Store
from modelyard.core.storage import keys
from modelyard.errors import CorruptEntry, EntryExists, InvalidEntry, UnknownEntry
from modelyard.registry.bucket import BucketRegistry, natural
from tests.support.artifacts.entries import an_entry


@pytest.fixture
def registry(store: S3Store) -> BucketRegistry:
    return BucketRegistry(store)


def test_a_pushed_entry_resolves_to_its_digest_files_and_metadata(registry: BucketRegistry, tmp_path: Path) -> None:
    folder = an_entry(tmp_path / "toy", labels=["a", "b"])
    (folder / "docs").mkdir()
    (folder / "docs" / "card.md").write_text("hello")

    pushed = registry.push(folder)

    found = registry.resolve("toy", version="1")
    assert pushed.new is True
    assert found == pushed.entry
    assert [file.path for file in found.files] == [
        "docs/card.md",
        "model.onnx",
        "modelyard.yaml",
    ]
    assert found.metadata.labels == ("a", "b")
    assert found.digest == keys.entry_digest(found.files)
    assert found.size == sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def test_fetched_files_are_those_that_were_pushed(registry: BucketRegistry, tmp_path: Path) -> None:
    folder = an_entry(tmp_path / "toy")
    entry = registry.push(folder).entry

    registry.fetch(entry, tmp_path / "fetched")

    for file in entry.files:
        assert (tmp_path / "fetched" / file.path).read_bytes() == (folder / file.path).read_bytes()


def test_pushing_the_same_again_changes_nothing(registry: BucketRegistry, tmp_path: Path) -> None:
    folder = an_entry(tmp_path / "toy")
    first = registry.push(folder)

    again = registry.push(folder)

    assert (again.new, again.entry) == (False, first.entry)


def test_a_pushed_version_never_changes(registry: BucketRegistry, tmp_path: Path) -> None:
    folder = an_entry(tmp_path / "toy")
    before = registry.push(folder).entry
    (folder / "MODEL_CARD.md").write_text("better now")

    with pytest.raises(
        EntryExists,
        match=r"toy:1 is already pushed .*MODEL_CARD.md differs.* write a new version",
    ):
        registry.push(folder)

    assert registry.resolve("toy", version="1") == before


def test_of_two_different_pushes_at_once_exactly_one_wins(
    registry: BucketRegistry, store: S3Store, tmp_path: Path
) -> None:
    folders = [an_entry(tmp_path / f"toy{number}", licence=f"licence-{number}") for number in range(4)]

    def outcome(folder: Path) -> str:
        try:
            return registry.push(folder).entry.digest
        except EntryExists:
            return "refused"

    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(outcome, folders))

    winners = [outcome for outcome in outcomes if outcome != "refused"]
    assert winners == [registry.resolve("toy", version="1").digest]
    registry.fetch(registry.resolve("toy", version="1"), tmp_path / "fetched")


def test_an_interrupted_push_is_invisible_and_can_be_repeated(
    registry: BucketRegistry, store: S3Store, tmp_path: Path
) -> None:
    folder = an_entry(tmp_path / "toy")
    store.put(keys.entry_file("toy", "1", "sha256:" + "0" * 64, "model.onnx"), b"half of it")

    assert registry.entries() == []
    assert registry.push(folder).new is True


def test_an_alias_follows_the_version_it_is_set_to(registry: BucketRegistry, tmp_path: Path) -> None:
    for version in ("1", "2"):
        registry.push(an_entry(tmp_path / version, version=version))

    registry.set_alias("toy", "champion", "1")
    registry.set_alias("toy", "champion", "2")

    assert registry.resolve("toy", alias="champion").version == "2"


def test_an_alias_needs_an_existing_version(registry: BucketRegistry, tmp_path: Path) -> None:
    registry.push(an_entry(tmp_path / "toy"))

    with pytest.raises(UnknownEntry, match="toy has no version 7; it has 1"):
        registry.set_alias("toy", "champion", "7")
    with pytest.raises(UnknownEntry, match="toy has no alias 'champion'; set it with"):
        registry.resolve("toy", alias="champion")
    with pytest.raises(InvalidEntry, match="'a/b' is not a usable alias"):
        registry.set_alias("toy", "a/b", "1")
    with pytest.raises(UnknownEntry, match=r"has no alias '\.\./x'"):
        registry.resolve("toy", alias="../x")


def test_entries_are_listed_by_name_and_natural_version(registry: BucketRegistry, tmp_path: Path) -> None:
    for name, version in (("toy", "10"), ("toy", "9"), ("art", "1")):
        registry.push(an_entry(tmp_path / f"{name}{version}", name=name, version=version))
    registry.set_alias("toy", "champion", "9")

    listed = [(item.entry.name, item.entry.version, item.aliases) for item in registry.entries()]

    assert listed == [("art", "1", ()), ("toy", "9", ("champion",)), ("toy", "10", ())]


def test_whether_a_version_is_there_is_asked_without_a_list_of_what_is(
    registry: BucketRegistry, store: S3Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pushed = registry.push(an_entry(tmp_path / "toy")).entry

    def listed(prefix: str) -> NoReturn:
        raise AssertionError(f"{prefix} was listed")

    monkeypatch.setattr(store, "list", listed)
    assert registry.find(pushed.name, pushed.version) == pushed
    assert registry.find(pushed.name, "absent") is None
    assert registry.find("nobody", "1") is None
    with pytest.raises(InvalidEntry, match="not a usable version"):
        registry.find(pushed.name, "../1")


def test_an_unknown_entry_is_answered_with_what_there_is(registry: BucketRegistry, tmp_path: Path) -> None:
    registry.push(an_entry(tmp_path / "toy"))

    with pytest.raises(UnknownEntry, match="no entry toi; did you mean toy"):
        registry.resolve("toi", version="1")
    with pytest.raises(UnknownEntry, match="toy has no version 2; it has 1"):
        registry.resolve("toy", version="2")
    with pytest.raises(UnknownEntry, match="no entry zebra; push it"):
        registry.resolve("zebra", version="1")
    with pytest.raises(UnknownEntry, match="a version, or an alias"):
        registry.resolve("toy")
    with pytest.raises(InvalidEntry, match="not a usable version"):
        registry.resolve("toy", version="../1")


def test_a_damaged_file_is_noticed_and_nothing_is_left_behind(
    registry: BucketRegistry, store: S3Store, tmp_path: Path
) -> None:
    entry = registry.push(an_entry(tmp_path / "toy")).entry
    store.put(keys.entry_file("toy", "1", entry.digest, "model.onnx"), b"something else")

    with pytest.raises(CorruptEntry, match=r"model\.onnx of toy:1 is not what was pushed"):
        registry.fetch(entry, tmp_path / "fetched")

    assert not (tmp_path / "fetched").exists()


def test_a_lost_file_is_noticed(registry: BucketRegistry, store: S3Store, tmp_path: Path) -> None:
    entry = registry.push(an_entry(tmp_path / "toy")).entry
    moved = entry.model_copy(update={"digest": "sha256:" + "1" * 64})

    with pytest.raises(CorruptEntry, match=r"lost its file model\.onnx"):
        registry.fetch(moved, tmp_path / "fetched")


def test_a_manifest_that_leads_outside_the_folder_is_refused(
    registry: BucketRegistry, store: S3Store, tmp_path: Path
) -> None:
    entry = registry.push(an_entry(tmp_path / "toy")).entry
    escaping = entry.files[0].model_copy(update={"path": "../escaped"})
    hostile = entry.model_copy(update={"files": (escaping,)})

    with pytest.raises(CorruptEntry, match=r"unsafe path '\.\./escaped'"):
        registry.fetch(hostile, tmp_path / "fetched")

    assert not (tmp_path / "escaped").exists()


@pytest.mark.parametrize("spoil", ["not json", "another digest", "another version"])
def test_a_damaged_manifest_is_noticed(registry: BucketRegistry, store: S3Store, tmp_path: Path, spoil: str) -> None:
    registry.push(an_entry(tmp_path / "toy"))
    key = keys.entry_manifest("toy", "1")
    manifest = json.loads(store.get(key) or b"")
    changed = {
        "another digest": {"digest": "sha256:" + "2" * 64},
        "another version": {"version": "2"},
    }.get(spoil)
    store.put(key, b"{" if changed is None else json.dumps({**manifest, **changed}).encode())

    with pytest.raises(CorruptEntry, match=r"the manifest of toy:1 .* push it as a new version"):
        registry.resolve("toy", version="1")


def test_a_damaged_alias_is_noticed(registry: BucketRegistry, store: S3Store) -> None:
    store.put(keys.alias("toy", "champion"), b"[]")

    with pytest.raises(CorruptEntry, match="alias champion of toy is damaged; set it again"):
        registry.resolve("toy", alias="champion")


def test_versions_sort_as_people_count() -> None:
    assert sorted(["10", "9", "1.10", "1.9", "v2", "1"], key=natural) == [
        "1",
        "1.9",
        "1.10",
        "9",
        "10",
        "v2",
    ]
