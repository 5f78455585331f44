"""Where things lie in the store: every key is found again, none leaves its place, digests ignore order."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelyard.api.entry import NAME_PATTERN, VERSION_PATTERN, EntryFile
from modelyard.core.storage import keys
from tests.support.repository.proof import PROOF

DIGEST = "sha256:" + "ab" * 32
names = st.from_regex(NAME_PATTERN, fullmatch=True)
versions = st.from_regex(VERSION_PATTERN, fullmatch=True)
files = st.builds(
    EntryFile,
    path=st.text("abc/.", min_size=1, max_size=8),
    size=st.integers(0, 9),
    sha256=st.text("0123456789abcdef", min_size=64, max_size=64),
)

examples = settings(max_examples=1000 if PROOF else 25)
"""One f-string is tried a few times only; drawing a name from its pattern takes longer than the test."""


def test_the_layout_is_the_one_the_serving_side_reads() -> None:
    assert keys.entry_manifest("digits", "1") == "registry/digits/1/entry.json"
    assert keys.entry_file("digits", "1", DIGEST, "a/b.onnx") == "registry/digits/1/files-abababababab/a/b.onnx"
    assert keys.alias("digits", "champion") == "aliases/digits/champion.json"
    assert keys.alias_prefix() == "aliases/"
    assert keys.build_report(DIGEST) == f"builds/{'ab' * 32}/report.json"
    assert keys.build_warmup(DIGEST) == f"builds/{'ab' * 32}/warmup.json"
    assert keys.build_progress(DIGEST) == f"builds/{'ab' * 32}/progress.json"
    assert keys.build_optimization(DIGEST, "report.html") == f"builds/{'ab' * 32}/optimization/report.html"
    assert keys.build_study(DIGEST, "trials/1/model.onnx") == f"studies/{'ab' * 32}/trials/1/model.onnx"
    assert keys.part(DIGEST, "model.onnx") == f"parts/{'ab' * 32}/model.onnx"
    assert keys.check_report("demo", "digits", "digits-1", "shadow") == "checks/demo/digits/digits-1/shadow.json"
    assert (
        keys.load_report("demo", "digits", "nightly", "2027-01-15") == "loadtests/demo/digits/nightly/2027-01-15.json"
    )
    assert keys.load_report("", "digits", "nightly", "2027-01-15").startswith("loadtests/-/digits/")
    assert keys.storage_uri("modelyard", DIGEST) == f"s3://modelyard/builds/{'ab' * 32}/repository/"


def test_the_digest_of_a_build_is_read_from_where_it_is() -> None:
    assert keys.digest_at(keys.storage_uri("modelyard", DIGEST)) == DIGEST
    assert [keys.digest_at(text) for text in ("", "s3://shop/models/", "pvc://a/builds/b/c/")] == ["", "", ""]


@examples
@given(names, versions)
def test_a_manifest_is_recognised_by_its_key(name: str, version: str) -> None:
    assert keys.manifest_version(keys.entry_manifest(name, version)) == (name, version)


@examples
@given(names, versions)
def test_a_file_called_like_the_manifest_is_not_one(name: str, version: str) -> None:
    assert keys.manifest_version(keys.entry_file(name, version, DIGEST, "entry.json")) is None


@examples
@given(st.lists(files, max_size=5), st.randoms())
def test_the_digest_of_an_entry_does_not_depend_on_the_order_of_its_files(files: list[EntryFile], random) -> None:
    shuffled = list(files)
    random.shuffle(shuffled)

    assert keys.entry_digest(shuffled) == keys.entry_digest(files)


@examples
@given(
    st.lists(files, max_size=4, unique_by=lambda file: file.path),
    st.lists(files, max_size=4),
)
def test_other_files_give_another_digest(first: list[EntryFile], second: list[EntryFile]) -> None:
    def content(entry_files: list[EntryFile]) -> list[tuple[str, str]]:
        return sorted((file.path, file.sha256) for file in entry_files)

    assert (keys.entry_digest(first) == keys.entry_digest(second)) == (content(first) == content(second))


def test_what_builds_share_depends_on_the_entry_alone() -> None:
    assert keys.part_digest(DIGEST) == keys.part_digest(DIGEST)
    assert keys.part_digest(DIGEST) != keys.part_digest("sha256:" + "cd" * 32)


@pytest.mark.parametrize(
    "path",
    [
        "../x",
        "a/../x",
        "/etc/passwd",
        "a//b",
        ".",
        "",
        "a\\b",
        "c:x",
        "a\nb",
        "a\0b",
        "x/" * 300 + "x",
    ],
)
def test_paths_that_leave_their_folder_or_trouble_other_systems_are_unsafe(
    path: str,
) -> None:
    assert not keys.is_safe_path(path)


@examples
@given(st.text(min_size=1, max_size=40))
def test_a_safe_path_stays_below_its_folder(path: str) -> None:
    from posixpath import normpath

    if keys.is_safe_path(path):
        assert normpath(f"/folder/{path}") == f"/folder/{path}"
