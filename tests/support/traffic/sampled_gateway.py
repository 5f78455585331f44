"""A gateway of two pods and the sampler that reads it, with time that passes when it is told to."""

from modelyard.clients.metrics.envoy import EnvoyCounters
from modelyard.clients.metrics.envoy_pods import EnvoyPods
from modelyard.core.snapshot import Ref
from modelyard.operator.cache.objects import Key, ObjectCache
from modelyard.operator.metrics.controller import ControllerMetrics
from modelyard.operator.traffic.sampler import Sampler
from modelyard.settings import GatewaySettings
from tests.support.servers.envoys import Envoys

DIGITS, FACES = Key("demo", "digits"), Key("demo", "faces")
NOON = 1_800_000_000


class SampledGateway:
    """Two Envoy pods, a Model whose rollout is under way, and a sampler that was told of the first second."""

    def __init__(self, limit: float) -> None:
        self.second = NOON
        self.envoys = Envoys()
        self.pod, self.other = self.envoys.add(), self.envoys.add()
        self.cache = ObjectCache()
        self.version = 0
        self.put(DIGITS, "Advancing")
        self.metrics = ControllerMetrics(self.cache, lambda: 0, lambda: True)
        self.woken: list[Key] = []
        pods = EnvoyPods(self.envoys, GatewaySettings(), lambda: self.second)
        self.counters = EnvoyCounters(pods, self.envoys.port, limit)
        self.leading = True
        self.sampler = Sampler(self.counters, self.cache, self.woken.append, self.metrics, leading=lambda: self.leading)
        self.sampler.tick(self.second)

    def put(self, key: Key, phase: str = "", serving: str = "", first: bool = False) -> None:
        self.version += 1
        status: dict[str, object] = {"rollout": {"phase": phase}} if phase else {}
        if phase and not first:
            status["rollout"] = {"phase": phase, "stable": f"{key.name}-1"}
        if serving:
            status["conditions"] = [{"type": "Serving", "reason": serving}]
        meta = {"namespace": key.namespace, "name": key.name, "uid": key.name, "resourceVersion": str(self.version)}
        self.cache.put({"kind": "Model", "metadata": meta, "status": status})

    def delete(self, key: Key) -> None:
        thing = self.cache.model(key)
        assert thing is not None
        self.version += 1
        self.cache.remove(Ref("Model", *key), thing["metadata"]["uid"], self.version)

    def pass_by(self, seconds: int = 1) -> None:
        for _ in range(seconds):
            self.second += 1
            self.sampler.tick(self.second)

    def cuts(self, key: Key = DIGITS) -> list[tuple[int, int, int]]:
        """Slices as (end after noon, seconds, requests in slot a)."""
        return [(one.end - NOON, one.seconds, one.of("a").requests) for one in self.sampler.of(key).windows]

    @property
    def trouble(self) -> str:
        return self.sampler.of(DIGITS).failure
