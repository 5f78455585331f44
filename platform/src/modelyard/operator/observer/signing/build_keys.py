"""The builder's key pair, in a Secret of the platform's namespace that the operator makes when there is none.

Jobs of signed builds mount its field `private.pem`. Pods trust every field that ends in `.pub`, so that another key can
take over: put the new private key in, leave the old public one beside the new as long as builds that it signed serve.
The private key is made here once, written, and forgotten; of a Secret that is read, the public fields alone are looked
at. A reading that fails leaves what was known.
"""

import base64
import binascii
import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

from modelyard.background_thread import BackgroundThread
from modelyard.core.names import MANAGED_BY
from modelyard.core.snapshot import Failure, Object, Ref, StartCheck
from modelyard.errors import InvalidKey, OutsideError
from modelyard.operator.cache.guarded_writes import NotLeading
from modelyard.settings import Settings
from modelyard.signing import verified_start
from modelyard.signing.keys import PublicKey, SigningKey, public_keys

EVERY_SECONDS = 10.0
PRIVATE, PUBLIC = "private.pem", ".pub"
_log = logging.getLogger(__name__)


class Objects(Protocol):
    """Reading of objects."""

    def get(self, ref: Ref) -> dict[str, Any] | None: ...


class BuildKeyWatch(BackgroundThread):
    """Keeps the public keys; `create` makes an object as the leader, `changed()` is called after a key came or went."""

    def __init__(
        self,
        cluster: Objects,
        create: Callable[[Object], None],
        settings: Settings,
        changed: Callable[[], None],
    ) -> None:
        super().__init__("build-keys")
        self._cluster, self._create, self._changed = cluster, create, changed
        self._ref = Ref("Secret", settings.operator.namespace, settings.signing.build_secret)
        self._program = Path(verified_start.__file__).read_text()
        self._known: StartCheck | Failure = Failure(
            "Asking", "The builder's public keys are being read.", retry=True, pending=True
        )

    def start_check(self) -> StartCheck | Failure:
        """What pods check their build with, or why that is not known."""
        return self._known

    def read(self) -> None:
        """One reading; makes the Secret when there is none and this replica leads."""
        try:
            secret = self._cluster.get(self._ref)
            if secret is None:
                secret = self._made()
        except (OutsideError, NotLeading) as bad:
            if not isinstance(self._known, StartCheck) and isinstance(bad, OutsideError):
                self._keep(Failure(bad.reason, f"The builder's public keys cannot be read: {bad}", retry=True))
            return
        try:
            self._keep(StartCheck(self._program, tuple(key.text for key in self._keys(secret))))
        except InvalidKey as bad:
            self._keep(Failure(bad.reason, str(bad), retry=True))

    def _made(self) -> Object:
        """The Secret with a new key, as it was written."""
        secret = build_secret(self._ref, SigningKey.new())
        self._create(secret)
        _log.info("build key made", extra={"fields": {"secret": f"{self._ref.namespace}/{self._ref.name}"}})
        return secret

    def _keys(self, secret: Object) -> list[PublicKey]:
        where = f"Secret {self._ref.namespace}/{self._ref.name}"
        texts = public_texts(secret, where)
        return list(dict.fromkeys(key for text in texts for key in public_keys(text, where)))

    def _keep(self, known: StartCheck | Failure) -> None:
        if known != self._known:
            self._known = known
            self._changed()

    def _run(self) -> None:
        while not self._stop.is_set():
            self.read()
            self._stop.wait(EVERY_SECONDS)


def build_secret(ref: Ref, key: SigningKey) -> dict[str, Any]:
    """The Secret with a builder's key."""
    fields = {PRIVATE: key.pem(), f"{key.public.id}{PUBLIC}": key.public.pem.encode()}
    return {
        "apiVersion": "v1",
        "kind": ref.kind,
        "metadata": {"name": ref.name, "namespace": ref.namespace, "labels": dict(MANAGED_BY)},
        "type": "Opaque",
        "data": {name: base64.b64encode(content).decode() for name, content in fields.items()},
    }


def public_texts(holder: Mapping[str, Any], where: str, field: str | None = None) -> list[str]:
    """The fields of a ConfigMap or a Secret that end in `.pub`, or the one that is named.

    Raises InvalidKey, which names `where`, when there is none or it is no text.
    """
    data = holder.get("data") or {}
    names = [field] if field is not None else sorted(name for name in data if name.endswith(PUBLIC))
    if not names or any(name not in data for name in names):
        missing = field or f"field that ends in {PUBLIC}"
        raise InvalidKey(f"{where} has no {missing}: put the .pub file of `modelyard keys new` there.")
    if holder["kind"] != "Secret":
        return [data[name] for name in names]
    try:
        return [base64.b64decode(data[name], validate=True).decode() for name in names]
    except (binascii.Error, UnicodeDecodeError) as bad:
        raise InvalidKey(f"{where} holds something that is no text; put .pub files there.") from bad
