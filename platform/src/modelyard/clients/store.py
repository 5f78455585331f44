"""The object store, spoken to over the S3 API.

Path-style addresses and no checksums beyond what S3 demands, so that every S3 lookalike works; content is
verified by SHA-256 where it is read (`registry`, `build`). Failures become our own errors, with the
endpoint in the sentence, because that is what a person has to look at.

Inside `clients.deadline.within` no call begins once the chain it is part of has used its time.
"""

import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any, NamedTuple

from modelyard.clients.deadline import left
from modelyard.core.storage.object_store import Progress, Stored
from modelyard.errors import InvalidSettings, Refused, Throttled, Unreachable
from modelyard.settings import StoreSettings

_ABSENT = {"404", "NoSuchKey", "NotFound"}
_EXISTS = {"412", "PreconditionFailed"}
_BAD_KEY = {"403", "AccessDenied", "Forbidden", "InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidToken", "401"}
_CROSSED = {"409", "ConditionalRequestConflict", "OperationAborted"}
"""Another write of the same key was under way: which of the two is there is only known once it is over."""
_BUSY = {"429", "503", "SlowDown", "TooManyRequests", "RequestLimitExceeded", "ServiceUnavailable", *_CROSSED}
_CREATING = Lock()
"""A session may make one client at a time."""
_PAUSES = (0.05, 0.1, 0.2, 0.4, 0.8, 1.6)
"""Seconds before a crossed write is tried once more."""


class CallLimits(NamedTuple):
    """Seconds to connect, seconds without a byte of an answer, and how often a call that failed is made again."""

    connect: float = 5.0
    read: float = 60.0
    retries: int = 3


PATIENT = CallLimits()
"""For commands and Jobs: a person waits rather than begin again."""
HURRIED = CallLimits(connect=1.5, read=2.0, retries=1)
"""For callers that ask again by themselves and must not be held by a store that hangs."""


