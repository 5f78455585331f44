"""One address for HTTP/1.1 and gRPC, as a gateway has: a connection goes where its first bytes say."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Thread
from urllib.parse import urlsplit

_HTTP2 = b"PRI"
"""How a client begins HTTP/2 in the clear; no HTTP/1.1 method is called so."""


@contextmanager
def in_front(http: str, grpc: str) -> Iterator[str]:
    """The URL of one port that forwards to the servers at two URLs, until the end of the block."""
    listener = socket.create_server(("127.0.0.1", 0))
    thread = Thread(target=_accept, args=(listener, _address(http), _address(grpc)), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


def _address(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    assert parts.hostname is not None
    assert parts.port is not None
    return parts.hostname, parts.port


def _accept(listener: socket.socket, http: tuple[str, int], grpc: tuple[str, int]) -> None:
    with suppress(OSError):
        while True:
            client, _ = listener.accept()
            Thread(target=_serve, args=(client, http, grpc), daemon=True).start()


def _serve(client: socket.socket, http: tuple[str, int], grpc: tuple[str, int]) -> None:
    with suppress(OSError):
        first = client.recv(len(_HTTP2), socket.MSG_PEEK)
        copied(client, grpc if first.startswith(_HTTP2) else http)


def copied(client: socket.socket, to: tuple[str, int]) -> None:
    """Hands on what a connection sends to the server at `to`, and back what that answers, until either ends."""
    with suppress(OSError), client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with socket.create_connection(to) as server:
            server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            back = Thread(target=_copy, args=(server, client), daemon=True)
            back.start()
            _copy(client, server)
            back.join()


def _copy(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while piece := source.recv(65_536):
            target.sendall(piece)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)
