"""The watches: kopf's streams feed the cache, and every change of anything puts its Model into the queue.

Of kopf only `on.event` is used. Its other handlers write: a PATCH per object, finalizers, annotations;
its indices slow down with the square of the number of objects. Selectors are applied by the API server, so
that only objects with our labels, and Jobs of the platform's namespace, ever arrive here.

kopf runs in a thread of its own with its own event loop; `beat` is when that loop was last seen alive.
"""

import asyncio
import logging
import threading
import time
from collections.abc import Callable
from typing import Any, cast

import kopf
from kubernetes.client import Configuration

from modelyard.core.kinds import BY_NAME, Kind
from modelyard.core.snapshot import Object

from .objects import ObjectCache, ref_of, version_of

_log = logging.getLogger(__name__)
_PAGE = 500

Changed = Callable[[Object, bool], None]


class Watches:
    """All watch streams; `changed(thing, gone)` is called from kopf's thread when the cache has changed."""

    def __init__(self, access: Configuration, platform: str, cache: ObjectCache, changed: Changed) -> None:
        self._access, self._platform, self._cache, self._changed = access, platform, cache, changed
        self._thread = threading.Thread(target=self._run, name="watches", daemon=True)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self.beat = time.monotonic()

    def start(self) -> None:
        """Starts the streams; every kind must be served by the API server by now."""
        self.beat = time.monotonic()
        self._thread.start()

    @property
    def alive(self) -> bool:
        """False once kopf has ended, on purpose or not."""
        return self._thread.is_alive()

    def stop(self, patience: float = 2.0) -> None:
        """Ends the streams and waits for kopf's thread, `patience` seconds at most."""
        if self._loop is not None and self._stop is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join(patience)

    def take_in(self, kind: Kind, event_type: str | None, body: Any) -> None:
        """Puts one watch event into the cache and calls `changed` unless the cache holds that version or a later one.

        `event_type` is ADDED, MODIFIED, DELETED, or None for an object of the first listing.
        """
        metadata = {key: value for key, value in body["metadata"].items() if key != "managedFields"}
        thing = {**body, "apiVersion": kind.api_version, "kind": kind.kind, "metadata": metadata}
        if event_type == "DELETED":
            self._cache.remove(ref_of(thing), metadata["uid"], version_of(thing))
            self._changed(thing, True)
        elif self._cache.put(thing):
            self._changed(thing, False)

    def _run(self) -> None:
        try:
            asyncio.run(self._operate())
        except Exception:  # noqa: BLE001 - the process sees the dead thread and ends
            _log.exception("the watches ended")

    async def _operate(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        pulse = asyncio.create_task(self._pulse())
        try:
            await kopf.operator(
                registry=self._registry(),
                settings=_kopf_settings(self._platform),
                clusterwide=True,
                standalone=True,
                identity=cast(Any, "modelyard"),  # kopf's own guess fails for a numeric user without a name
                stop_flag=self._stop,
            )
        finally:
            pulse.cancel()

    async def _pulse(self) -> None:
        while True:
            self.beat = time.monotonic()
            await asyncio.sleep(1)

    def _registry(self) -> kopf.OperatorRegistry:
        registry = kopf.OperatorRegistry()
        kopf.on.login(registry=registry)(self._login)
        for kind in BY_NAME.values():
            kopf.on.event(kind.group, kind.version, kind.plural, registry=registry, id=kind.plural)(self._handler(kind))
        return registry

    def _handler(self, kind: Kind) -> Callable[..., Any]:
        async def handle(event: Any, **_: Any) -> None:
            self.take_in(kind, event["type"], event["object"])

        return handle

    async def _login(self, **_: Any) -> kopf.ConnectionInfo:
        """The same access as our own client has; asked again whenever the API server answers 401."""
        return connection(self._access)


def connection(access: Configuration) -> kopf.ConnectionInfo:
    """The access of the kubernetes client as kopf's connection; a token from a file is read again when it is old."""
    header = access.auth_settings().get("BearerToken", {}).get("value") or ""
    return kopf.ConnectionInfo(
        server=access.host,
        ca_path=access.ssl_ca_cert,
        insecure=not access.verify_ssl,
        certificate_path=access.cert_file,
        private_key_path=access.key_file,
        token=header.split(" ", 1)[-1] or None,
    )


def _kopf_settings(platform: str) -> kopf.OperatorSettings:
    settings = kopf.OperatorSettings()
    settings.posting.enabled = False
    settings.scanning.disabled = True
    settings.process.ultimate_exiting_timeout = None
    settings.watching.chunk_size = _PAGE
    settings.watching.connect_timeout = 5
    settings.queueing.idle_timeout = 1
    for kind in BY_NAME.values():
        if kind.label:
            settings.watching.label_selectors[kind.group, kind.version, kind.plural] = kind.label
    job = BY_NAME["Job"]
    settings.watching.field_selectors[job.group, job.version, job.plural] = f"metadata.namespace={platform}"
    return settings
