"""KServe, the gateway and the builder, played against a real API server, as far as the operator can tell.

`Players.step` lets each do what it would do next: every InferenceService gets its Deployment and Service with
all replicas ready, every route is accepted, every build Job publishes its artifact and completes (or fails with
the words in `failures`), children of deleted Models are collected as garbage. `GatewaySocket` answers
inferences over HTTP for the revisions whose pinned rule is in the HTTPRoute.
"""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from modelyard.api.optimization import Progress
from modelyard.clients.cluster.api_server import Cluster
from modelyard.clients.store import S3Store
from modelyard.core.kinds import BY_NAME
from modelyard.core.names import BUILD_LABEL, REVISION_HEADER, build_digest, predictor
from modelyard.core.snapshot import Object, Ref
from modelyard.core.storage.keys import build_progress, build_report, build_warmup
from modelyard.errors import Conflict, OutsideError
from modelyard.registry.bucket import BucketRegistry
from modelyard.settings import GatewaySettings
from tests.support.objects.reports import optimized

NOW = "2026-01-01T00:00:00Z"
LATER = "2026-01-01T00:00:07Z"
_COLLECTED = (
    "InferenceService", "HTTPRoute", "GRPCRoute", "BackendTrafficPolicy", "PodDisruptionBudget", "Secret",
    "ServiceAccount",
)  # fmt: skip


def ref_of(thing: Object) -> Ref:
    return Ref(thing["kind"], thing["metadata"]["namespace"], thing["metadata"]["name"])


class Players:
    """Everybody around the operator.

    `failures` are a Job's last words by version of the entry, `1 optimized` for its optimization; while `tries` is
    set, optimizations go on and tell of that progress.
    """

    def __init__(self, cluster: Cluster, store: S3Store, platform: str, gateway: GatewaySettings) -> None:
        self.cluster, self.store, self.platform, self.gateway = cluster, store, platform, gateway
        self.registry = BucketRegistry(store)
        self.failures: dict[str, dict[str, str]] = {}
        self.tries: Progress | None = None

    def items(self, kind: str, namespace: str = "") -> list[dict[str, Any]]:
        row = BY_NAME[kind]
        listed = self.cluster.items(kind, namespace, row.label)
        return [{**item, "kind": kind, "apiVersion": row.api_version} for item in listed]

    def step(self) -> None:
        """Everybody does what is next for them."""
        for job in self.items("Job", self.platform):
            self._build(job)
        for served in self.items("InferenceService"):
            self._serve(served)
        for kind in ("HTTPRoute", "GRPCRoute"):
            for route in self.items(kind):
                self._accept(route)
        self._collect_garbage()

    @contextmanager
    def playing(self) -> Iterator[None]:
        """Steps again and again in a thread, whatever is deleted under their hands meanwhile."""
        stop = threading.Event()

        def play() -> None:
            while not stop.wait(0.05):
                try:
                    self.step()
                except OutsideError:
                    continue

        thread = threading.Thread(target=play, name="players")
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join(30)

    def _build(self, job: Object) -> None:
        if BUILD_LABEL not in job["metadata"]["labels"] or job.get("status", {}).get("conditions"):
            return
        command = job["spec"]["template"]["spec"]["containers"][0]["command"]
        name, _, version = command[2].partition(":")
        optimizes = "--optimize" in command
        words = self.failures.get(f"{version} optimized" if optimizes else version)
        if words is not None:
            self._fail(job, words)
            return
        entry = self.registry.resolve(name, version=version)
        options = {"optimize": json.loads(command[command.index("--optimize") + 1])} if optimizes else {}
        options |= {"signed": True} if "--sign" in command else {}
        digest = build_digest(entry.digest, command[command.index("--name") + 1], options)
        if optimizes and self.tries is not None:
            self.store.put(build_progress(digest), self.tries.model_dump_json(by_alias=True).encode())
            return
        self.store.put(build_warmup(digest), b'{"inputs": []}')
        self.store.put(build_report(digest), optimized() if optimizes else b"{}")
        self._end(job, "Complete", "SuccessCriteriaMet", {"succeeded": 1, "completionTime": LATER})

    def _fail(self, job: Object, words: dict[str, str]) -> None:
        pod = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {
                "name": job["metadata"]["name"],
                "namespace": self.platform,
                "labels": {BUILD_LABEL: job["metadata"]["labels"][BUILD_LABEL]},
                "ownerReferences": [
                    {
                        "apiVersion": "batch/v1",
                        "kind": "Job",
                        "name": job["metadata"]["name"],
                        "uid": job["metadata"]["uid"],
                    }
                ],
            },
            "spec": {"containers": [{"name": "build", "image": "builder"}]},
        }
        made = self.cluster.apply(pod)
        ended = {"exitCode": 2, "message": json.dumps(words), "reason": "Error", "startedAt": NOW, "finishedAt": LATER}
        status = {"name": "build", "image": "b", "imageID": "b", "ready": False, "restartCount": 0}
        said = {"phase": "Failed", "containerStatuses": [{**status, "state": {"terminated": ended}}]}
        self.cluster.apply_status(ref_of(pod), made["metadata"]["uid"], said)
        self._end(job, "Failed", "FailureTarget", {"failed": 1})

    def _end(self, job: Object, how: str, first: str, more: dict[str, Any]) -> None:
        conditions = [
            {"type": kind, "status": "True", "lastTransitionTime": LATER, "reason": "Played", "message": "It ended."}
            for kind in (first, how)
        ]
        status = {"startTime": NOW, "conditions": conditions, **more}
        self.cluster.apply_status(ref_of(job), job["metadata"]["uid"], status)

    def _serve(self, served: Object) -> None:
        ref, frame = ref_of(served), served["metadata"]
        name = predictor(ref.name)
        owner = {
            "apiVersion": served["apiVersion"],
            "kind": served["kind"],
            "name": ref.name,
            "uid": frame["uid"],
            "controller": True,
        }
        metadata = {"name": name, "namespace": ref.namespace, "labels": frame["labels"], "ownerReferences": [owner]}
        if self.cluster.get(Ref("Service", ref.namespace, name)) is None:
            self._make(_service(metadata))
        deployment = self.cluster.get(Ref("Deployment", ref.namespace, name)) or self._make(_deployment(metadata))
        replicas = deployment["spec"]["replicas"]
        if deployment.get("status", {}).get("readyReplicas") != replicas:
            status = {"replicas": replicas, "readyReplicas": replicas, "availableReplicas": replicas}
            self.cluster.apply_status(Ref("Deployment", ref.namespace, name), deployment["metadata"]["uid"], status)
        if not served.get("status", {}).get("conditions"):
            conditions = [{"type": "Ready", "status": "True", "lastTransitionTime": NOW}]
            self.cluster.apply_status(ref, frame["uid"], {"conditions": conditions})

    def _make(self, thing: Object) -> dict[str, Any]:
        try:
            return self.cluster.create(thing)
        except Conflict:
            return self.cluster.get(ref_of(thing)) or dict(thing)

    def _accept(self, route: Object) -> None:
        generation = route["metadata"]["generation"]
        parents = route.get("status", {}).get("parents", [])
        if parents and parents[0]["conditions"][0]["observedGeneration"] == generation:
            return
        conditions = [
            {
                "type": kind,
                "status": "True",
                "reason": kind,
                "message": "",
                "lastTransitionTime": NOW,
                "observedGeneration": generation,
            }
            for kind in ("Accepted", "ResolvedRefs")
        ]
        parent = {"name": self.gateway.name, "namespace": self.gateway.namespace}
        controller = "gateway.envoyproxy.io/gatewayclass-controller"
        status = {"parents": [{"parentRef": parent, "controllerName": controller, "conditions": conditions}]}
        self.cluster.apply_status(ref_of(route), route["metadata"]["uid"], status)

    def _collect_garbage(self) -> None:
        live = {item["metadata"]["uid"] for item in self.items("Model")}
        live |= {item["metadata"]["uid"] for item in self.items("InferenceService")}
        for kind in (*_COLLECTED, "Deployment", "Service"):
            for thing in self.items(kind):
                owners = thing["metadata"].get("ownerReferences", [])
                if owners and all(owner["uid"] not in live for owner in owners):
                    self.cluster.delete(ref_of(thing), thing["metadata"]["uid"])


