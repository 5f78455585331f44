"""Rotated keys are taken up while the operator runs, and it knows whether the store takes its own keys."""

import base64
from typing import Any

import pytest

from modelyard.clients.store import S3Store
from modelyard.core.snapshot import Ref
from modelyard.errors import Unreachable
from modelyard.operator.observer.store_access import StoreAccess
from modelyard.settings import OperatorSettings, Settings
from tests.support.servers.store import StoreServer

SECRET = Ref("Secret", "platform", "modelyard-store-reader")


class OneSecret:
    """An API server with one Secret, which may be away."""

    def __init__(self) -> None:
        self.data: dict[str, str] | None = None
        self.away = False

    def get(self, ref: Ref) -> dict[str, Any] | None:
        assert ref == SECRET
        if self.away:
            raise Unreachable("the API server did not answer.")
        return None if self.data is None else {"data": self.data}

    def hold(self, access: str, secret: str) -> None:
        keys = {"accessKeyId": access, "secretAccessKey": secret}
        self.data = {name: base64.b64encode(value.encode()).decode() for name, value in keys.items() if value}


class Rotation:
    """The operator's access to a real store, as the identity `who` at first."""

    def __init__(self, server: StoreServer, who: str = "admin", secret: str = "") -> None:
        bucket = server.new_bucket()
        store = server.settings(bucket, who=who, secret=secret)
        settings = Settings.model_construct(store=store, operator=OperatorSettings(namespace="platform"))
        self.secret, self.store, self.woken = OneSecret(), S3Store(store), 0
        self.access = StoreAccess(self.secret, self.store, settings, self._wake)

    def _wake(self) -> None:
        self.woken += 1

    def keys(self) -> tuple[str, str]:
        known = self.access.credentials()
        return known.access_key_id, known.secret_access_key


@pytest.fixture
def rotation(store_server: StoreServer) -> Rotation:
    return Rotation(store_server)


def test_changed_keys_reach_the_store_and_wake_the_models_once(rotation: Rotation) -> None:
    rotation.secret.hold("reader", "reader-secret")

    rotation.access.read()
    rotation.access.read()

    assert rotation.keys() == ("reader", "reader-secret")
    assert rotation.woken == 1
    assert list(rotation.store.list("")) == []


def test_pods_are_sent_where_they_reach_the_store(store_server: StoreServer) -> None:
    store = store_server.settings()
    cached = store.model_copy(update={"serving_endpoint": "http://cache:8334"})
    settings = [Settings.model_construct(store=each, operator=OperatorSettings()) for each in (store, cached)]

    access = [StoreAccess(OneSecret(), S3Store(each.store), each, lambda: None).credentials() for each in settings]

    assert [each.endpoint for each in access] == [store_server.endpoint, "http://cache:8334"]


def test_keys_the_store_took_no_more_are_replaced(store_server: StoreServer) -> None:
    rotation = Rotation(store_server, who="admin", secret="of-yesterday")
    rotation.access.read()
    before = rotation.access.verdict()
    rotation.secret.hold("reader", "reader-secret")

    rotation.access.read()

    assert before[0] is False
    assert "may not list" in before[1]
    assert rotation.access.verdict() == (
        True,
        f"bucket {rotation.access.credentials().bucket} answers the operator's keys",
    )


@pytest.mark.parametrize(
    "data",
    [
        None,
        {},
        {"accessKeyId": "cmVhZGVy"},
        {"accessKeyId": "?", "secretAccessKey": "YQ=="},
        {"accessKeyId": "/w==", "secretAccessKey": "YQ=="},
    ],
)
def test_without_both_keys_those_from_before_stay(rotation: Rotation, data: dict[str, str] | None) -> None:
    rotation.secret.data = data

    rotation.access.read()

    assert rotation.keys() == ("admin", "admin-secret")
    assert rotation.woken == 0


def test_without_an_api_server_the_keys_stay_and_the_store_is_asked(rotation: Rotation) -> None:
    rotation.secret.away = True

    rotation.access.read()

    assert rotation.keys() == ("admin", "admin-secret")
    assert rotation.access.verdict()[0] is True


def test_before_the_first_reading_nothing_is_claimed(rotation: Rotation) -> None:
    assert rotation.access.verdict() == (False, "the store has not been asked yet")


def test_no_key_is_in_what_is_said_or_shown(rotation: Rotation, caplog: pytest.LogCaptureFixture) -> None:
    rotation.secret.hold("reader", "wrong-secret")
    caplog.set_level("INFO")

    rotation.access.read()

    assert rotation.access.verdict()[0] is False
    told = [
        rotation.access.verdict()[1],
        repr(rotation.access.credentials()),
        *(str(r.__dict__) for r in caplog.records),
    ]
    assert [text for text in told if "wrong-secret" in text] == []
