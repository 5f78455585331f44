"""The API server behind a front of a replica's own: it notes who wrote, and fails in the ways that networks do.

Plain HTTP in front, TLS behind it; the caller's own token is passed on, so rights stay what they are. Writes are noted
when they begin and when they end, by the clock that all fronts of a test share.
"""

import base64
import http.client
import json
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

import yaml

_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length", "host", "accept-encoding"})
_GONE = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "Expired", "code": 410}


class Write(NamedTuple):
    """A write that a replica sent: who, when it began and ended, what, and the answer's code (0 without one)."""

    who: str
    began: float
    ended: float
    verb: str
    path: str
    code: int

    @property
    def of_lease(self) -> bool:
        """Whether it was about the Lease, which every replica may try to write."""
        return "/leases" in self.path


class ApiFront:
    """One replica's way to the API server.

    `away` cuts every connection and answers none; `silent` keeps watches open and lets nothing through; `delay` are
    seconds that every call but a watch takes more; `throttled` so many writes are answered 429; `expired` so many
    watches are answered 410.
    """

    def __init__(self, kubeconfig: Path, who: str) -> None:
        cluster = yaml.safe_load(kubeconfig.read_text())["clusters"][0]["cluster"]
        self.server = urlsplit(cluster["server"])
        authority = base64.b64decode(cluster["certificate-authority-data"]).decode()
        self.context = ssl.create_default_context(cadata=authority)
        self.who, self.writes, self.calls, self.watches = who, list[Write](), 0, 0
        self.delay, self.throttled, self.expired = 0.0, 0, 0
        self.silent = False
        self.passing = threading.Event()
        self.passing.set()
        self._open: set[Any] = set()
        self._lock = threading.Lock()

    @property
    def away(self) -> bool:
        """Whether nothing gets through."""
        return not self.passing.is_set()

    @away.setter
    def away(self, value: bool) -> None:
        if not value:
            self.passing.set()
            return
        self.passing.clear()
        with self._lock:
            cut, self._open = self._open, set()
        for connection in cut:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def note(self, write: Write) -> None:
        """A write has ended."""
        with self._lock:
            self.writes.append(write)

    def called(self, watches: bool) -> None:
        """A call came."""
        with self._lock:
            self.calls += 1
            self.watches += watches

    def takes(self, name: str) -> bool:
        """Counts `throttled` or `expired` down; whether there was one left."""
        with self._lock:
            left = getattr(self, name)
            setattr(self, name, max(0, left - 1))
            return left > 0

    @contextmanager
    def open(self, connection: Any) -> Iterator[None]:
        """A connection that is cut when the API server goes away."""
        with self._lock:
            self._open.add(connection)
        try:
            yield
        finally:
            with self._lock:
                self._open.discard(connection)


@contextmanager
def fronted(kubeconfig: Path, who: str) -> Iterator[tuple[ApiFront, Path]]:
    """A front for one replica, and the kubeconfig that leads to it."""
    front = ApiFront(kubeconfig, who)
    server = _Server(("127.0.0.1", 0), _handler(front))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, name=f"front of {who}")
    thread.start()
    config = yaml.safe_load(kubeconfig.read_text())
    config["clusters"][0]["cluster"] = {"server": f"http://127.0.0.1:{server.server_address[1]}"}
    path = kubeconfig.with_name(f"front-{who}.kubeconfig")
    path.write_text(yaml.safe_dump(config))
    path.chmod(0o600)
    try:
        yield front, path
    finally:
        front.away = True
        server.shutdown()
        server.server_close()
        thread.join(10)
        front.away = False


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A replica that was stopped, or cut off, left its connections."""


def _handler(front: ApiFront) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _pass(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            watches = parse_qs(urlsplit(self.path).query).get("watch", [""])[0].lower() in ("true", "1")
            front.called(watches)
            with front.open(self.connection):
                if front.away:
                    self.close_connection = True
                    return
                with suppress(OSError, http.client.HTTPException):
                    if watches:
                        self._stream()
                        return
                    self._answer(body)
                    return
                self.close_connection = True

        def _answer(self, body: bytes) -> None:
            began, code = time.monotonic(), 0
            time.sleep(front.delay)
            try:
                if self.command != "GET" and front.takes("throttled"):
                    code = 429
                    self._send(code, b'{"kind":"Status","message":"too many"}', {"Retry-After": "1"})
                    return
                answer = self._forward(body)
                content, code = answer.read(), answer.status
                kept = {name: value for name, value in answer.getheaders() if name.lower() not in _HOP}
                self._send(code, content, kept)
            finally:
                if self.command != "GET":
                    front.note(Write(front.who, began, time.monotonic(), self.command, self.path, code))

        def _stream(self) -> None:
            self.close_connection = True
            if front.takes("expired"):
                self._send(200, json.dumps({"type": "ERROR", "object": _GONE}).encode() + b"\n", {})
                return
            answer = self._forward(b"")
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.getheader("Content-Type") or "application/json")
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            while piece := answer.read1(65_536):
                if not front.silent:
                    self._chunk(piece)
                if front.away:
                    return
            while front.silent and not front.away:
                time.sleep(0.05)
            self._chunk(b"")

        def _chunk(self, piece: bytes) -> None:
            self.wfile.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
            self.wfile.flush()

        def _forward(self, body: bytes) -> http.client.HTTPResponse:
            assert front.server.hostname is not None
            there = http.client.HTTPSConnection(front.server.hostname, front.server.port, context=front.context)
            headers = {name: value for name, value in self.headers.items() if name.lower() not in _HOP}
            there.request(self.command, self.path, body or None, headers)
            return there.getresponse()

        def _send(self, code: int, content: bytes, headers: dict[str, str]) -> None:
            self.send_response(code)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _pass  # noqa: N815 - names that http.server asks for

        def log_message(self, format: str, *args: object) -> None:
            """Nobody reads it."""

    return Handler


def turns(writes: list[Write]) -> list[str]:
    """Whose turn it was to write, in order, each turn once. Two that write at the same time have many turns."""
    names = [write.who for write in sorted(writes, key=lambda write: write.began) if not write.of_lease]
    return [name for number, name in enumerate(names) if number == 0 or name != names[number - 1]]


def overlaps(writes: list[Write]) -> list[tuple[Write, Write]]:
    """Pairs of writes of two replicas that were under way at the same time, the Lease's left out."""
    known = sorted((write for write in writes if not write.of_lease), key=lambda write: write.began)
    return [
        (one, other)
        for number, one in enumerate(known)
        for other in known[number + 1 :]
        if other.began < one.ended and other.who != one.who
    ]
