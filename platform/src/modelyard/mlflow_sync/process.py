"""`modelyard mlflow sync --watch`: a round every so many seconds, and at once when somebody says that there is news.

GET  /healthz   200 while rounds begin
GET  /readyz    200 once MLflow and the store have answered
GET  /metrics   rounds, what they brought in and refused, and how long they took
POST /webhook   a webhook of MLflow's, signed: begins a round; what it says is not believed
"""

import base64
import hashlib
import hmac
import logging
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest

from modelyard.errors import ModelyardError

from .followed import FollowedModels
from .synchronizer import RoundSummary, Synchronizer
from .write_back import WriteBack

SIGNATURE, TIMESTAMP, DELIVERY = "X-MLflow-Signature", "X-MLflow-Timestamp", "X-MLflow-Delivery-Id"
_OLDEST_SECONDS, _LONGEST_BODY = 300.0, 1 << 20
_STUCK_ROUNDS, _STUCK_SECONDS = 10, 900.0
_log = logging.getLogger(__name__)


class SyncProcess:
    """Rounds until it is told to stop. `write_back` is None where nothing is written into MLflow."""

    def __init__(
        self,
        synchronizer: Synchronizer,
        followed: FollowedModels,
        write_back: WriteBack | None,
        every: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._synchronizer, self._followed, self._write_back = synchronizer, followed, write_back
        self._every, self._clock = every, clock
        self._news, self._stopped = threading.Event(), threading.Event()
        self._began, self._answered = clock(), False
        self.registry = CollectorRegistry()
        kept = self.registry
        self._rounds = Counter("modelyard_mlflow_rounds", "Rounds of the sync with MLflow.", ["outcome"], registry=kept)
        self._brought = Counter("modelyard_mlflow_versions", "Versions brought in from MLflow.", registry=kept)
        self._refused = Gauge("modelyard_mlflow_refused", "Versions that could not be brought in.", registry=kept)
        self._took = Gauge("modelyard_mlflow_round_seconds", "How long the last round took.", registry=kept)

    def hint(self) -> None:
        """There may be news: the next round begins now."""
        self._news.set()

    def stop(self) -> None:
        """No further round begins."""
        self._stopped.set()
        self._news.set()

    def run(self) -> None:
        """Rounds until `stop`."""
        while not self._stopped.is_set():
            self.once()
            self._news.wait(self._every)
            self._news.clear()

    def once(self) -> None:
        """One round. Whatever goes wrong is told by the heartbeat, the log and the metrics."""
        self._began = self._clock()
        failure = ""
        try:
            summary = self._synchronizer.round(self._followed.wanted())
            self._tell(summary)
        except ModelyardError as bad:
            failure = str(bad)
            _log.warning("round failed", extra={"fields": {"reason": bad.reason, "error": failure}})
        try:
            self._synchronizer.beat(self._every, failure)
            self._answered = self._answered or not failure
        except ModelyardError as bad:
            _log.warning("heartbeat not written", extra={"fields": {"reason": bad.reason, "error": str(bad)}})
        if self._write_back is not None and not failure:
            self._write_back.write(self._followed.models(), self._synchronizer.models)
        self._rounds.labels("failed" if failure else "done").inc()
        self._took.set(self._clock() - self._began)

    def healthy(self) -> tuple[bool, str]:
        """For the liveness probe."""
        silent = self._clock() - self._began
        limit = max(_STUCK_ROUNDS * self._every, _STUCK_SECONDS)
        return (True, "ok") if silent < limit else (False, f"no round began for {silent:.0f} s")

    def ready(self) -> tuple[bool, str]:
        """For the readiness probe."""
        return (True, "ok") if self._answered else (False, "MLflow has not been read yet; the log says why")

    def _tell(self, summary: RoundSummary) -> None:
        self._brought.inc(len(summary.pushed))
        self._refused.set(len(summary.refused))
        for name, version in summary.pushed:
            _log.info("brought in", extra={"fields": {"entry": name, "version": version}})
        for name, alias, version in summary.moved:
            _log.info("alias moved", extra={"fields": {"entry": name, "alias": alias, "version": version}})
        for name, version, refusal in summary.refused:
            fields = {"entry": name, "version": version, "reason": refusal.reason, "said": refusal.message}
            _log.debug("refused", extra={"fields": fields})


def signed(secret: str, delivery: str, timestamp: str, body: bytes, signature: str, now: float) -> bool:
    """Whether MLflow signed a webhook with `secret`, less than five minutes before or after `now` (epoch seconds)."""
    if not secret or not timestamp.isascii() or not timestamp.isdigit() or abs(now - int(timestamp)) > _OLDEST_SECONDS:
        return False
    content = f"{delivery}.{timestamp}.".encode() + body
    expected = base64.b64encode(hmac.new(secret.encode(), content, hashlib.sha256).digest()).decode()
    return hmac.compare_digest(f"v1,{expected}".encode(), signature.encode())


def endpoints(
    process: SyncProcess, port: int, secret: str, now: Callable[[], float] = time.time
) -> ThreadingHTTPServer:
    """The HTTP server, bound and not serving yet; port 0 asks for any free one."""

    class Handler(BaseHTTPRequestHandler):
        timeout = 10

        def do_GET(self) -> None:
            probes = {"/healthz": process.healthy, "/readyz": process.ready}
            if self.path == "/metrics":
                self._answer(200, generate_latest(process.registry))
            elif self.path in probes:
                passed, said = probes[self.path]()
                self._answer(200 if passed else 503, said.encode() + b"\n")
            else:
                self._answer(404, b"/healthz /readyz /metrics /webhook\n")

        def do_POST(self) -> None:
            length = self.headers.get("Content-Length", "")
            if self.path != "/webhook":
                self._answer(404, b"/webhook\n")
            elif not length.isascii() or not length.isdigit() or int(length) > _LONGEST_BODY:
                self._answer(413, b"a webhook of MLflow's is shorter, and says how long it is\n")
            else:
                body = self.rfile.read(int(length))
                delivery, timestamp, mark = (self.headers.get(name, "") for name in (DELIVERY, TIMESTAMP, SIGNATURE))
                if signed(secret, delivery, timestamp, body, mark, now()):
                    process.hint()
                    self._answer(202, b"ok\n")
                else:
                    self._answer(401, b"not signed with mlflow.webhookSecret, or too old\n")

        def log_message(self, format: str, *args: object) -> None:
            """Probes every few seconds are not news."""

        def _answer(self, code: int, body: bytes) -> None:
            self.send_response(code)
            self.send_header("Content-Type", "text/plain; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    server = ThreadingHTTPServer(("", port), Handler)
    server.daemon_threads = True
    return server
