"""Builds through a node's cache, by the calls that KServe makes, from a real store."""

import hashlib
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from botocore.exceptions import ClientError

from modelyard.clients.store import S3Store
from modelyard.core.storage.keys import build_report, build_repository
from modelyard.settings import StoreSettings
from tests.support.machine.command_line import modelyard
from tests.support.nodes.running_cache import (
    RunningCache,
    downloaded,
    put_build,
    running_cache,
    s3_client,
    write_keys,
)
from tests.support.servers.store import StoreServer

LARGE = os.urandom(9_000_003)
"""More than the 8 MiB from which on files are downloaded in ranges, several at a time."""
FILES = {"toy/config.pbtxt": b"name: 'toy'", "toy/1/model.onnx": LARGE}


@pytest.fixture
def writer(store_server: StoreServer) -> StoreSettings:
    return store_server.settings(store_server.new_bucket())


@pytest.fixture
def store(writer: StoreSettings) -> S3Store:
    return S3Store(writer)


@pytest.fixture
def cache(store_server: StoreServer, writer: StoreSettings, tmp_path: Path) -> Iterator[RunningCache]:
    with running_cache(store_server.settings(writer.bucket, "reader"), tmp_path) as running:
        yield running


def fetched(cache: RunningCache, digest: str, folder: Path) -> dict[str, bytes]:
    return downloaded(cache.client(), cache.settings.bucket, digest, folder)


def spoil(cache: RunningCache, content: bytes, place: int) -> None:
    """A bit of a kept file turns over."""
    with (cache.folder / hashlib.sha256(content).hexdigest()).open("r+b") as file:
        file.seek(place)
        file.write(bytes([content[place] ^ 1]))


def code_of(refused: pytest.ExceptionInfo[ClientError]) -> str:
    return str(refused.value.response["Error"]["Code"])


def test_a_build_comes_from_the_store_once_and_whole(store: S3Store, cache: RunningCache, tmp_path: Path) -> None:
    digest, size = put_build(store, FILES), sum(map(len, FILES.values()))

    first, second = (fetched(cache, digest, tmp_path / name) for name in "ab")

    assert first == second == FILES
    counts = cache.counts()
    assert (counts["fetched_bytes_total"], counts["sent_bytes_total"]) == (size, 2 * size)
    assert counts["kept_bytes"] == size
    assert counts['requests_total{source="node"}'] > 0
    assert counts['requests_total{source="passed"}'] == 0


def test_builds_that_share_a_file_share_its_download(store: S3Store, cache: RunningCache, tmp_path: Path) -> None:
    tuned = {**FILES, "toy/config.pbtxt": b"name: 'toy' # tuned"}
    digests = [put_build(store, FILES), put_build(store, tuned, "b" * 64)]

    assert [fetched(cache, digest, tmp_path / digest[-1]) for digest in digests] == [FILES, tuned]
    assert cache.counts()["fetched_bytes_total"] == sum(map(len, FILES.values())) + len(tuned["toy/config.pbtxt"])


def test_pods_that_start_at_once_share_a_download(store: S3Store, cache: RunningCache, tmp_path: Path) -> None:
    digest = put_build(store, FILES)

    with ThreadPoolExecutor(6) as pods:
        found = list(pods.map(lambda number: fetched(cache, digest, tmp_path / str(number)), range(6)))

    assert all(files == FILES for files in found)
    assert cache.counts()["fetched_bytes_total"] == sum(map(len, FILES.values()))


@pytest.mark.parametrize("place", [0, 8_900_000, len(LARGE) - 1])
def test_a_file_that_was_damaged_on_the_node_never_reaches_a_pod(
    store: S3Store, cache: RunningCache, tmp_path: Path, place: int
) -> None:
    digest = put_build(store, FILES)
    fetched(cache, digest, tmp_path / "a")
    spoil(cache, LARGE, place)

    assert fetched(cache, digest, tmp_path / "b") == FILES
    counts = cache.counts()
    assert counts["damaged_total"] >= 1
    assert counts["fetched_bytes_total"] >= 2 * len(LARGE)


