"""What Modelyard promises about traffic, checked after every single write and every step of the gateway.

Once a first revision served:
* the main rule gives traffic only to revisions that have answered;
* a revision that served is taken from its share to 0 only by way of 1 : 1,000,000, which the gateway has
  carried for the settling time;
* a revision gets its first traffic beside another only by way of 1 : 1,000,000 as well;
* a revision is deleted only when no route names its Service, and when it had no traffic for the draining time.
Always: at most two revisions, each in a slot of its own that never moves, and no write to a live
InferenceService that nobody else edited.

Revisions whose Service somebody deleted, and routes somebody deleted, are excused for the time after it.
"""

from collections.abc import Mapping
from typing import Any

from modelyard.api.rollout_status import Phase
from modelyard.api.status import ModelStatus, Stage
from modelyard.core.names import predictor
from modelyard.core.snapshot import Ref
from modelyard.settings import Settings

ROUNDING = 0.001
"""Status times have milliseconds."""
NEVER = float("-inf")


def shares(spec: Mapping[str, Any]) -> dict[str, int]:
    """Raw weight of every Service in the main rule."""
    weights: dict[str, int] = {}
    for backend in spec["rules"][0]["backendRefs"]:
        weights[backend["name"]] = weights.get(backend["name"], 0) + backend["weight"]
    return weights


class Promises:
    """Watches one Model; raises AssertionError at the first broken promise."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.proven: set[str] = set()
        self.served: set[str] = set()
        self.excused: set[str] = set()
        self.edited: set[Ref] = set()
        self._slots: dict[str, str] = {}
        self._heavy: dict[str, float] = {}
        self._any: dict[str, float] = {}

    def status(self, status: ModelStatus) -> None:
        """A status was written."""
        now = {revision.name: revision.slot for revision in status.revisions}
        assert len(now) == len(status.revisions) <= 2
        assert len(set(now.values())) == len(now), f"two revisions share a slot: {now}"
        for name, slot in now.items():
            assert self._slots.get(name, slot) == slot, f"{name} moved to slot {slot}"
        self._slots = now
        serving = [revision.name for revision in status.revisions if revision.stage is Stage.SERVING]
        if status.rollout is not None and status.rollout.phase is Phase.REPLACING:
            self.served = set()
        assert sum(revision.weight for revision in status.revisions) == (100 if serving else 0)
        assert not set(serving) - self.proven, f"{serving} serves without an answer"
        self.served.update(predictor(name) for name in serving)

    def written(self, child: Mapping[str, Any], live: Mapping[str, Any] | None) -> None:
        """An object is about to be applied over what is live."""
        ref = Ref(child["kind"], child["metadata"]["namespace"], child["metadata"]["name"])
        if ref.kind == "InferenceService" and live is not None:
            assert ref in self.edited, f"live {ref.name} is written, which restarts its pods"
            self.edited.discard(ref)
        if ref.kind in ("HTTPRoute", "GRPCRoute"):
            self._proven_only(shares(child["spec"]))
            if live is not None:
                self._step_by_step(shares(live["spec"]), shares(child["spec"]))

    def carried(self, before: Mapping[Ref, Any], after: Mapping[Ref, Any], now: float) -> None:
        """The gateway took up routes, or time passed with the ones it has."""
        for ref, spec in after.items():
            self._proven_only(shares(spec))
            if ref in before:
                self._step_by_step(shares(before[ref]), shares(spec))
                self._settled(shares(before[ref]), shares(spec), now)
        for spec in [*before.values(), *after.values()]:
            for service, weight in shares(spec).items():
                if weight > 0:
                    self._any[service] = now
                if weight > 1:
                    self._heavy[service] = now

    def deleted(self, ref: Ref, routes: Mapping[Ref, Any], now: float) -> None:
        """Modelyard deletes an object; `routes` are the specs live and carried."""
        if ref.kind != "InferenceService":
            return
        service = predictor(ref.name)
        naming = [route for route, spec in routes.items() if service in str(spec)]
        assert not naming, f"{ref.name} is deleted while {naming} name it"
        if service in self.served - self.excused:
            idle = now - self._any.get(service, NEVER)
            assert idle >= self.settings.serving.drain_seconds - ROUNDING, f"{ref.name} had {idle} s to drain"

    def _proven_only(self, weights: Mapping[str, int]) -> None:
        if self.served:
            proven = {predictor(name) for name in self.proven}
            unproven = {name for name, weight in weights.items() if weight > 0} - proven
            assert not unproven, f"{unproven} get traffic without having answered"

    def _step_by_step(self, before: Mapping[str, int], after: Mapping[str, int]) -> None:
        for service in self.served - self.excused:
            if before.get(service, 0) > 1:
                assert after.get(service, 0) > 0, f"{service} fell from {before[service]} to 0 at once"
        held = any(weight > 1 for service, weight in before.items() if service in self.served - self.excused)
        for service in set(after) - self.excused:
            if held and before.get(service, 0) == 0:
                assert after[service] <= 1, f"{service} rose from 0 to {after[service]} at once"

    def _settled(self, before: Mapping[str, int], after: Mapping[str, int], now: float) -> None:
        for service in self.served - self.excused:
            if before.get(service, 0) == 1 and after.get(service, 0) == 0:
                rested = now - self._heavy.get(service, NEVER)
                assert rested >= self.settings.serving.settle_seconds - ROUNDING, f"{service} rested {rested} s at 1"
