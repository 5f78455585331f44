"""The best trial so far, by three short rounds of timing against the original. The verdict comes from `timing`."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from modelyard.builder.optimization.trials.trial import Trial

SHARE = 0.1
"""Fraction of the budget that timing recipes for this may take together; a search times its trials anyway."""


class Incumbent:
    """Calls `tell` whenever a trial that may be chosen beats all before it.

    `value` gives a trial's cost as a ratio to the original's (below 1 is better); `tell` gets the trial's name and
    how many times better it is, and is None when nobody asks. `budget` is in seconds.
    """

    def __init__(
        self,
        value: Callable[[Trial], float],
        tell: Callable[[str, float], None] | None,
        budget: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._value, self._tell, self._left, self._clock = value, tell, SHARE * budget, clock
        self._lowest, self._longest = 1.0, 0.0

    def consider(self, trial: Trial) -> None:
        """Times the trial of a recipe, when it may be chosen and there is time for it."""
        if self._tell is None or trial.path is None or trial.refused is not None or self._left < self._longest:
            return
        before = self._clock()
        self.value(trial)
        took = self._clock() - before
        self._left, self._longest = self._left - took, max(self._longest, took)

    def value(self, trial: Trial) -> float:
        """The trial's cost as a ratio to the original's."""
        cost = self._value(trial)
        if trial.refused is None and 0 < cost < self._lowest:
            self._lowest = cost
            if self._tell is not None:
                self._tell(trial.name, 1 / cost)
        return cost