def test_a_file_that_is_not_what_the_report_says_is_refused_and_not_kept(
    store: S3Store, cache: RunningCache, tmp_path: Path
) -> None:
    digest = put_build(store, FILES)
    store.put(f"{build_repository(digest)}toy/config.pbtxt", b"name: 'tox'")

    with pytest.raises(ClientError, match="not what the build's report says") as refused:
        fetched(cache, digest, tmp_path / "a")

    assert code_of(refused) == "InternalError"
    assert hashlib.sha256(b"name: 'tox'").hexdigest() not in cache.kept()


def test_a_build_that_was_made_again_is_another_one(store: S3Store, cache: RunningCache, tmp_path: Path) -> None:
    digest = put_build(store, FILES)
    fetched(cache, digest, tmp_path / "a")
    again = {**FILES, "toy/config.pbtxt": b"name: 'toy' # again"}

    assert put_build(store, again) == digest
    assert fetched(cache, digest, tmp_path / "b") == again


def test_what_no_report_knows_comes_from_the_store(store: S3Store, cache: RunningCache, tmp_path: Path) -> None:
    digest = put_build(store, FILES)
    store.put(f"{build_repository(digest)}provenance.dsse.json", b"{}")

    found = fetched(cache, digest, tmp_path / "a")
    report = cache.client().get_object(Bucket=cache.settings.bucket, Key=build_report(digest))["Body"].read()

    assert found == {**FILES, "provenance.dsse.json": b"{}"}
    assert report == store.get(build_report(digest))
    assert len(cache.kept()) == len(FILES)


@pytest.mark.parametrize("report", [None, b"no report"])
def test_a_build_without_a_report_is_downloaded_as_ever(
    store: S3Store, cache: RunningCache, tmp_path: Path, report: bytes | None
) -> None:
    digest = put_build(store, FILES)
    store.delete(build_report(digest)) if report is None else store.put(build_report(digest), report)

    assert fetched(cache, digest, tmp_path / "a") == FILES
    assert cache.kept() == []


def test_a_file_that_has_no_room_comes_from_the_store(
    store_server: StoreServer, store: S3Store, writer: StoreSettings, tmp_path: Path
) -> None:
    digest = put_build(store, FILES)

    with running_cache(store_server.settings(writer.bucket, "reader"), tmp_path, len(LARGE)) as small:
        assert fetched(small, digest, tmp_path / "a") == FILES
        assert small.counts()['requests_total{source="passed"}'] > 0
        assert small.kept() == [hashlib.sha256(FILES["toy/config.pbtxt"]).hexdigest()]


@pytest.mark.parametrize(
    ("key", "code"), [("builds/nothing", "NoSuchKey"), (f"builds/{'c' * 64}/repository/toy/1/model.onnx", "NoSuchKey")]
)
def test_what_is_not_there_is_not_there_here_either(cache: RunningCache, key: str, code: str) -> None:
    with pytest.raises(ClientError) as refused:
        cache.client().get_object(Bucket=cache.settings.bucket, Key=key)

    assert code_of(refused) == code


@pytest.mark.parametrize(
    ("options", "status"),
    [
        ({"Range": "bytes=5-9"}, b"model"),
        ({"Range": "bytes=-4"}, b"onnx"),
        ({"Range": "bytes=6-"}, b"odel.onnx"),
        ({"Range": "bytes=14-99"}, b"x"),
        ({"Range": "lines=1-2"}, b"this model.onnx"),
        ({"IfMatch": "*"}, b"this model.onnx"),
        ({"Range": "bytes=15-"}, 416),
        ({"IfMatch": '"another"'}, 412),
    ],
)
def test_ranges_and_conditions_mean_what_they_mean_in_s3(
    store: S3Store, cache: RunningCache, options: dict[str, str], status: bytes | int
) -> None:
    key = build_repository(put_build(store, {"x": b"this model.onnx"})) + "x"
    asked: dict[str, Any] = {"Bucket": cache.settings.bucket, "Key": key, **options}

    if isinstance(status, bytes):
        assert cache.client().get_object(**asked)["Body"].read() == status
    else:
        with pytest.raises(ClientError) as refused:
            cache.client().get_object(**asked)
        assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == status


