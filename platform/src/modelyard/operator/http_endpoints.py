"""The HTTP endpoints for the kubelet and for Prometheus.

* `/healthz`: 200 while the watches live and no worker has held one Model for longer than any step may take.
* `/readyz`: 200 once the cache was as complete as a listing.
* `/metrics`: Prometheus.

Followers are ready too: readiness says "could take over", leadership is the metric `modelyard_leader`.
"""

import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Verdict = tuple[bool, str]
"""Whether a probe passes, and the sentence it answers with."""


class Endpoints:
    """The HTTP server in a thread of its own; `port` is the port that is bound (0 asks for any free one)."""

    def __init__(
        self, port: int, metrics: Callable[[], bytes], healthy: Callable[[], Verdict], ready: Callable[[], Verdict]
    ) -> None:
        self._server = ThreadingHTTPServer(("", port), _handler(metrics, healthy, ready))
        self._server.daemon_threads = True
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, name="http", daemon=True)

    def start(self) -> None:
        """Begins to answer."""
        self._thread.start()

    def stop(self) -> None:
        """Ends; the port is free afterwards."""
        self._server.shutdown()
        self._server.server_close()


def _handler(
    metrics: Callable[[], bytes], healthy: Callable[[], Verdict], ready: Callable[[], Verdict]
) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/metrics":
                self._answer(200, metrics(), "text/plain; version=0.0.4; charset=utf-8")
            elif self.path in ("/healthz", "/readyz"):
                passed, reason = (healthy if self.path == "/healthz" else ready)()
                self._answer(200 if passed else 503, reason.encode() + b"\n", "text/plain; charset=utf-8")
            else:
                self._answer(404, b"/metrics /healthz /readyz\n", "text/plain; charset=utf-8")

        def log_message(self, format: str, *args: object) -> None:
            """Probes every few seconds are not news."""

        def _answer(self, code: int, body: bytes, kind: str) -> None:
            self.send_response(code)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    return Handler
