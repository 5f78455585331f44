"""What is left of an error budget, and when it is empty.

    budget = allowed x total,   left = 1 - bad / budget,   empty in = left x window / burn

where `total` and `bad` are what was counted in the budget's window, requests or (of availability) seconds. A burn of 1
or less empties no budget: what it uses up is what leaves the window at the other end.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from .objectives import PromisedObjective

_PACE = ("1h", "30m", "5m", "2h", "6h")
"""Whose burn is taken for how things go on: the hour's, else the nearest that is known."""


@dataclass(frozen=True)
class ErrorBudget:
    """One promise and how it was kept: counts of the window, and the burn rates that are known, by window."""

    objective: PromisedObjective
    total: float
    bad: float
    burns: Mapping[str, float] = field(default_factory=dict)

    @property
    def bad_ratio(self) -> float | None:
        """The share that was bad, 0..1; None before anything was counted."""
        return self.bad / self.total if self.total > 0 else None

    @property
    def left(self) -> float | None:
        """The share of the budget that is left: 1 untouched, 0 empty, below 0 overdrawn; None before any count."""
        ratio = self.bad_ratio
        return None if ratio is None else 1.0 - ratio / self.objective.allowed

    @property
    def pace(self) -> float | None:
        """The burn rate that things are taken to go on with; None when none is known."""
        return next((self.burns[window] for window in _PACE if window in self.burns), None)

    def empty_in(self, window: float) -> float | None:
        """Seconds until nothing of the budget of `window` seconds is left; None when that is not in sight."""
        left, pace = self.left, self.pace
        if left is None:
            return None
        if left <= 0:
            return 0.0
        return left * window / pace if pace is not None and pace > 1 else None
