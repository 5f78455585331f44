"""Signatures that botocore makes are taken, and nothing else is."""

import calendar
import time
from typing import Any

import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from modelyard.node_cache.request_signature import LATE_SECONDS, ReaderKeys, refusal

KEYS = ReaderKeys("reader", "hush/+secret")
PATHS = (
    "/modelyard/builds/abc/repository/digits/1/model.onnx",
    "/modelyard/a%20b/%C3%A4%2Bc",
    "/modelyard?prefix=builds%2Fabc%2F&encoding-type=url&marker=",
    "/modelyard",
)


def signed(path: str = PATHS[0], method: str = "GET", keys: ReaderKeys = KEYS, **more: str) -> dict[str, str]:
    """Headers in lower case, as they arrive."""
    request = AWSRequest(method=method, url=f"http://cache:8334{path}", headers={"Range": "bytes=0-7", **more})
    S3SigV4Auth(Credentials(*keys), "s3", "eu-north-1").add_auth(request)
    headers = {name.lower(): str(value) for name, value in request.headers.items()}
    return {"host": "cache:8334", "user-agent": "boto", **headers}


def at(headers: dict[str, str]) -> float:
    """When they were signed."""
    return float(calendar.timegm(time.strptime(headers["x-amz-date"], "%Y%m%dT%H%M%SZ")))


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("path", PATHS)
def test_what_the_readers_keys_have_signed_is_taken(method: str, path: str) -> None:
    headers = signed(path, method)

    assert refusal(method, path, headers, KEYS, at(headers)) == ""


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"authorization": ""}, "not signed with AWS Signature Version 4"),
        ({"authorization": "Bearer abc"}, "not signed with AWS Signature Version 4"),
        ({"host": ""}, "does not cover host"),
        ({"host": "other:8334"}, "not that of these keys"),
        ({"range": "bytes=0-8"}, "not that of these keys"),
        ({"x-amz-content-sha256": "UNSIGNED-PAYLOAD"}, "not that of these keys"),
        ({"x-amz-date": "today"}, "differs from ours"),
    ],
)
def test_what_was_changed_on_its_way_is_refused(changed: dict[str, str], said: str) -> None:
    headers = signed()

    assert said in refusal("GET", PATHS[0], {**headers, **changed}, KEYS, at(headers))


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        (ReaderKeys("reader", "guessed"), "not that of these keys"),
        (ReaderKeys("stranger", KEYS.secret_access_key), "may not read"),
    ],
)
def test_other_keys_are_refused(keys: ReaderKeys, said: str) -> None:
    headers = signed(keys=keys)

    assert said in refusal("GET", PATHS[0], headers, KEYS, at(headers))


@pytest.mark.parametrize(("method", "path"), [("PUT", PATHS[0]), ("GET", PATHS[1]), ("GET", PATHS[0] + "?acl")])
def test_a_signature_is_good_for_one_request_alone(method: str, path: str) -> None:
    headers = signed()

    assert "not that of these keys" in refusal(method, path, headers, KEYS, at(headers))


@pytest.mark.parametrize("apart", [-LATE_SECONDS - 1, LATE_SECONDS + 1])
def test_an_old_signature_is_not_taken_again(apart: float) -> None:
    headers = signed()

    assert "differs from ours" in refusal("GET", PATHS[0], headers, KEYS, at(headers) + apart)


def test_a_signature_has_to_cover_what_tells_requests_apart() -> None:
    headers: dict[str, Any] = signed()
    headers["authorization"] = headers["authorization"].replace("host;", "")

    assert "does not cover host" in refusal("GET", PATHS[0], headers, KEYS, at(headers))


def test_keys_are_not_printed() -> None:
    assert "hush" not in f"{KEYS} {KEYS!r}"
