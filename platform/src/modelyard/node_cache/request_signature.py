"""Whether a request was signed with the keys that read the store: AWS Signature Version 4, as every S3 client does.

    Authorization: AWS4-HMAC-SHA256 Credential=KEY/20260101/REGION/s3/aws4_request,
                   SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature=HEX

Whoever may not read the store may not read what is kept of it. Only requests without a body are taken, so what a
signature says of the body is taken as it is.
"""

import calendar
import hashlib
import hmac
import re
import time
from collections.abc import Mapping
from typing import NamedTuple

LATE_SECONDS = 900.0
"""How far a request's clock may be from ours, as in S3 itself."""
_SCHEME = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<key>[^/,\s]+)/(?P<day>\d{8})/(?P<region>[^/,\s]+)/s3/aws4_request,\s*"
    r"SignedHeaders=(?P<names>[a-z0-9;-]+),\s*Signature=(?P<signature>[0-9a-f]{64})"
)
_NEEDED = ("host", "x-amz-content-sha256", "x-amz-date")
_TIME = "%Y%m%dT%H%M%SZ"


class ReaderKeys(NamedTuple):
    """Keys that may read the store."""

    access_key_id: str
    secret_access_key: str

    def __repr__(self) -> str:
        return f"ReaderKeys({self.access_key_id!r}, ...)"


def refusal(method: str, raw_path: str, headers: Mapping[str, str], keys: ReaderKeys, now: float) -> str:
    """Why a request is not taken, in one sentence; empty when whoever sent it has the keys.

    `raw_path` is the path with its query as it was sent, `headers` are asked for in lower case, `now` are seconds since
    the epoch.
    """
    scheme = _SCHEME.fullmatch(headers.get("authorization", ""))
    if scheme is None:
        return "the request is not signed with AWS Signature Version 4"
    names = scheme["names"].split(";")
    missing = [name for name in _NEEDED if name not in names or not headers.get(name)]
    if missing:
        return f"the signature does not cover {missing[0]}"
    at = headers["x-amz-date"]
    if not at.startswith(scheme["day"]) or abs(_seconds(at) - now) > LATE_SECONDS:
        return "the request's clock differs from ours by more than 15 minutes"
    if not hmac.compare_digest(scheme["key"].encode(), keys.access_key_id.encode()):
        return "this access key may not read the store"
    scope = f"{scheme['day']}/{scheme['region']}/s3/aws4_request"
    canonical = hashlib.sha256(_canonical(method, raw_path, headers, names).encode()).hexdigest()
    signed = f"AWS4-HMAC-SHA256\n{at}\n{scope}\n{canonical}"
    expected = hmac.new(_signing_key(keys.secret_access_key, scope), signed.encode(), hashlib.sha256).hexdigest()
    return "" if hmac.compare_digest(expected, scheme["signature"]) else "the signature is not that of these keys"


def _canonical(method: str, raw_path: str, headers: Mapping[str, str], names: list[str]) -> str:
    path, _, query = raw_path.partition("?")
    pairs = sorted(f"{name}={value}" for name, _, value in (pair.partition("=") for pair in query.split("&") if pair))
    lines = [f"{name}:{' '.join(headers.get(name, '').split())}" for name in names]
    return "\n".join([method, path, "&".join(pairs), *lines, "", ";".join(names), headers["x-amz-content-sha256"]])


def _signing_key(secret: str, scope: str) -> bytes:
    key = f"AWS4{secret}".encode()
    for word in scope.split("/"):
        key = hmac.new(key, word.encode(), hashlib.sha256).digest()
    return key


def _seconds(at: str) -> float:
    """Seconds since the epoch; minus infinity for what is no time."""
    try:
        return float(calendar.timegm(time.strptime(at, _TIME)))
    except ValueError:
        return float("-inf")
