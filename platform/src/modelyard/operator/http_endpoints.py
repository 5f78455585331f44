"""The HTTP endpoints for the kubelet and for Prometheus.

* `/healthz`: 200 while the watches live and no worker has held one Model for longer than any step may take.
* `/readyz`: 200 once the cache was as complete as a listing.
* `/storez`: `ok: ...` while the store takes the operator's keys, else `failed: ...`, for `modelyard doctor`; always
  200, as the API server's proxy passes on no text of another answer.
* `/scalingz`: which autoscaler Models get, as `Reason: sentence`, for the same; always 200.
* `/metrics`: Prometheus.

Followers are ready too: readiness says "could take over", leadership is the metric `modelyard_leader`.

It listens on all addresses of the pod: IPv4 and IPv6 through one socket, on IPv4 alone where the kernel has no IPv6.
"""

import errno
import socket
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

_WITHOUT_IPV6 = {errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL, errno.EPROTONOSUPPORT}

Verdict = tuple[bool, str]
"""Whether a probe passes, and the sentence it answers with."""


class Endpoints:
    """The HTTP server in a thread of its own; `port` is the port that is bound (0 asks for any free one)."""

    def __init__(
        self,
        port: int,
        metrics: Callable[[], bytes],
        healthy: Callable[[], Verdict],
        ready: Callable[[], Verdict],
        store: Callable[[], Verdict],
        scaling: Callable[[], str],
    ) -> None:
        told = {"/storez": lambda: _line(store()), "/scalingz": scaling}
        self._server = _server(port, _handler(metrics, {"/healthz": healthy, "/readyz": ready}, told))
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, name="http", daemon=True)

    def start(self) -> None:
        """Begins to answer."""
        self._thread.start()

    def stop(self) -> None:
        """Ends; the port is free afterwards."""
        self._server.shutdown()
        self._server.server_close()


class _Ipv4Server(ThreadingHTTPServer):
    daemon_threads = True


class _DualStackServer(_Ipv4Server):
    address_family = socket.AF_INET6

    def server_bind(self) -> None:
        self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        super().server_bind()


def _server(port: int, handler: type[BaseHTTPRequestHandler]) -> ThreadingHTTPServer:
    try:
        return _DualStackServer(("::", port), handler)
    except OSError as bad:
        if bad.errno not in _WITHOUT_IPV6:
            raise
    return _Ipv4Server(("", port), handler)


def _line(verdict: Verdict) -> str:
    return f"{'ok' if verdict[0] else 'failed'}: {verdict[1]}"


def _handler(
    metrics: Callable[[], bytes], probes: Mapping[str, Callable[[], Verdict]], told: Mapping[str, Callable[[], str]]
) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/metrics":
                self._answer(200, metrics(), "text/plain; version=0.0.4; charset=utf-8")
            elif self.path in told:
                self._answer(200, f"{told[self.path]()}\n".encode(), "text/plain; charset=utf-8")
            elif self.path in probes:
                passed, reason = probes[self.path]()
                self._answer(200 if passed else 503, reason.encode() + b"\n", "text/plain; charset=utf-8")
            else:
                self._answer(404, b"/metrics /healthz /readyz /storez /scalingz\n", "text/plain; charset=utf-8")

        def log_message(self, format: str, *args: object) -> None:
            """Probes every few seconds are not news."""

        def _answer(self, code: int, body: bytes, kind: str) -> None:
            self.send_response(code)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    return Handler
