"""The API server, as few verbs over plain dictionaries.

Every write of an object is a server-side apply with our field manager, so that it can be repeated after a
crash and removes fields we no longer want. Every call has a time limit, and whoever writes under a Lease gives writes a
shorter one than the Lease's margin: what is sent while it holds has ended before another may hold. What goes wrong
becomes an error by the table of `status_errors.py`.

Inside `clients.deadline.within` a call waits no longer than the chain it is part of has left.

An absent object is not an error: reading it gives None, deleting it is done already.

Answers are read by pydantic's JSON parser: it takes a third of the time, and equal keys and short words of all objects
are one string in memory, which halves what thousands of cached objects take.
"""

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote

from kubernetes.client import ApiException, Configuration
from kubernetes.client.rest import RESTClientObject
from pydantic_core import from_json
from urllib3 import Retry
from urllib3.exceptions import HTTPError

from modelyard import __version__
from modelyard.clients.deadline import left
from modelyard.core.kinds import BY_NAME, Kind
from modelyard.core.names import FIELD_MANAGER
from modelyard.core.snapshot import Object, Ref
from modelyard.errors import OutsideError, Refused, Unreachable

from .status_errors import error_of
from .watch_stream import WatchStream

LEASE = Kind("Lease", "coordination.k8s.io", "v1", "leases", "", True)
EVENT = Kind("Event", "", "v1", "events", "", True)
GATEWAY = Kind("Gateway", "gateway.networking.k8s.io", "v1", "gateways", "", False)
CONFIG_MAP = Kind("ConfigMap", "", "v1", "configmaps", "", False)
NAMESPACE = Kind("Namespace", "", "v1", "namespaces", "", False)
NODE = Kind("Node", "", "v1", "nodes", "", False)
QUOTA = Kind("ResourceQuota", "", "v1", "resourcequotas", "", False)
RUNTIME = Kind("ClusterServingRuntime", "serving.kserve.io", "v1alpha1", "clusterservingruntimes", "", False)
REVIEW = Kind("SelfSubjectReview", "authentication.k8s.io", "v1", "selfsubjectreviews", "", True)
_READ = (LEASE, EVENT, GATEWAY, CONFIG_MAP, NAMESPACE, NODE, QUOTA, RUNTIME)
_KINDS = {**BY_NAME, **{row.kind: row for row in (*_READ, REVIEW)}}
_CONNECT_SECONDS, _READ_SECONDS = 3.05, 10.0
_RETRY = Retry(connect=1, read=1, redirect=0, status=0, allowed_methods={"GET"}, respect_retry_after_header=False)
_ONCE = Retry(total=0, redirect=0, status=0, respect_retry_after_header=False)
_METADATA_ONLY = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
_PAGE = 500

Query = Sequence[tuple[str, str]]


def path_of(kind: Kind, namespace: str = "", name: str = "", sub: str = "") -> str:
    """The path of an object, a collection of one namespace, or a collection of the whole cluster."""
    root = f"/apis/{kind.group}/{kind.version}" if kind.group else f"/api/{kind.version}"
    parts = [root, *(("namespaces", namespace) if namespace else ()), kind.plural, name, sub]
    return "/".join(quote(part, safe="/") for part in parts if part)


