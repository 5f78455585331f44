"""What came of the retraining under way: the last words of its Job, or whether an address took the event.

An address is told in the background, by threads of its own, and again after 1, 2, 4, ... seconds while it does not
answer; what is sent is the same each time, and `id` in it tells so. An operator that took over sends it once more.

| answer | means |
|---|---|
| 2xx | taken |
| 408, 429, 5xx, none | asked again |
| any other, and a Secret that cannot be used | refused for good |
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable, Iterable, Mapping
from math import inf
from typing import NamedTuple

from modelyard.api.lifecycle.retrain import SecretKey
from modelyard.api.model import Model
from modelyard.core.names import retrain_job_name
from modelyard.core.retraining.webhook_event import EVENT_HEADER, SIGNATURE_HEADER, event_body
from modelyard.core.snapshot import Check, Object, Ref
from modelyard.errors import Unreachable
from modelyard.operator.cache.objects import Key
from modelyard.operator.observer.checks import CheckObserver
from modelyard.operator.observer.store_access import SecretReader
from modelyard.operator.polling.poller import Habits, Unanswered
from modelyard.operator.polling.polling import Polling

PARTY = "the webhooks"
_CHAIN_SECONDS, _DEADLINE_SECONDS = 10.0, 14.0
_AGAIN = frozenset({408, 429})

Post = Callable[[str, bytes, Mapping[str, str]], int]
"""Sends a body with these headers to an address; the status code of the answer. Raises OutsideError without one."""


class _WebhookCall(NamedTuple):
    """One event for one address; the Secret is in the namespace."""

    run: str
    url: str
    body: bytes
    namespace: str
    secret: SecretKey | None


class RetrainingObserver:
    """Answers about Models whose status names a retraining under way."""

    def __init__(self, checks: CheckObserver, secrets: SecretReader, post: Post, polling: Polling) -> None:
        self._checks, self._secrets, self._post = checks, secrets, post
        self._calls = polling.poller(
            PARTY, self._call, Habits(lambda _: inf, chain=_CHAIN_SECONDS, deadline=_DEADLINE_SECONDS)
        )

    def of(self, key: Key, model: Model, jobs: Iterable[Object]) -> Check | None:
        """What came of it; None while it is under way, or where none is.

        Of an address that has not answered yet: a Check without a verdict, which says why.
        """
        retrain, status = model.spec.retrain, model.status.retraining
        run = status.run if status is not None else None
        if run is None or retrain is None:
            return None
        if not run.webhook:
            name = retrain_job_name(model.namespace, model.name, run.id)
            job = next((job for job in jobs if job["metadata"]["name"] == name), None)
            return self._checks.answer(key, job) if job is not None else None
        if retrain.webhook is None:
            return None
        asked = _WebhookCall(
            run.id, retrain.webhook.url, event_body(model, run), model.namespace, retrain.webhook.secret_ref
        )
        answer = self._calls.of(key, asked)
        return Check(None, answer.failure.message) if isinstance(answer, Unanswered) else answer

    def _call(self, call: _WebhookCall) -> Check:
        headers = {"content-type": "application/json", EVENT_HEADER: call.run}
        if call.secret is not None:
            key = self._key(call.namespace, call.secret)
            if isinstance(key, str):
                return Check(False, key)
            headers[SIGNATURE_HEADER] = f"sha256={hmac.new(key, call.body, hashlib.sha256).hexdigest()}"
        code = self._post(call.url, call.body, headers)
        if 200 <= code < 300:
            return Check(True, f"{call.url} took the event (HTTP {code}); what it trains is pushed by it.")
        if code >= 500 or code in _AGAIN:
            raise Unreachable(f"{call.url} answered HTTP {code}; it is told again.")
        return Check(False, f"{call.url} answered HTTP {code}: see what it wants, and correct spec.retrain.webhook.")

    def _key(self, namespace: str, named: SecretKey) -> bytes | str:
        """What to sign with; a sentence when there is nothing."""
        where = f"Secret {namespace}/{named.name}, which spec.retrain.webhook.secretRef names,"
        secret = self._secrets.get(Ref("Secret", namespace, named.name))
        if secret is None:
            return f"{where} is not there: make it."
        try:
            key = base64.b64decode(secret.get("data", {}).get(named.key) or "", validate=True)
        except (binascii.Error, ValueError):
            key = b""
        return key or f"{where} has nothing in the field {named.key}: put the key there."
