"""Users and a clock for rollouts on a bench: nobody waits, time passes when the operator has nothing to do before it.

The shares are read from the HTTPRoute as it stands on the API server; the counts go to the observer's port, as
the sampler's do.
"""

from collections.abc import Callable
from typing import Any

from modelyard.core.snapshot import Ref
from modelyard.core.traffic import Traffic
from modelyard.operator.cache.objects import Key
from tests.support.operator.bench import Bench
from tests.support.operator.crashing_operator import Crash, Hands
from tests.support.worlds.users import Users

_LOOKS = 600


class Walk:
    """One Model's users, and an operator that is stopped after every `writes` writes and started anew."""

    def __init__(self, bench: Bench, name: str, rate: float, writes: float = float("inf")) -> None:
        self.bench, self.name, self._writes = bench, name, writes
        self.now = 1_800_000_000.0
        self.users = Users(bench.settings.gateway)
        self.users.rate = rate
        self.stops = self.looks = 0
        self.answering = True
        self.shares: list[int] = []
        self._hands = self._anew()

    def until(self, reached: Callable[[], Any], happen: Callable[[], object] = lambda: None) -> None:
        """Lives until `reached` and nothing is left to do; `happen` is called after every pass."""
        for _ in range(_LOOKS):
            try:
                self._hands.answering = self.answering
                result = self._hands.look(self.name)
            except Crash:
                self.stops += 1
                self.restart()
                self._note()
                continue
            self.looks += 1
            self.bench.players.step()
            self._note()
            happen()
            if result.word == "settled" and reached():
                return
            self._pass(result.again or 0.0)
        raise AssertionError(f"never calm: {self.bench.status(self.name)}")

    def restart(self) -> None:
        """The operator starts anew and remembers nothing."""
        self.users.forgotten()
        self._hands = self._anew()

    def share(self, version: str) -> int:
        """A version's share of the traffic in percent, as the route says."""
        weights = {self._versions().get(ref["name"], ""): ref["weight"] for ref in self._backends()}
        return round(100 * weights.get(version, 0) / (sum(weights.values()) or 1))

    def _anew(self) -> Hands:
        return Hands(self.bench, self._writes, self._traffic, lambda: self.now)

    def _traffic(self, _: Key) -> Traffic:
        return self.users.seen()

    def _pass(self, seconds: float) -> None:
        """The time until the next pass, with what users ask meanwhile."""
        route = self.bench.get("HTTPRoute", self.name)
        ref = Ref("HTTPRoute", self.bench.namespace, self.name)
        carried = {ref: route["spec"]} if route is not None else {}
        self.users.ask(carried, self._versions(), self.now, self.now + seconds)
        self.now += seconds

    def _note(self) -> None:
        weight = self.share("2")
        if [weight] != self.shares[-1:]:
            self.shares.append(weight)

    def _backends(self) -> list[dict[str, Any]]:
        route = self.bench.get("HTTPRoute", self.name)
        return route["spec"]["rules"][0]["backendRefs"] if route is not None else []

    def _versions(self) -> dict[str, str]:
        revisions = self.bench.status(self.name).get("revisions", [])
        return {f"{revision['name']}-predictor": revision["version"] for revision in revisions}
