"""The S3 port against a real SeaweedFS."""

import os
from pathlib import Path

import pytest

from modelyard.clients.store import S3Store
from modelyard.core.storage.object_store import Stored
from modelyard.errors import InvalidSettings, Refused, Unreachable
from modelyard.settings import StoreSettings
from tests.support.servers.store import StoreServer


def test_what_was_put_can_be_read_measured_and_listed(store: S3Store) -> None:
    store.put("a/1", b"one")
    store.put("a/2", b"three")
    store.put("b/1", b"")

    assert store.get("a/1") == b"one"
    assert store.size("a/2") == 5
    assert list(store.list("a/")) == [Stored("a/1", 3), Stored("a/2", 5)]


def test_what_is_not_there_is_none(store: S3Store, tmp_path: Path) -> None:
    assert store.get("nothing") is None
    assert store.size("nothing") is None
    assert list(store.list("nothing/")) == []
    assert store.download("nothing", tmp_path / "file") is False


def test_the_first_of_two_conditional_writes_wins(store: S3Store) -> None:
    assert store.put_if_absent("report", b"first") is True
    assert store.put_if_absent("report", b"second") is False

    assert store.get("report") == b"first"


def test_large_files_travel_in_pieces_and_arrive_whole(store: S3Store, tmp_path: Path) -> None:
    sent, received, moved = tmp_path / "sent", tmp_path / "received", []
    sent.write_bytes(os.urandom(20 << 20))

    store.upload(sent, "large", moved.append)
    store.copy("large", "copied")

    assert store.download("copied", received) is True
    assert received.read_bytes() == sent.read_bytes()
    assert sum(moved) == 20 << 20
    assert len(moved) > 1


def test_a_reader_may_read_but_not_write(store_server: StoreServer, tmp_path: Path) -> None:
    bucket = store_server.new_bucket()
    S3Store(store_server.settings(bucket)).put("a", b"1")
    reader = S3Store(store_server.settings(bucket, who="reader"))
    (tmp_path / "f").write_bytes(b"2")

    assert reader.get("a") == b"1"
    for write in (
        lambda: reader.put("b", b""),
        lambda: reader.upload(tmp_path / "f", "b"),
    ):
        with pytest.raises(Refused, match=r"may not write to bucket .* check the access key"):
            write()


def test_a_wrong_secret_is_refused_with_what_to_check(
    store_server: StoreServer,
) -> None:
    wrong = S3Store(store_server.settings(store_server.new_bucket(), secret="wrong" + "-secret"))

    with pytest.raises(Refused, match="check the access key"):
        wrong.get("a")


def test_a_missing_bucket_is_named(store_server: StoreServer) -> None:
    lost = S3Store(store_server.settings("elsewhere"))

    with pytest.raises(Refused, match="there is no bucket elsewhere"):
        lost.get("a")
    with pytest.raises(Refused, match="there is no bucket elsewhere"):
        list(lost.list("a"))


def test_a_silent_endpoint_is_named() -> None:
    silent = S3Store(StoreSettings.model_validate({"endpoint": "http://127.0.0.1:1", "accessKeyId": "a",
                                                   "secretAccessKey": "b"}))  # fmt: skip

    with pytest.raises(Unreachable, match=r"does not answer at http://127\.0\.0\.1:1"):
        silent.get("a")


def test_an_endpoint_that_is_no_url_is_a_mistake_in_the_settings() -> None:
    with pytest.raises(InvalidSettings, match=r"store\.endpoint 'somewhere'"):
        S3Store(StoreSettings.model_validate({"endpoint": "somewhere"}))