def _service(metadata: dict[str, Any]) -> dict[str, Any]:
    ports = [{"name": "http", "port": 80, "targetPort": 8080}]
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": {"ports": ports}}


def _deployment(metadata: dict[str, Any]) -> dict[str, Any]:
    labels = {"app": metadata["name"]}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "server", "image": "triton"}]}}
    spec = {"replicas": 1, "selector": {"matchLabels": labels}, "template": template}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec}


class GatewaySocket:
    """The gateway's HTTP port: answers a pinned inference when the Model's HTTPRoute has a rule for the revision."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.silent = False
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    @contextmanager
    def answering(self) -> Iterator[str]:
        thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield self.url
        finally:
            self._server.shutdown()
            self._server.server_close()
            thread.join(10)

    def _pinned(self, host: str, revision: str) -> bool:
        model, namespace, *_ = host.split(".")
        route = self._cluster.get(Ref("HTTPRoute", namespace, model)) or {"spec": {"rules": []}}
        return any(
            header["value"] == revision
            for rule in route["spec"]["rules"]
            for match in rule.get("matches", [])
            for header in match.get("headers", [])
        )

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        gateway = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                revision = self.headers[REVISION_HEADER]
                good = not gateway.silent and gateway._pinned(self.headers["Host"], revision)
                body = b'{"outputs": []}' if good else b"no healthy upstream"
                self.send_response(200 if good else 503)
                self.send_header("Content-Length", str(len(body)))
                if good:
                    self.send_header(REVISION_HEADER, revision)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                """Nobody reads it."""

        return Handler
