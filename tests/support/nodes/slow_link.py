"""A link to a server that lets so many bytes a second through, as one to a store in another place does."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

_CHUNK = 64 * 1024


class SlowLink:
    """Passes connections on to a server; what comes back shares `rate` bytes a second, 0 for as many as there are."""

    def __init__(self, endpoint: str, rate: float) -> None:
        found = urlsplit(endpoint)
        self._server, self._rate = (found.hostname or "", found.port or 80), rate
        self._lock, self._free_at = threading.Lock(), 0.0
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.endpoint = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Takes no more connections."""
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                server = socket.create_connection(self._server)
                for source, target, slow in ((client, server, False), (server, client, True)):
                    threading.Thread(target=self._copy, args=(source, target, slow), daemon=True).start()

    def _copy(self, source: socket.socket, target: socket.socket, slow: bool) -> None:
        with suppress(OSError):
            while chunk := source.recv(_CHUNK):
                if slow and self._rate:
                    self._wait(len(chunk))
                target.sendall(chunk)
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _wait(self, count: int) -> None:
        """Until the link has had time for so many bytes, after all that were before them."""
        with self._lock:
            begins = max(time.monotonic(), self._free_at)
            ends = self._free_at = begins + count / self._rate
        time.sleep(max(0.0, ends - time.monotonic()))


@contextmanager
def slow_link(endpoint: str, rate: float) -> Iterator[SlowLink]:
    """A link to a server, closed afterwards."""
    link = SlowLink(endpoint, rate)
    try:
        yield link
    finally:
        link.close()
