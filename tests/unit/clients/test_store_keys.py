"""Whose keys a store signs with: its own, else those of the surroundings as they are when it is made."""

from typing import Any

import pytest

from modelyard.clients.store import S3Store
from modelyard.settings import StoreSettings


def a_store(key: str) -> S3Store:
    given: dict[str, Any] = {"endpoint": "http://127.0.0.1:1", "accessKeyId": key, "secretAccessKey": f"{key}-secret"}
    return S3Store(StoreSettings.model_validate(given if key else {"endpoint": given["endpoint"]}))


def signs_with(store: S3Store) -> tuple[str, str]:
    keys = store._client._request_signer._credentials
    return keys.access_key, keys.secret_key


def test_every_store_signs_with_its_own_keys_and_a_renewed_one_with_the_new() -> None:
    stores = [a_store("first"), a_store("second")]

    assert [signs_with(store) for store in stores] == [("first", "first-secret"), ("second", "second-secret")]

    stores[0].renew(StoreSettings.model_validate({"accessKeyId": "third", "secretAccessKey": "third-secret"}))

    assert [signs_with(store)[0] for store in stores] == ["third", "second"]


def test_without_keys_each_takes_those_of_the_surroundings_as_they_are_then(monkeypatch: pytest.MonkeyPatch) -> None:
    a_store("own")
    found = []
    for key in ("old", "new"):
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", key)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", f"{key}-secret")
        found.append(signs_with(a_store("")))

    assert found == [("old", "old-secret"), ("new", "new-secret")]
