"""Words for tests of gates: counted traffic, and a look at it."""

from collections.abc import Iterable, Mapping
from typing import Any

from modelyard.api.monitoring.comparison import LabelledComparison
from modelyard.api.rollout_status import GateStatus, Phase
from modelyard.core.analysis.gates import GateInput
from modelyard.core.snapshot import Check, Failure
from modelyard.core.traffic import MIRROR, Counts, Traffic, TrafficWindow
from tests.support.worlds.builders import a_model

START = 1_700_000_040
"""The beginning of a minute."""
BOUNDS = (25.0, 50.0, 75.0, 100.0, 200.0)
SLO = {"latency": {"percentile": 99, "threshold": "100ms"}, "errorRate": "1%"}


def counts(
    requests: int, errors: int = 0, slow: int = 0, bounds: Iterable[float] = BOUNDS, rejected: int = 0
) -> Counts:
    """So many requests; the slow ones took longer than every bound."""
    return Counts(requests, errors, requests, dict.fromkeys(bounds, requests - slow), rejected)


def seconds(*spans: tuple[int, Counts, Counts], start: int = START, arm: str = "b") -> tuple[TrafficWindow, ...]:
    """Slices of one second: for each span its length, the candidate's counts and the stable's in every second."""
    each = [(mine, other) for length, mine, other in spans for _ in range(length)]
    return tuple(TrafficWindow(start + at, 1, {arm: mine, "a": other}) for at, (mine, other) in enumerate(each, 1))


def a_look(
    slices: tuple[TrafficWindow, ...] = (),
    *,
    now: float | None = None,
    weight: int = 5,
    phase: Phase = Phase.ADVANCING,
    since: float = START,
    watched: float = 0.0,
    before: Iterable[GateStatus] = (),
    trouble: Failure | None = None,
    troubled_since: float | None = None,
    checks: Mapping[str, Check] | None = None,
    outage: str = "",
    has_capacity: bool = True,
    labelled: LabelledComparison | Failure | None = None,
    **spec: Any,
) -> GateInput:
    """A look at the end of the last slice, of a candidate in slot b; the rest of what is given is the spec."""
    return GateInput(
        now=now if now is not None else float(slices[-1].end if slices else since),
        spec=a_model(**{"rollout": {"strategy": "Canary", "loadTest": {}}, **spec}).spec,
        stable_slot="a",
        candidate_slot="b",
        traffic=Traffic(slices, outage),
        since=since,
        watched=watched,
        weight=weight,
        phase=phase,
        before={gate.name: gate for gate in before},
        failure=trouble,
        failing_since=troubled_since,
        checks=checks or {},
        has_capacity=has_capacity,
        labelled=labelled,
    )


def mirrored(*spans: tuple[int, Counts, Counts]) -> tuple[TrafficWindow, ...]:
    """The same, of requests that are only copied to the candidate."""
    return seconds(*spans, arm=MIRROR)
