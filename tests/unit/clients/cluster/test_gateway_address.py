"""The gateway is found from what the cluster tells, and what was tried is said when it is not."""

import socket
from collections.abc import Callable
from typing import Any

import pytest
import yaml
from kubernetes.client import Configuration

from modelyard.clients.cluster.gateway_address import GatewayAddress, reached
from modelyard.core.snapshot import Ref
from modelyard.errors import Refused, Unreachable
from modelyard.settings import GatewaySettings, Settings

GATEWAY = Ref("Gateway", "modelyard-system", "modelyard")
CONFIG = Ref("ConfigMap", "modelyard-system", "modelyard-operator")
ENVOY = {
    "metadata": {"namespace": "envoy-gateway-system", "name": "envoy-1"},
    "status": {"conditions": [{"type": "Ready", "status": "True"}]},
}


class Told:
    """What one cluster tells whom it lets; kinds in `kept` are refused."""

    configuration = Configuration()

    def __init__(self, objects: dict[Ref, Any], lists: dict[str, list[Any]], kept: tuple[str, ...] = ()) -> None:
        self.objects, self.lists, self.kept = objects, lists, kept

    def get(self, ref: Ref) -> dict[str, Any] | None:
        self._may(ref.kind)
        return self.objects.get(ref)

    def items(self, kind: str, namespace: str = "", selector: str = "") -> list[dict[str, Any]]:
        self._may(kind)
        assert selector.startswith("gateway.envoyproxy.io/owning-gateway-name=modelyard,")
        return self.lists.get(kind, [])

    def _may(self, kind: str) -> None:
        if kind in self.kept:
            raise Refused(f"{kind} is forbidden.")


@pytest.fixture(autouse=True)
def anywhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)


def config(**gateway: str) -> dict[Ref, Any]:
    return {CONFIG: {"data": {"config.yaml": yaml.safe_dump({"gateway": gateway})}}}


def gateway(*addresses: str) -> dict[Ref, Any]:
    return {GATEWAY: {"status": {"addresses": [{"value": address} for address in addresses]}}}


def service(node_port: int = 0, *ingress: dict[str, str]) -> dict[str, list[Any]]:
    port = {"port": 80, "targetPort": 10080, **({"nodePort": node_port} if node_port else {})}
    return {"Service": [{"spec": {"ports": [port]}, "status": {"loadBalancer": {"ingress": list(ingress)}}}]}


def found(told: Told, *answering: str, stream: Callable[..., Any] = NotImplemented) -> GatewayAddress:
    def silence(url: str) -> str:
        return "" if url in answering else "refused"

    with reached(Settings.read(), lambda: told, silence, stream) as address:
        return address


CASES = {
    "the platform's public address": (
        config(publicUrl="http://models.example", domain="m.example"), {}, "http://models.example", "m.example",
    ),
    "a load balancer's address": ({}, service(0, {"ip": "10.0.0.9"}), "http://10.0.0.9", "models.local"),
    "a load balancer's name": ({}, service(0, {"hostname": "lb.example"}), "http://lb.example", "models.local"),
    "a node port": (gateway("10.0.0.2"), service(30080), "http://10.0.0.2:30080", "models.local"),
    "a node port of an IPv6 node": (gateway("fd00::2"), service(30080), "http://[fd00::2]:30080", "models.local"),
    "the Gateway's address": (gateway("10.0.0.5"), {}, "http://10.0.0.5", "models.local"),
}  # fmt: skip


@pytest.mark.parametrize(("objects", "lists", "url", "domain"), CASES.values(), ids=CASES)
def test_the_address_is_found(objects: Any, lists: Any, url: str, domain: str) -> None:
    address = found(Told(objects, lists), url)

    assert (address.url, address.domain) == (url, domain)


def test_what_does_not_answer_is_passed_over() -> None:
    told = Told({**config(publicUrl="http://old.example"), **gateway("10.0.0.2", "10.0.0.3")}, service(30080))

    assert found(told, "http://10.0.0.3:30080").url == "http://10.0.0.3:30080"


def test_what_may_not_be_read_is_no_obstacle() -> None:
    told = Told(gateway("10.0.0.5"), {}, kept=("ConfigMap", "Service"))

    assert found(told, "http://10.0.0.5").url == "http://10.0.0.5"


def test_without_an_address_a_port_is_forwarded() -> None:
    ends: list[Any] = []
    asked: list[Any] = []

    def stream(configuration: Configuration, pod: Ref, port: int) -> Callable[[], Any]:
        asked.append((pod, port))
        ends.extend(socket.socketpair())
        return lambda: ends[0]

    starting = {"metadata": {"namespace": "x", "name": "envoy-0"}, "status": {}}
    address = found(Told({}, {**service(), "Pod": [starting, ENVOY]}), stream=stream)
    ends[1].close()

    assert asked == [(Ref("Pod", "envoy-gateway-system", "envoy-1"), 10080)]
    assert address.url.startswith("http://127.0.0.1:")
    assert "forwarded" in address.origin


def test_when_nothing_helps_everything_that_was_tried_is_said() -> None:
    def stream(*_: Any) -> Callable[[], Any]:
        def refused() -> Any:
            raise Refused("the API server forwards no port.")

        return refused

    with pytest.raises(Unreachable) as bad:
        found(Told(gateway("10.0.0.2"), {**service(30080), "Pod": [ENVOY]}, kept=("ConfigMap",)), stream=stream)

    for part in ("ConfigMap is forbidden;", "http://10.0.0.2:30080 (the gateway's node port): refused;",
                 "the API server forwards no port;", "set gateway.publicUrl"):  # fmt: skip
        assert part in str(bad.value)
    with pytest.raises(Unreachable, match="no pod of the gateway"):
        found(Told({}, {}))


@pytest.mark.parametrize(
    ("variable", "value", "url"),
    [
        ("MODELYARD_GATEWAY_PUBLIC_URL", "http://mine", "http://mine"),
        ("MODELYARD_GATEWAY_URL", "http://inner", "http://inner"),
        ("KUBERNETES_SERVICE_HOST", "10.96.0.1", GatewaySettings().url),
    ],
)
def test_where_the_caller_says_it_no_cluster_is_asked(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, url: str
) -> None:
    monkeypatch.setenv(variable, value)

    with reached(Settings.read(), lambda: pytest.fail("asked"), lambda _: "refused") as address:
        assert address.url == url


def test_the_callers_own_domain_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODELYARD_GATEWAY_DOMAIN", "mine.example")

    assert found(Told(config(publicUrl="http://a", domain="theirs"), {}), "http://a").domain == "mine.example"
