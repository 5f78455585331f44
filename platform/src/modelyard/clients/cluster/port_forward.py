"""A port of this machine that leads to a port of a pod by way of the API server, as `kubectl port-forward` does.

Whoever may use `pods/portforward` reaches a pod so without any route to the cluster's own networks. Every connection
to the local port gets a stream of its own.
"""

import socket
import socketserver
from collections.abc import Callable
from contextlib import suppress
from threading import Thread
from typing import Any

from kubernetes.client import ApiException, Configuration
from kubernetes.stream.ws_client import portforward_call

from modelyard.core.kinds import BY_NAME
from modelyard.core.snapshot import Ref
from modelyard.errors import Refused

from .api_server import path_of

_CHUNK = 65536

Stream = Callable[[], Any]
"""Opens one connection to the pod: a socket, or what behaves like one."""


def pod_stream(configuration: Configuration, pod: Ref, port: int) -> Stream:
    """Opens streams to `port` of `pod`; a call raises Refused when the API server does not let the caller."""

    def opened() -> Any:
        url = configuration.host + path_of(BY_NAME[pod.kind], pod.namespace, pod.name, "portforward")
        headers = {auth["key"]: auth["value"] for auth in configuration.auth_settings().values() if auth["value"]}
        query = [("ports", str(port))]
        try:
            return portforward_call(configuration, "GET", url, query_params=query, headers=headers).socket(port)
        except ApiException as bad:
            why = str(bad.reason).partition(" -+-+- ")[0].splitlines()[0]
            raise Refused(f"the API server forwards no port of pod {pod.namespace}/{pod.name}: {why}.") from bad

    return opened


class PortForward:
    """Listens at a free port of 127.0.0.1 until it is closed; a context manager."""

    def __init__(self, stream: Stream) -> None:
        """Raises what `stream` raises when the pod cannot be reached at all."""
        stream().close()

        class Forwarding(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                _join(self.request, stream())

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Forwarding, bind_and_activate=True)
        self._server.daemon_threads = True
        Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> "PortForward":
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def _join(near: socket.socket, far: Any) -> None:
    """Carries bytes both ways until one side ends."""
    back = Thread(target=_carry, args=(far, near), daemon=True)
    back.start()
    _carry(near, far)
    back.join()


def _carry(source: Any, target: Any) -> None:
    with suppress(OSError):
        while data := source.recv(_CHUNK):
            target.sendall(data)
    for end in (source, target):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