def test_an_empty_file_is_one(store: S3Store, cache: RunningCache) -> None:
    key = build_repository(put_build(store, {"empty": b""})) + "empty"

    assert cache.client().get_object(Bucket=cache.settings.bucket, Key=key)["Body"].read() == b""


@pytest.mark.parametrize("who", [("reader", "guessed"), ("stranger", "reader-secret"), ("admin", "admin-secret")])
def test_nobody_reads_it_without_the_readers_keys(store: S3Store, cache: RunningCache, who: tuple[str, str]) -> None:
    key = build_repository(put_build(store, {"x": b"secret weights"})) + "x"

    with pytest.raises(ClientError) as refused:
        cache.client(*who).get_object(Bucket=cache.settings.bucket, Key=key)

    assert code_of(refused) == "AccessDenied"
    assert httpx.get(f"{cache.endpoint}/{cache.settings.bucket}/{key}", trust_env=False).status_code == 403


def test_nothing_is_written_through_it(cache: RunningCache) -> None:
    with pytest.raises(ClientError) as refused:
        cache.client().put_object(Bucket=cache.settings.bucket, Key="x", Body=b"x")

    assert code_of(refused) == "MethodNotAllowed"


def test_keys_that_were_renewed_are_the_ones_that_hold(
    store_server: StoreServer, store: S3Store, writer: StoreSettings, tmp_path: Path
) -> None:
    digest = put_build(store, FILES)

    with running_cache(store_server.settings(writer.bucket, "reader"), tmp_path) as cache:
        write_keys(cache.keys, "admin", "admin-secret")
        with pytest.raises(ClientError) as refused:
            fetched(cache, digest, tmp_path / "a")
        renewed = cache.client("admin", "admin-secret")
        assert downloaded(renewed, writer.bucket, digest, tmp_path / "b") == FILES

    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403


def test_a_store_that_is_away_is_said_so(writer: StoreSettings, tmp_path: Path) -> None:
    nowhere = writer.model_copy(update={"endpoint": "http://127.0.0.1:9"})

    with running_cache(nowhere, tmp_path) as cache:
        client = s3_client(cache.endpoint, "admin", "admin-secret", attempts=1)
        with pytest.raises(ClientError, match="the store does not answer") as refused:
            client.list_objects(Bucket=writer.bucket)

    assert code_of(refused) == "ServiceUnavailable"


@pytest.mark.parametrize(
    ("size", "keys", "said"),
    [
        ("much", {"accessKeyId": "a", "secretAccessKey": "b"}, "is no size of a volume: write one such as 10Gi"),
        ("1", {"accessKeyId": "a", "secretAccessKey": "b"}, "is no size of a volume: write one such as 10Gi"),
        ("1Gi", {"accessKeyId": "a"}, "lacks accessKeyId and secretAccessKey: mount the Secret"),
        ("1Gi", {"accessKeyId": "a", "secretAccessKey": " "}, "holds an empty key: correct the Secret"),
    ],
)
def test_what_it_cannot_start_with_is_said_in_a_sentence(
    tmp_path: Path, size: str, keys: dict[str, str], said: str
) -> None:
    for name, value in keys.items():
        (tmp_path / name).write_text(value)

    ran = modelyard("nodecache", "--folder", tmp_path / "cache", "--keys", tmp_path, "--size", size, cwd=tmp_path)

    assert ran.code != 0
    assert said in " ".join(ran.err.split())