class Cluster:
    """A connection pool to one API server; safe to share between threads."""

    def __init__(self, configuration: Configuration, connections: int = 8, write_seconds: float | None = None) -> None:
        """`write_seconds` is how long a write may take, connecting included, and then it is not tried again.

        Without it writes are as patient as reads are.
        """
        self.configuration = configuration
        untyped: Any = configuration
        untyped.retries = _RETRY
        self.write_seconds = write_seconds
        self._rest = self._writing = RESTClientObject(configuration, maxsize=connections)
        if write_seconds is not None:
            untyped.retries = _ONCE
            self._writing = RESTClientObject(configuration, maxsize=connections)

    def get(self, ref: Ref) -> dict[str, Any] | None:
        """The object, or None when there is none. Raises as `status_errors.py` says, like every method here."""
        return self._json("GET", _at(ref), absent_ok=True)

    def identity(self, ref: Ref) -> dict[str, Any] | None:
        """Kind and `metadata` of the object, None when there is none; what is in it stays on the server."""
        found = self._json("GET", _at(ref), accept=_METADATA_ONLY, absent_ok=True)
        return {"kind": ref.kind, "metadata": found["metadata"]} if found else None

    def items(self, kind: str, namespace: str = "", selector: str = "") -> list[dict[str, Any]]:
        """All objects of a kind in a namespace (empty: in all), with their bodies; `selector` selects by label."""
        return list(self.each(kind, namespace, selector))

    def each(self, kind: str, namespace: str = "", selector: str = "") -> Iterator[dict[str, Any]]:
        """The same one by one, with no more than a page of them in memory."""
        for page in self.pages(_KINDS[kind], namespace, selector):
            yield from page.get("items") or ()

    def pages(self, kind: Kind, namespace: str = "", selector: str = "") -> Iterator[dict[str, Any]]:
        """The same page by page, each a list object of the API server; all are of one version of the collection."""
        query, path = [("limit", str(_PAGE)), *_selecting(selector)], path_of(kind, namespace)
        token = ""
        while True:
            answer = self._json("GET", path, [*query, *([("continue", token)] if token else [])]) or {}
            yield answer
            token = answer.get("metadata", {}).get("continue", "")
            if not token:
                return

    def watch(self, kind: Kind, namespace: str, selector: str, version: str, seconds: int) -> WatchStream:
        """What happens in a collection after `version`, for so many seconds, with a bookmark now and then."""
        path = path_of(kind, namespace)
        span = [("watch", "true"), ("allowWatchBookmarks", "true"), ("timeoutSeconds", str(seconds))]
        query = [*span, ("resourceVersion", version), *_selecting(selector)]
        limits = (_CONNECT_SECONDS, seconds + _READ_SECONDS)
        return WatchStream(self._request("GET", path, query, limits=limits, stream=True), path)

    def apply(self, desired: Object, *, force: bool = True) -> dict[str, Any]:
        """Server-side apply of the whole object; the object as the server then has it.

        Without `force` a field that somebody else holds with another value is a Conflict, and nothing is written. A
        `uid` in its metadata is that of the one object that may be written: another is Refused, none is a Conflict.
        """
        query = _APPLY if force else _MANAGER
        answer = self._json("PATCH", _at(_ref(desired)), query, desired, content=_APPLY_TYPE)
        assert answer is not None
        return answer

    def apply_status(self, ref: Ref, uid: str, status: Object, version: str = "") -> dict[str, Any] | None:
        """Server-side apply of the status; None when the object is gone, Conflict when it is another one by now.

        `version` is the resourceVersion the status was decided on: when the object was written since then it is a
        Conflict, too.
        """
        metadata = {"name": ref.name, "namespace": ref.namespace, "uid": uid}
        body = {
            "apiVersion": _KINDS[ref.kind].api_version,
            "kind": ref.kind,
            "metadata": {**metadata, "resourceVersion": version} if version else metadata,
            "status": status,
        }
        return self._json("PATCH", _at(ref, "status"), _APPLY, body, content=_APPLY_TYPE, absent_ok=True)

    def scale(self, ref: Ref, replicas: int) -> dict[str, Any] | None:
        """Sets the replicas through the scale subresource; the Scale object, None when the object is gone."""
        body = {"spec": {"replicas": replicas}}
        return self._json("PATCH", _at(ref, "scale"), _MANAGER, body, content=_MERGE_TYPE, absent_ok=True)

    def delete(self, ref: Ref, uid: str | None = None) -> dict[str, Any] | None:
        """Deletes in the background; the object when finalizers still hold it, None when it is gone.

        With `uid` only that very object is deleted: an object made anew under the name stays (Conflict).
        """
        body: dict[str, Any] = {"propagationPolicy": "Background"}
        if uid:
            body["preconditions"] = {"uid": uid}
        answer = self._json("DELETE", _at(ref), body=body, absent_ok=True)
        return answer if answer and answer.get("kind") == ref.kind else None

    def create(self, thing: Object, *, dry_run: bool = False) -> dict[str, Any]:
        """Makes a new object; Conflict when the name is taken. With `dry_run` it is checked and not kept."""
        ref, query = _ref(thing), [*_MANAGER, *((("dryRun", "All"),) if dry_run else ())]
        answer = self._json("POST", path_of(_KINDS[ref.kind], ref.namespace), query, thing)
        assert answer is not None
        return answer

    def merge(self, ref: Ref, change: Object) -> dict[str, Any] | None:
        """JSON merge patch with `change`; the object after that, None when it is gone."""
        return self._json("PATCH", _at(ref), _MANAGER, change, content=_MERGE_TYPE, absent_ok=True)

    def replace(self, thing: Object) -> dict[str, Any] | None:
        """Replaces the object; Conflict when its resourceVersion is no longer the latest, None when it is gone."""
        return self._json("PUT", _at(_ref(thing)), _MANAGER, thing, absent_ok=True)

    def logs(self, pod: Ref, container: str, *, previous: bool, limit: int) -> str:
        """The last `limit` bytes of a container's log; empty when there is none any more."""
        query = [("container", container), ("previous", str(previous).lower()), ("tailLines", "400")]
        try:
            raw = self._call("GET", _at(pod, "log"), query, accept="*/*", absent_ok=True)
        except Refused:
            return ""
        return (raw or b"")[-limit:].decode(errors="replace")

    def through(self, pod: Ref, port: int, path: str, query: Query = ()) -> str:
        """GET of a pod's HTTP port by way of the API server, as text; raises Refused without `pods/proxy`."""
        at = f"{path_of(_KINDS[pod.kind], pod.namespace)}/{pod.name}:{port}/proxy{path}"
        return (self._call("GET", at, query, accept="*/*") or b"").decode()

    def now(self) -> datetime:
        """The API server's time, to the second: ages of objects are told by it, not by a clock that may be off."""
        answer = self._request("GET", "/version")
        return parsedate_to_datetime(answer.getheader("Date"))

    def unserved(self, kinds: Sequence[Kind]) -> list[Kind]:
        """Those of `kinds` that the API server does not know: their CRDs are missing."""
        known: dict[str, set[str]] = {}
        for version in {kind.api_version for kind in kinds}:
            root = f"/apis/{version}" if "/" in version else f"/api/{version}"
            answer = self._json("GET", root, absent_ok=True) or {}
            known[version] = {row["name"] for row in answer.get("resources") or ()}
        return [kind for kind in kinds if kind.plural not in known[kind.api_version]]

    def _json(self, method: str, path: str, query: Query = (), body: Object | None = None, **how: Any) -> Any:
        raw = self._call(method, path, query, body, **how)
        return None if raw is None else from_json(raw)

    def _call(
        self,
        method: str,
        path: str,
        query: Query = (),
        body: Object | None = None,
        *,
        absent_ok: bool = False,
        **how: Any,
    ) -> bytes | None:
        try:
            return self._request(method, path, query, body, **how).data
        except Refused as refused:
            if absent_ok and getattr(refused.__cause__, "status", None) == 404:
                return None
            raise

    def _request(
        self,
        method: str,
        path: str,
        query: Query = (),
        body: Object | None = None,
        *,
        content: str = "application/json",
        accept: str = "application/json",
        limits: tuple[float, float] | None = None,
        stream: bool = False,
    ) -> Any:
        headers = {"Accept": accept, "Content-Type": content, "User-Agent": f"modelyard/{__version__}"}
        for auth in self.configuration.auth_settings().values():
            if auth["value"]:
                headers[auth["key"]] = auth["value"]
        reads = method == "GET"
        try:
            return (self._rest if reads else self._writing).request(
                method,
                self.configuration.host + path,
                query_params=list(query),
                headers=headers,
                body=body,
                _preload_content=not stream,
                _request_timeout=limits or self._limits(reads),
            )
        except ApiException as bad:
            raise _error(bad, method, path) from bad
        except HTTPError as bad:
            why = getattr(bad, "reason", None) or bad
            raise Unreachable(f"the API server did not answer {method} {path}: {type(why).__name__}: {why}.") from bad

    def _limits(self, reads: bool) -> Any:
        """Seconds to connect and without a byte of the answer; of a write under a Lease, seconds in all."""
        if reads or self.write_seconds is None:
            return left(_CONNECT_SECONDS), left(_READ_SECONDS)
        return self.write_seconds


_APPLY: Query = (("fieldManager", FIELD_MANAGER), ("force", "true"))
_MANAGER: Query = (("fieldManager", FIELD_MANAGER),)
_APPLY_TYPE = "application/apply-patch+yaml"
_MERGE_TYPE = "application/merge-patch+json"


def _selecting(selector: str) -> Query:
    return [("labelSelector", selector)] if selector else []


def _ref(thing: Object) -> Ref:
    meta = thing["metadata"]
    return Ref(thing["kind"], meta["namespace"], meta["name"])


def _at(ref: Ref, sub: str = "") -> str:
    return path_of(_KINDS[ref.kind], ref.namespace, ref.name, sub)


def _error(bad: ApiException, method: str, path: str) -> OutsideError:
    try:
        message = json.loads(bad.body or b"").get("message", "")
    except (ValueError, AttributeError):
        message = ""
    return error_of(bad.status, message or bad.reason or "", f"{method} {path}")
