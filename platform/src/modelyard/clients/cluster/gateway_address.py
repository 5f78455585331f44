"""Where people reach the gateway, found from whatever the cluster tells, so that no setting is needed.

| asked, the first that answers wins | when |
|---|---|
| the caller's own settings | `gateway.publicUrl` or `gateway.url` is set; nothing else is asked then |
| the gateway's Service by its name | this process runs in the cluster |
| `gateway.publicUrl` of the operator's ConfigMap | the caller may read it |
| load balancer, node port and address of the gateway's Service | the caller may list Services |
| addresses of the Gateway's status | the caller may read the Gateway |
| a port forwarded to a ready Envoy pod through the API server | the caller may use `pods/portforward` |

The domain of published Models comes from the operator's ConfigMap too, unless the caller has set one.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple, Protocol

import yaml
from kubernetes.client import Configuration

from modelyard.clients.metrics.envoy_pods import owner_selector
from modelyard.core.snapshot import Ref
from modelyard.errors import OutsideError, Unreachable
from modelyard.settings import GatewaySettings, Settings

from .port_forward import PortForward, Stream, pod_stream

OPERATOR = "modelyard-operator"
_HTTP = 80
_INSIDE = "KUBERNETES_SERVICE_HOST"


class GatewayAddress(NamedTuple):
    """The gateway's `url` as this process reaches it, the `domain` Models are published below, and who told."""

    url: str
    domain: str
    origin: str


class GatewayObjects(Protocol):
    """What is needed of `Cluster`."""

    configuration: Configuration

    def get(self, ref: Ref) -> dict[str, Any] | None:
        """The object, or None. Raises OutsideError."""
        ...

    def items(self, kind: str, namespace: str = "", selector: str = "") -> list[dict[str, Any]]:
        """All objects of a kind. Raises OutsideError."""
        ...


def own_address(gateway: GatewaySettings) -> GatewayAddress | None:
    """The address the caller's settings or the place of this process name; None when the cluster is to be asked."""
    if gateway.public_url:
        return GatewayAddress(gateway.public_url, gateway.domain, "gateway.publicUrl")
    if "url" in gateway.model_fields_set or _INSIDE in os.environ:
        return GatewayAddress(gateway.url, gateway.domain, "gateway.url")
    return None


@contextmanager
def reached(
    settings: Settings,
    connected: Callable[[], GatewayObjects],
    silence: Callable[[str], str],
    stream: Callable[[Configuration, Ref, int], Stream] = pod_stream,
) -> Iterator[GatewayAddress]:
    """The first address of the table that answers, for as long as the context lasts.

    `connected` gives the cluster and is only called when it is to be asked; `silence` says why nothing answers at
    a URL, empty when something does. Raises Unreachable, with everything that was tried, when nothing answers.
    """
    own = own_address(settings.gateway)
    if own is not None:
        yield own
        return
    search = _Search(settings, connected())
    domain = search.domain()
    for url, origin in search.urls():
        why = silence(url)
        if not why:
            yield GatewayAddress(url, domain, origin)
            return
        search.tried.append(f"{url} ({origin}): {why}")
    forward = search.forwarded(stream)
    if forward is None:
        raise Unreachable(
            f"no address of Gateway {search.name} answers from this machine: {'; '.join(search.tried)}; set "
            "gateway.publicUrl (MODELYARD_GATEWAY_PUBLIC_URL) to where you reach it."
        )
    with forward:
        yield GatewayAddress(forward.url, domain, "a port forwarded through the API server")


class _Search:
    """The questions to one cluster; what cannot be read is noted in `tried`."""

    def __init__(self, settings: Settings, cluster: GatewayObjects) -> None:
        self.tried: list[str] = []
        self._cluster, self._own = cluster, settings.gateway
        self._told = self._operators(settings.operator.namespace)
        place = {field: self._told.get(field) or getattr(self._own, field) for field in ("name", "namespace")}
        self._gateway = self._own.model_copy(update=place)
        self.name = f"{place['namespace']}/{place['name']}"

    def domain(self) -> str:
        return (
            self._own.domain if "domain" in self._own.model_fields_set else self._told.get("domain", self._own.domain)
        )

    def urls(self) -> Iterator[tuple[str, str]]:
        if self._told.get("publicUrl"):
            yield self._told["publicUrl"], "gateway.publicUrl of the platform"
        gateway = self._read(lambda: self._cluster.get(Ref("Gateway", self._gateway.namespace, self._gateway.name)))
        addresses = [row["value"] for row in (gateway or {}).get("status", {}).get("addresses", ())]
        for service in self._services():
            yield from _service_urls(service, addresses)
        for address in addresses:
            yield _url(address, _HTTP), "the Gateway's status"

    def forwarded(self, stream: Callable[[Configuration, Ref, int], Stream]) -> PortForward | None:
        ports = [port["targetPort"] for service in self._services() for port in _http_ports(service)]
        pods = self._read(lambda: self._cluster.items("Pod", selector=owner_selector(self._gateway))) or []
        for pod in pods:
            conditions = pod.get("status", {}).get("conditions", ())
            ready = any(row["type"] == "Ready" and row["status"] == "True" for row in conditions)
            if not ready or not ports or not isinstance(ports[0], int):
                continue
            at = Ref("Pod", pod["metadata"]["namespace"], pod["metadata"]["name"])
            forward = self._read(lambda at=at: PortForward(stream(self._cluster.configuration, at, ports[0])))
            if forward is not None:
                return forward
        if not pods:
            self.tried.append("no pod of the gateway to forward a port to")
        return None

    def _operators(self, namespace: str) -> Mapping[str, str]:
        """`config.gateway` of the operator's ConfigMap; nothing where there is none that can be read."""
        found = self._read(lambda: self._cluster.get(Ref("ConfigMap", namespace, OPERATOR)))
        written = yaml.safe_load((found or {}).get("data", {}).get("config.yaml", "")) or {}
        return written.get("gateway") or {}

    def _services(self) -> list[dict[str, Any]]:
        return self._read(lambda: self._cluster.items("Service", selector=owner_selector(self._gateway))) or []

    def _read(self, question: Callable[[], Any]) -> Any:
        try:
            return question()
        except OutsideError as bad:
            sentence = str(bad).rstrip(".")
            if sentence not in self.tried:
                self.tried.append(sentence)
            return None


def _http_ports(service: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [port for port in service["spec"].get("ports", ()) if port["port"] == _HTTP]


def _service_urls(service: Mapping[str, Any], nodes: list[str]) -> Iterator[tuple[str, str]]:
    """Load balancers, then the node port; Envoy Gateway lists the nodes' addresses in the Gateway's status."""
    ports = _http_ports(service)
    for row in service.get("status", {}).get("loadBalancer", {}).get("ingress") or ():
        yield _url(row.get("ip") or row["hostname"], _HTTP), "the gateway's load balancer"
    for port in ports:
        if port.get("nodePort"):
            for node in nodes:
                yield _url(node, port["nodePort"]), "the gateway's node port"


def _url(host: str, port: int) -> str:
    written = f"[{host}]" if ":" in host else host
    return f"http://{written}" if port == _HTTP else f"http://{written}:{port}"
