"""Users of a Model and the gateway's counters of what they got: as many requests as the weights say, evenly.

`bad` and `slow` are shares of a version's answers; what is left over from one second goes into the next, so the
counts are exact in the long run and the same every time.
"""

from collections import defaultdict
from collections.abc import Mapping
from math import floor
from typing import Any

from modelyard.core.snapshot import Ref
from modelyard.core.traffic import MIRROR, Counts, Traffic, TrafficWindow
from modelyard.settings import GatewaySettings

KEPT = 700
QUICK, SLOW = 50.0, 500.0
"""Milliseconds an answer takes at most: bounds of the histogram."""


class Users:
    """`rate` requests per second in all; `away` when the counters cannot be read."""

    def __init__(self, gateway: GatewaySettings) -> None:
        self.gateway = gateway
        self.rate = 0.0
        self.away = False
        self.counters = ""
        self.bad: dict[str, float] = {}
        self.slow: dict[str, float] = {}
        self.answered: defaultdict[str, int] = defaultdict(int)
        self._slices: list[TrafficWindow] = []
        self._rests: defaultdict[tuple[str, str], float] = defaultdict(float)

    def ask(self, carried: Mapping[Ref, Any], versions: Mapping[str, str], begin: float, end: float) -> None:
        """All requests between two moments; `versions` by Service."""
        route = next((spec for ref, spec in carried.items() if ref.kind == "HTTPRoute"), None)
        if not self.rate or route is None:
            return
        for second in range(floor(begin) + 1, floor(end) + 1):
            counted = TrafficWindow(second, 1, self._second(route["rules"][0], versions))
            if not self.away:
                self._slices = [*self._slices[-KEPT:], counted]

    def seen(self) -> Traffic:
        """What the operator's scraper would know."""
        failure = "No Envoy pod answered; it is asked again." if self.away else ""
        return Traffic(tuple(self._slices), failure, self.counters)

    def forgotten(self) -> None:
        """The scraper starts anew and knows of nothing that was counted before."""
        self._slices = []

    def _second(self, rule: Mapping[str, Any], versions: Mapping[str, str]) -> dict[str, Counts]:
        backends = rule["backendRefs"]
        total = sum(backend["weight"] for backend in backends) or 1
        counts = {}
        for slot, backend in zip("ab", backends, strict=True):
            weight = backend["weight"] / total
            if weight:
                counts[slot] = self._counts(slot, self.rate * weight, versions.get(backend["name"], ""))
        for route_filter in rule.get("filters", ()):
            if route_filter["type"] == "RequestMirror":
                mirrored = route_filter["requestMirror"]
                fraction = mirrored.get("percent", 100) / 100
                version = versions.get(mirrored["backendRef"]["name"], "")
                counts[MIRROR] = self._counts(MIRROR, self.rate * fraction, version)
        return counts

    def _counts(self, slot: str, rate: float, version: str) -> Counts:
        requests = self._whole(slot, "requests", rate)
        bad = min(requests, self._whole(slot, "bad", requests * self.bad.get(version, 0.0)))
        slow = min(requests, self._whole(slot, "slow", requests * self.slow.get(version, 0.0)))
        self.answered[version] += requests
        return Counts(requests, bad, requests, {QUICK: requests - slow, SLOW: requests})

    def _whole(self, slot: str, what: str, amount: float) -> int:
        self._rests[slot, what] += amount
        whole = floor(self._rests[slot, what] + 1e-9)
        self._rests[slot, what] -= whole
        return whole
