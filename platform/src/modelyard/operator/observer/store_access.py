"""The operator's access to the store: the keys that hold now, and whether the store takes them.

Keys are rotated while the operator runs: by an upgrade of the chart, or by hand in the Secret. So the Secret is read
every few seconds, from the API server and not from a mounted file, which the kubelet renews only after a minute or
more. New keys go into the store's client and wake all Models, whose own Secrets follow. While the Secret cannot be
read, or lacks a key, the keys from before stay.

With each reading the store is asked whether it takes the keys, so that `modelyard doctor` can tell the operator's
access from that of whoever runs it.
"""

import base64
import binascii
import logging
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from modelyard.background_thread import BackgroundThread
from modelyard.core.snapshot import Credentials, Ref
from modelyard.errors import ModelyardError, OutsideError
from modelyard.settings import Settings, StoreSettings

EVERY_SECONDS = 5.0
_KEYS = ("accessKeyId", "secretAccessKey")
_log = logging.getLogger(__name__)


class SecretReader(Protocol):
    """What is needed of `clients.cluster.Cluster`."""

    def get(self, ref: Ref) -> dict[str, Any] | None:
        """The object, or None when there is none. Raises OutsideError."""
        ...


class RenewableStore(Protocol):
    """What is needed of `clients.store.S3Store`."""

    def renew(self, settings: StoreSettings) -> None:
        """Uses these keys from now on."""
        ...

    def check(self) -> None:
        """Asks the store for anything. Raises OutsideError when it does not answer or does not take the keys."""
        ...


class StoreAccess(BackgroundThread):
    """Keeps the keys; `renewed()` is called after they have changed."""

    def __init__(
        self, cluster: SecretReader, store: RenewableStore, settings: Settings, renewed: Callable[[], None]
    ) -> None:
        super().__init__("store-access")
        self._cluster, self._store, self._renewed = cluster, store, renewed
        self._secret = Ref("Secret", settings.operator.namespace, settings.store.reader_secret)
        self._settings = settings.store
        self._failure = "the store has not been asked yet"

    def credentials(self) -> Credentials:
        """The keys that hold now, for the Secrets of Models."""
        store = self._settings
        secret = store.secret_access_key.get_secret_value()
        endpoint = store.serving_endpoint or store.endpoint
        return Credentials(endpoint, store.bucket, store.region, store.access_key_id, secret)

    def verdict(self) -> tuple[bool, str]:
        """Whether the store took the operator's keys when it was last asked, and the sentence about it."""
        if self._failure:
            return False, self._failure
        return True, f"bucket {self._settings.bucket} answers the operator's keys"

    def read(self) -> None:
        """One reading: takes up keys that changed, then asks the store."""
        try:
            keys = _keys(self._cluster.get(self._secret))
        except OutsideError as bad:
            _log.warning("store keys not read", extra={"fields": {"error": str(bad)}})
            keys = None
        if keys is not None and keys != self._known():
            self._settings = self._settings.model_copy(
                update={"access_key_id": keys[0], "secret_access_key": type(self._settings.secret_access_key)(keys[1])}
            )
            self._store.renew(self._settings)
            _log.info("store keys renewed", extra={"fields": {"secret": "/".join(self._secret[1:])}})
            self._renewed()
        try:
            self._store.check()
            self._failure = ""
        except ModelyardError as bad:
            self._failure = str(bad)

    def _known(self) -> tuple[str, str]:
        return self._settings.access_key_id, self._settings.secret_access_key.get_secret_value()

    def _run(self) -> None:
        while not self._stop.is_set():
            self.read()
            self._stop.wait(EVERY_SECONDS)


def _keys(secret: Mapping[str, Any] | None) -> tuple[str, str] | None:
    """Both keys of a Secret; None when there is no Secret, or it has not both."""
    data = (secret or {}).get("data") or {}
    try:
        access, key = (base64.b64decode(data.get(name) or "", validate=True).decode() for name in _KEYS)
    except (binascii.Error, UnicodeDecodeError):
        return None
    return (access, key) if access and key else None
