"""The Envoy pods of the Gateway, as a watch of the API server knows them; what it said is good for some seconds.

Every running pod is asked for its counters, because one that is leaving still answers requests. Only of a pod that
is ready and stays is an answer expected: one that starts has no counters yet, one that leaves may be gone already.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from modelyard.clients.cluster.pod_watch import takes_requests
from modelyard.errors import OutsideError
from modelyard.settings import GatewaySettings

_FRESH_SECONDS = 5.0
_LABEL = "gateway.envoyproxy.io/owning-gateway"


class Listing(Protocol):
    """Pods by label: `clients.cluster.pod_watch`, which asks nobody for it."""

    def items(self, kind: str, namespace: str = "", selector: str = "") -> Sequence[Mapping[str, Any]]:
        """All objects of a kind. Raises OutsideError when the API server does not answer."""
        ...


@dataclass(frozen=True)
class Pod:
    """A running Envoy pod; `expected` says whether it must answer."""

    uid: str
    name: str
    address: str
    expected: bool


class EnvoyPods:
    """The pods of one Gateway; `clock` gives seconds that never run backwards."""

    def __init__(self, cluster: Listing, gateway: GatewaySettings, clock: Callable[[], float] = time.monotonic) -> None:
        self._cluster, self._clock = cluster, clock
        self.gateway = f"{gateway.namespace}/{gateway.name}"
        self.selector = owner_selector(gateway)
        self._known: tuple[Pod, ...] = ()
        self._due = float("-inf")
        self._complaint = ""

    def listed(self) -> tuple[Pod, ...]:
        """The pods of the latest listing, of a new one when that is _FRESH_SECONDS old. Never raises."""
        return self._known if self._clock() < self._due else self.listed_anew()

    def listed_anew(self) -> tuple[Pod, ...]:
        """The pods of a new listing; the old one's when the API server does not answer. Never raises."""
        try:
            pods = self._cluster.items("Pod", selector=self.selector)
            self._known, self._complaint = _running(pods), ""
        except OutsideError as bad:
            self._complaint = f"the pods of Gateway {self.gateway} cannot be listed: {bad}"
        self._due = self._clock() + _FRESH_SECONDS
        return self._known

    @property
    def absence(self) -> str:
        """Why no pod is known, as a sentence."""
        if self._complaint:
            return self._complaint
        return (
            f"Gateway {self.gateway} has no running Envoy pod; see what "
            f"`kubectl get pods -A -l {self.selector}` and the Gateway's status say."
        )


def owner_selector(gateway: GatewaySettings) -> str:
    """The label selector of what Envoy Gateway makes for a Gateway: its pods, its Deployment, its Service."""
    return f"{_LABEL}-name={gateway.name},{_LABEL}-namespace={gateway.namespace}"


def _running(pods: Sequence[Mapping[str, Any]]) -> tuple[Pod, ...]:
    return tuple(
        Pod(pod["metadata"]["uid"], pod["metadata"]["name"], status["podIP"], takes_requests(pod))
        for pod, status in ((pod, pod.get("status", {})) for pod in pods)
        if status.get("podIP") and status.get("phase") == "Running"
    )
