"""The endpoints answer on every address a pod may have, in clusters of IPv4, of IPv6, and of both."""

import errno
import socket
from collections.abc import Iterator

import httpx
import pytest

from modelyard.operator.http_endpoints import Endpoints


@pytest.fixture
def endpoints() -> Iterator[Endpoints]:
    served = Endpoints(
        0,
        lambda: b"modelyard_leader 1.0\n",
        lambda: (True, "ok"),
        lambda: (False, "no cache yet"),
        lambda: (False, "no keys"),
        lambda: "NoAutoscaler: there is none.",
    )
    served.start()
    yield served
    served.stop()


def answer(host: str, endpoints: Endpoints, path: str = "/healthz") -> tuple[int, str]:
    answered = httpx.get(f"http://{host}:{endpoints.port}{path}", timeout=10, trust_env=False)
    return answered.status_code, answered.text.strip()


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]"])
def test_a_probe_is_answered_at_addresses_of_both_families(endpoints: Endpoints, host: str) -> None:
    assert answer(host, endpoints) == (200, "ok")
    assert answer(host, endpoints, "/readyz") == (503, "no cache yet")
    assert answer(host, endpoints, "/storez") == (200, "failed: no keys")
    assert answer(host, endpoints, "/scalingz") == (200, "NoAutoscaler: there is none.")
    assert answer(host, endpoints, "/metrics") == (200, "modelyard_leader 1.0")
    assert answer(host, endpoints, "/else")[0] == 404


@pytest.mark.parametrize("number", [errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL])
def test_a_kernel_without_ipv6_is_served_by_ipv4(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    bind = socket.socket.bind

    def without_ipv6(sock: socket.socket, address: tuple[str, int]) -> None:
        if sock.family is socket.AF_INET6:
            raise OSError(number, "no IPv6 here")
        bind(sock, address)

    monkeypatch.setattr(socket.socket, "bind", without_ipv6)
    served = Endpoints(0, lambda: b"", lambda: (True, "ok"), lambda: (True, "ok"), lambda: (True, "it answers"), str)
    served.start()

    assert answer("127.0.0.1", served) == (200, "ok")
    assert answer("127.0.0.1", served, "/storez") == (200, "ok: it answers")
    served.stop()


def test_a_port_in_use_is_an_error_and_no_reason_to_do_without_ipv6(endpoints: Endpoints) -> None:
    with pytest.raises(OSError, match="in use"):
        Endpoints(
            endpoints.port, lambda: b"", lambda: (True, "ok"), lambda: (True, "ok"), lambda: (True, "it answers"), str
        )