class S3Store:
    """`core.storage.object_store.Store` over S3. Thread-safe; connects at the first call."""

    def __init__(self, settings: StoreSettings, limits: CallLimits = PATIENT) -> None:
        self._settings, self._limits = settings, limits
        self._bucket = settings.bucket
        self._client = _client(settings, limits)

    @property
    def place(self) -> str:
        """Bucket and endpoint, for sentences."""
        return f"bucket {self._bucket} at {self._settings.endpoint or 'AWS S3'}"

    def renew(self, settings: StoreSettings) -> None:
        """Uses these settings from now on; calls under way end with the ones before."""
        self._client = _client(settings, self._limits)
        self._settings, self._bucket = settings, settings.bucket

    def check(self) -> None:
        """Lists one key of the bucket. Raises Unreachable without an answer, Refused when the keys may not list."""
        with self._errors("list"):
            self._client.list_objects_v2(Bucket=self._bucket, MaxKeys=1)

    def get(self, key: str) -> bytes | None:
        """See `Store.get`."""
        with self._errors("read"):
            try:
                return self._client.get_object(Bucket=self._bucket, Key=key)["Body"].read()
            except self._client.exceptions.ClientError as bad:
                return _none_if_absent(bad)

    def put(self, key: str, content: bytes) -> None:
        """See `Store.put`."""
        with self._errors("write to"):
            self._client.put_object(Bucket=self._bucket, Key=key, Body=content)

    def put_if_absent(self, key: str, content: bytes) -> bool:
        """See `Store.put_if_absent`."""
        with self._errors("write to"):
            for pause in _PAUSES:
                try:
                    return self._create(key, content)
                except self._client.exceptions.ClientError as bad:
                    if _code(bad) not in _CROSSED:
                        raise
                time.sleep(pause * (0.5 + random.random()))  # noqa: S311 - spreads load, guards nothing
            return self._create(key, content)

    def replace(self, key: str, before: bytes | None, content: bytes) -> bool:
        """See `Store.replace`."""
        if before is None:
            return self.put_if_absent(key, content)
        with self._errors("write to"):
            try:
                found = self._client.get_object(Bucket=self._bucket, Key=key)
                if found["Body"].read() != before:
                    return False
                self._client.put_object(Bucket=self._bucket, Key=key, Body=content, IfMatch=found["ETag"])
            except self._client.exceptions.ClientError as bad:
                if _code(bad) in _EXISTS | _ABSENT | _CROSSED:
                    return False
                raise
        return True

    def delete(self, key: str) -> None:
        """See `Store.delete`."""
        with self._errors("delete from"):
            self._client.delete_object(Bucket=self._bucket, Key=key)

    def size(self, key: str) -> int | None:
        """See `Store.size`."""
        with self._errors("read"):
            try:
                return int(self._client.head_object(Bucket=self._bucket, Key=key)["ContentLength"])
            except self._client.exceptions.ClientError as bad:
                return _none_if_absent(bad)

    def list(self, prefix: str) -> Iterator[Stored]:
        """See `Store.list`."""
        with self._errors("list"):
            pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix)
            for page in pages:
                left(0.0)
                for item in page.get("Contents", []):
                    yield Stored(item["Key"], int(item["Size"]))

    def copy(self, source: str, target: str) -> None:
        """See `Store.copy`."""
        with self._errors("write to"):
            self._client.copy({"Bucket": self._bucket, "Key": source}, self._bucket, target)

    def download(self, key: str, path: Path, progress: Progress | None = None) -> bool:
        """See `Store.download`."""
        with self._errors("read"):
            try:
                self._client.download_file(self._bucket, key, str(path), Callback=progress)
            except self._client.exceptions.ClientError as bad:
                _none_if_absent(bad)
                return False
        return True

    def upload(self, path: Path, key: str, progress: Progress | None = None) -> None:
        """See `Store.upload`."""
        with self._errors("write to"):
            self._client.upload_file(str(path), self._bucket, key, Callback=progress)

    def _create(self, key: str, content: bytes) -> bool:
        try:
            self._client.put_object(Bucket=self._bucket, Key=key, Body=content, IfNoneMatch="*")
        except self._client.exceptions.ClientError as bad:
            if _code(bad) in _EXISTS:
                return False
            raise
        return True

    @contextmanager
    def _errors(self, verb: str) -> Iterator[None]:
        """Turns botocore's exceptions into ours."""
        from boto3.exceptions import RetriesExceededError, S3UploadFailedError
        from botocore import exceptions as boto

        left(0.0)
        connection = (boto.ConnectionError, boto.HTTPClientError, RetriesExceededError)
        try:
            yield
        except (boto.NoCredentialsError, boto.PartialCredentialsError) as bad:
            raise Refused(
                f"no credentials for {self.place}: set store.accessKeyId and store.secretAccessKey in the "
                "configuration file, or MODELYARD_STORE_ACCESS_KEY_ID and MODELYARD_STORE_SECRET_ACCESS_KEY."
            ) from bad
        except boto.ClientError as bad:
            raise self._error(verb, _code(bad)) from bad
        except S3UploadFailedError as bad:
            cause = bad.__context__
            raise self._error(verb, _code(cause) if isinstance(cause, boto.ClientError) else str(bad)) from bad
        except connection as bad:
            raise Unreachable(
                f"the store does not answer at {self._settings.endpoint or 'AWS S3'}: check store.endpoint "
                "(MODELYARD_STORE_ENDPOINT) and that the store is running."
            ) from bad

    def _error(self, verb: str, code: str) -> Exception:
        if code in _BAD_KEY:
            return Refused(f"may not {verb} {self.place}: check the access key, its rights and the bucket's name.")
        if code == "NoSuchBucket":
            return Refused(f"there is no {self.place}: create it, or correct store.bucket (MODELYARD_STORE_BUCKET).")
        if code in _BUSY:
            return Throttled(f"{self.place} asks to come back later ({code}).")
        if code in {"500", "502", "504", "InternalError"}:
            return Unreachable(f"{self.place} fails with {code}; look at the store's log.")
        return Refused(f"cannot {verb} {self.place}: it answered {code}.")


@cache
def _shared_session() -> Any:
    """A session takes a tenth of a second of computing, most of it to read what boto knows of S3."""
    from boto3.session import Session

    return Session()


def _session(settings: StoreSettings) -> Any:
    """The shared session for a store whose keys we have; one of its own where the surroundings are to give them, since
    a session keeps those that it was given."""
    from boto3.session import Session

    return _shared_session() if settings.access_key_id else Session()


def _client(settings: StoreSettings, limits: CallLimits) -> Any:
    from botocore.config import Config

    config = Config(
        connect_timeout=limits.connect,
        read_timeout=limits.read,
        retries={"max_attempts": limits.retries, "mode": "standard"},
        s3={"addressing_style": "path"} if settings.endpoint else {},
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    try:
        with _CREATING:
            return _session(settings).client(
                "s3",
                endpoint_url=settings.endpoint or None,
                region_name=settings.region,
                aws_access_key_id=settings.access_key_id or None,
                aws_secret_access_key=settings.secret_access_key.get_secret_value() or None,
                config=config,
            )
    except ValueError as bad:
        raise InvalidSettings(f"store.endpoint {settings.endpoint!r} is not usable: {bad}; write a URL.") from bad


def _code(bad: Any) -> str:
    return str(bad.response.get("Error", {}).get("Code", "unknown"))


def _none_if_absent(bad: Any) -> None:
    if _code(bad) not in _ABSENT:
        raise bad
