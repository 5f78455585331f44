"""Overdispersion: how much more the stable's bad counts vary than independent requests would let them.

Requests fail in bursts, and evidence that treats them as independent would take a burst for a regression.
Over k windows with n_i requests and b_i bad ones, N and B in all and p = B/N, Pearson's statistic is

    X^2 = sum (b_i - n_i p)^2 / (n_i p (1-p)) = (sum b_i^2/n_i - B^2/N) / (p (1-p))

with k - 1 degrees of freedom, so four running sums are enough. Bursts longer than a window show only in sums
over longer spans: the windows as they come answer early, and whole minutes catch what those cannot see, since
counts of independent bursts keep their factor when they are added. phi is the larger of the two, never below 1.
"""

import math
from dataclasses import dataclass

SPAN = 60
SURE = 3.0
FEWEST_BAD = 10


@dataclass(frozen=True, slots=True)
class Dispersion:
    """Of the stable: windows that had requests and their sum of b^2/n, the same of closed minutes, totals.

    `minute` is the number, since the epoch, of the minute that is still open; then what is in it so far.
    """

    windows: int = 0
    window_squares: float = 0.0
    minutes: int = 0
    minute_squares: float = 0.0
    requests: int = 0
    bad: int = 0
    minute: int = 0
    open_requests: int = 0
    open_bad: int = 0

    def plus(self, end: int, requests: int, bad: int) -> "Dispersion":
        """With the stable's window that ended at `end`, seconds since the epoch; one without requests says nothing."""
        if not requests:
            return self
        minute, minutes, squares = (end - 1) // SPAN, self.minutes, self.minute_squares
        open_requests, open_bad = self.open_requests, self.open_bad
        if minute != self.minute:
            if open_requests:
                minutes, squares = minutes + 1, round(squares + open_bad * open_bad / open_requests, 6)
            open_requests = open_bad = 0
        return Dispersion(
            self.windows + 1,
            round(self.window_squares + bad * bad / requests, 6) if bad else self.window_squares,
            minutes,
            squares,
            self.requests + requests,
            self.bad + bad,
            minute,
            open_requests + requests,
            open_bad + bad,
        )

    @property
    def phi(self) -> float:
        """The overdispersion, >= 1, by which every log-LR is divided: the larger of that of windows and of minutes."""
        by_window = _factor(self.windows, self.window_squares, self.requests, self.bad)
        closed = self.requests - self.open_requests, self.bad - self.open_bad
        return max(1.0, by_window, _factor(self.minutes, self.minute_squares, *closed))

    @property
    def shown(self) -> float:
        """The same, but 1 while independent requests would bring it about in more than one of some hundred cases."""
        closed = self.requests - self.open_requests, self.bad - self.open_bad
        by_window = _shown(self.windows, self.bad, _factor(self.windows, self.window_squares, self.requests, self.bad))
        return max(by_window, _shown(self.minutes, closed[1], _factor(self.minutes, self.minute_squares, *closed)))


def _shown(spans: int, bad: int, factor: float) -> float:
    """A factor that is SURE standard deviations above 1, or 1: Pearson's X^2 of Poisson counts has 2 k + k^2/B."""
    return factor if bad >= FEWEST_BAD and factor > 1.0 + SURE * math.sqrt(2.0 / spans + 1.0 / bad) else 1.0


def _factor(spans: int, squares: float, requests: int, bad: int) -> float:
    """Pearson's X^2 by its degrees of freedom; 1 while there is nothing to tell it from."""
    if spans < 2 or not 0 < bad < requests:
        return 1.0
    rate = bad / requests
    return (squares - bad * rate) / (rate * (1.0 - rate) * (spans - 1))
