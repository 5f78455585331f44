"""The watches use the same access as our own client, in a pod and outside of one, and feed the cache."""

from pathlib import Path
from typing import Any

import pytest
from kubernetes.client import Configuration
from kubernetes.config.incluster_config import InClusterConfigLoader

from modelyard.core.kinds import BY_NAME
from modelyard.core.snapshot import Object, Ref
from modelyard.operator.cache.objects import ObjectCache
from modelyard.operator.cache.watch import Watches, connection

SECRET = BY_NAME["Secret"]


def test_in_a_pod_the_service_accounts_token_is_used_without_its_scheme(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("abc")
    (tmp_path / "ca.crt").write_text("a certificate")
    access = Configuration()
    environment = {"KUBERNETES_SERVICE_HOST": "10.0.0.1", "KUBERNETES_SERVICE_PORT": "443"}
    files = {"token_filename": str(tmp_path / "token"), "cert_filename": str(tmp_path / "ca.crt")}
    InClusterConfigLoader(**files, environ=environment).load_and_set(access)
    found = connection(access)

    assert found.as_http_headers() == {"Authorization": "Bearer abc"}
    assert (found.server, found.ca_path) == ("https://10.0.0.1:443", str(tmp_path / "ca.crt"))


def test_outside_a_token_or_a_certificate_is_used() -> None:
    with_token, with_certificate = Configuration(), Configuration()
    with_token.api_key["BearerToken"] = "Bearer xyz"
    with_certificate.cert_file, with_certificate.key_file = "c.pem", "k.pem"

    assert connection(with_token).as_http_headers() == {"Authorization": "Bearer xyz"}
    assert connection(with_certificate).as_http_headers() == {}
    assert connection(with_certificate).certificate_path == "c.pem"


@pytest.fixture
def heard() -> list[tuple[str, bool]]:
    return []


@pytest.fixture
def watches(heard: list[tuple[str, bool]]) -> Watches:
    def changed(thing: Object, gone: bool) -> None:
        heard.append((thing["metadata"]["name"], gone))

    return Watches(Configuration(), "modelyard-system", ObjectCache(), changed)


def body(version: int, uid: str = "u1") -> dict[str, Any]:
    metadata = {"name": "s", "namespace": "demo", "uid": uid, "resourceVersion": str(version), "managedFields": [{}]}
    return {"metadata": metadata}


def test_news_is_told_once_and_old_news_not_at_all(watches: Watches, heard: list[tuple[str, bool]]) -> None:
    watches.take_in(SECRET, None, body(2))
    watches.take_in(SECRET, "MODIFIED", body(1))
    watches.take_in(SECRET, "ADDED", body(2))
    watches.take_in(SECRET, "MODIFIED", body(3))
    watches.take_in(SECRET, "DELETED", body(4))

    assert heard == [("s", False), ("s", False), ("s", True)]


def test_objects_are_kept_with_their_kind_and_without_the_servers_bookkeeping() -> None:
    cache = ObjectCache()
    Watches(Configuration(), "modelyard-system", cache, lambda *_: None).take_in(SECRET, "ADDED", body(1))
    found = cache.get(Ref("Secret", "demo", "s"))

    assert found is not None
    assert (found["kind"], found["apiVersion"]) == ("Secret", "v1")
    assert "managedFields" not in found["metadata"]
