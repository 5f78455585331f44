"""What is kept of one gate between two reconcile passes: sums, no windows.

Counts are sufficient for every test, so a state is small enough for a status (below 800 bytes), does not
depend on how the windows were cut, and can be carried over a restart to the byte. Windows are known by their
end, so one that comes twice changes nothing.

One state belongs to one weight. `reset_for_step` begins anew and keeps what is known of the stable: its overdispersion
is worth more the longer it has been watched, so it should begin with the state the last rollout ended with.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from .statistics.burn_rate import RecoveryWindow, SlidingWindow
from .statistics.burst_laws import History
from .statistics.bursts import BurstEvidence
from .statistics.overdispersion import Dispersion


class FailedTest(StrEnum):
    """Which test failed a candidate."""

    NONE = ""
    OBJECTIVE = "Objective"
    REGRESSION = "Regression"
    BURN = "Burn"


@dataclass(frozen=True, slots=True)
class Window:
    """Requests and bad ones of both arms in a span that ended at `end`, aligned seconds since the epoch.

    Raises ValueError for counts that cannot be.
    """

    end: int
    requests: int
    bad: int
    stable_requests: int = 0
    stable_bad: int = 0

    def __post_init__(self) -> None:
        if not (0 <= self.bad <= self.requests and 0 <= self.stable_bad <= self.stable_requests):
            raise ValueError(f"the window that ended at {self.end} has more bad requests than requests.")


@dataclass(frozen=True, slots=True)
class AnalysisState:
    """Counts of both arms since the evidence began, the last minutes, and what is known of the stable.

    `run` is how the stable has been while it is out, and for some minutes after that. `bursts` and `evenness` are
    explained in `statistics/bursts.py`, `history`, the stable's last minutes, in `statistics/burst_laws.py`.
    """

    end: int = 0
    requests: int = 0
    bad: int = 0
    stable_requests: int = 0
    stable_bad: int = 0
    recent: SlidingWindow = field(default_factory=SlidingWindow)
    dispersion: Dispersion = field(default_factory=Dispersion)
    stable_out: bool = False
    run: RecoveryWindow = field(default_factory=RecoveryWindow)
    failed: FailedTest = FailedTest.NONE
    bursts: BurstEvidence = field(default_factory=BurstEvidence)
    evenness: float = 0.0
    history: History = ()

    @property
    def share(self) -> float:
        """The candidate's share of the requests of both arms; 0 before there were any."""
        both = self.requests + self.stable_requests
        return self.requests / both if both else 0.0


def reset_for_step(state: AnalysisState) -> AnalysisState:
    """The state a new weight begins with: no counts, but the stable's overdispersion, last minutes and outage."""
    return AnalysisState(
        end=state.end,
        recent=state.recent.stable_only(),
        dispersion=state.dispersion,
        stable_out=state.stable_out,
        run=state.run,
        bursts=BurstEvidence(before=state.recent.buckets[0][2:] if state.recent.buckets else (0, 0)),
        evenness=state.evenness,
        history=state.history,
    )


def as_json(state: AnalysisState) -> dict[str, Any]:
    """The state as plain JSON values for `GateStatus.state`, below 800 bytes; `from_json` reads them."""
    habits, recent = state.dispersion, state.recent
    return {
        "windowEnd": state.end,
        "counts": [state.requests, state.bad, state.stable_requests, state.stable_bad],
        "recent": [recent.slot, *(count for bucket in recent.buckets for count in bucket)],
        "dispersion": [getattr(habits, name) for name in habits.__slots__],
        "stableOut": state.stable_out,
        "failed": state.failed.value,
        **({"run": list(state.run)} if state.run != RecoveryWindow() else {}),
        **({"even": state.evenness} if state.evenness else {}),
        **({"history": [count for minute in state.history for count in minute]} if state.history else {}),
        **({"bursts": state.bursts.as_list()} if state.bursts != BurstEvidence() else {}),
    }


def from_json(values: Mapping[str, Any]) -> AnalysisState:
    """The state that `as_json` wrote; raises KeyError, ValueError or TypeError for anything else."""
    slot, *counts = values["recent"]
    buckets = tuple(tuple(counts[at : at + 4]) for at in range(0, len(counts), 4))
    stable = values.get("history", [])
    return AnalysisState(
        values["windowEnd"],
        *values["counts"],
        recent=SlidingWindow(slot, buckets),
        dispersion=Dispersion(*values["dispersion"]),
        stable_out=values["stableOut"],
        run=RecoveryWindow(*values.get("run", [values["windowEnd"]] if values["stableOut"] else [])),
        failed=FailedTest(values["failed"]),
        bursts=BurstEvidence.from_list(values["bursts"]) if "bursts" in values else BurstEvidence(),
        evenness=values.get("even", 0.0),
        history=tuple(zip(stable[::2], stable[1::2], strict=True)),
    )
