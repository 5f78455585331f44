"""Bursts: what counts prove where the failures of one minute may hang together.

A service that fails in bursts draws its bad rate anew every minute. Whoever does not know how bursty it is must not
claim that it is not. So what speaks against a candidate counts only as far as no law of bursts explains it as well:

    P_rho: a minute's hits among its trials are beta-binomial, of mean p and correlation rho; minutes are independent

| question | trials of a minute | hits | p | rho |
|---|---|---|---|---|
| is the rate above p0? | the candidate's requests | the bad ones | p0 | CORRELATIONS |
| above r times the stable's? | bad requests, at equal exposure | the candidate's | 1/2 | PART_CORRELATIONS |

At equal exposure only a fraction of the stable's bad requests counts, s r/(1-s) at a share s (or, where that is above
1, its inverse of the candidate's). Half of a minute's are the candidate's then, in the mean, whatever hits both arms at
once. For rho near 1 a minute is the toss of a fair coin, the sign test; for rho near 0 every request is one.

The evidence is e = min over rho of Q : P_rho, with one law Q of a failing candidate: its p never changes, and comes
from a mixture of wide Beta distributions of mean 4 p, 20 p, 100 p ..., half way to 1, and nearly 1, above the limit. A
likelihood ratio is an e-process under its denominator, so whichever P_rho is true, e ever reaches 1/alpha with chance
alpha at most (Wasserman, Ramdas and Balakrishnan, Universal inference, 2020). It grows by what a minute more tells: one
bad minute, however many requests it has, is explained as a burst; several alike are not. And a candidate of which all
requests fail needs no minute: no P_rho does that.

| e-process | finds | its part of alpha, alone |
|---|---|---|
| against p0, all minutes of the step | a candidate that is bad | 5/8, 3/4 |
| the last 1 to 5, each beginning with 1/MINUTES of the part | one that turns bad | 1/16, 1/8 |
| R = (1 + R) LR(0.9 : c) over windows, any second of MINUTES | one that fails altogether from a second on | 1/16, 1/8 |
| against r times the stable's | one that is worse | 1/4, none |

The first is the mean of two: one knows nothing of the stable, the other its last minutes (`burst_laws.py`). c is the
share that a burst of a good candidate takes at most, 30 % of what the objective promises; R is an e-detector (Shin,
Ramdas and Rinaldo, 2024).

None of this is asked when the stable's failures have shown themselves *even*: its bad requests of a minute were EVEN
times as likely by a law that varies as independent requests do as by a geometric law, which is a rate that varies from
minute to minute as an exponential law does; and HISTORY minutes of it have been seen. What varies less than that shows
in phi (`overdispersion.py`), but of five or six minutes not reliably.
"""

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from . import burst_laws, evalues
from .burst_laws import CORRELATIONS, LAWS, UNKNOWN, History, Sums, beta_binomial, independent, log_sum, rising

PART_CORRELATIONS = (0.9, 0.6, 0.3, 0.1, 0.03)
MINUTES = 120.0
"""Of a rollout, the longest by default."""
EVEN = math.log(100.0)
BURST = 0.3
SHARES = 1.25, 0.125, 0.125, 0.5
ALONE = 0.75, 0.125, 0.125, 0.0
"""Of the four e-processes, with a comparison to the stable (two questions, each with half of alpha) and without."""
_ALL = 0.99
_ALL_WEIGHT = 0.35
_CERTAIN = 25.0
_WIDTH = 2.0
_STREAK_RATE = 0.9
_BOUND = 12.0
_NUMBERS = len(CORRELATIONS) + len(LAWS) + len(PART_CORRELATIONS) + 6

Minute = tuple[int, int, int, int]


class BurstEvidence(NamedTuple):
    """What a step's closed minutes say of bursts: log(P_0 : P_rho) for each rho, P_0 being independent requests.

    `known` is the same for each of LAWS, with what the stable's minutes before the step say of it. `parts` are the bad
    requests of candidate and stable at equal exposure, `streak` is log(1 + R), `before` are the stable's (requests,
    bad) in the open minute before the step. `restarts` tells how often the evidence of the step began anew, after
    outages of the stable: each is one more chance to err.
    """

    rate: Sums = (0.0,) * len(CORRELATIONS)
    known: Sums = UNKNOWN
    part: Sums = (0.0,) * len(PART_CORRELATIONS)
    parts: tuple[float, float] = (0.0, 0.0)
    streak: float = 0.0
    before: tuple[int, int] = (0, 0)
    restarts: int = 0

    def with_window(self, requests: int, bad: int, allowed: float) -> "BurstEvidence":
        """With one window of the candidate in `streak`."""
        if not bad and not self.streak:
            return self
        limit = 1.0 - (1.0 - BURST) * (1.0 - allowed)
        rate = max(_STREAK_RATE, (1.0 + limit) / 2.0)
        gain = bad * math.log(rate / limit) + (requests - bad) * math.log((1.0 - rate) / (1.0 - limit))
        return self._replace(streak=round(_softplus(self.streak + gain), 3))

    def after(self, history: History, allowed: float, ratio: float | None) -> "BurstEvidence":
        """As the candidate's first request comes, after these minutes of the stable."""
        return self._replace(known=burst_laws.from_history(history, allowed, ratio))

    def with_minute(self, minute: Minute, allowed: float, ratio: float | None) -> "BurstEvidence":
        """With a minute's (requests, bad, stable's requests, stable's bad) of the step."""
        requests, bad, stable_requests, stable_bad = minute
        counts = requests, bad, stable_requests - self.before[0], stable_bad - self.before[1]
        mine, others = at_equal_exposure(counts, ratio or 1.0)
        return self._replace(
            rate=_more(self.rate, CORRELATIONS, requests, bad, allowed),
            known=self._more_known(requests, bad, allowed, ratio),
            part=_more(self.part, PART_CORRELATIONS, mine + others, mine, 0.5),
            parts=(round(self.parts[0] + mine, 3), round(self.parts[1] + others, 3)),
            before=(0, 0),
        )

    def log_e(self, counts: tuple[int, int], minutes: tuple[Minute, ...], allowed: float, ratio: float | None) -> float:
        """log e against a candidate that keeps `allowed` and is at most `ratio` (None: not asked) times the stable.

        `counts` are the (requests, bad) of the step, `minutes` the last ones, newest first; the newest is still open.
        """
        seen = self.with_minute(minutes[0], allowed, ratio) if minutes else self
        always, last, streak, part = ALONE if ratio is None else SHARES
        failing = _failing(*counts, allowed) + math.log(always / 2.0 / self._chances)
        found = [failing + min(seen.rate), failing + min(seen.known)]
        requests, bad, sums = 0, 0, (0.0,) * len(CORRELATIONS)
        for minute in minutes:
            requests, bad = requests + minute[0], bad + minute[1]
            sums = _more(sums, CORRELATIONS, *minute[:2], allowed)
            found.append(_failing(requests, bad, allowed) + min(sums) + math.log(last / MINUTES))
        found.append(self.streak + math.log(streak / (60.0 * MINUTES)))
        if ratio is not None:
            mine, others = seen.parts
            found.append(_failing(mine + others, mine, 0.5) + min(seen.part) + math.log(part / self._chances))
        return log_sum(found)

    def _more_known(self, requests: int, bad: int, allowed: float, ratio: float | None) -> Sums:
        if not requests:
            return self.known
        even = independent(requests, bad, allowed)
        means = burst_laws.candidate_means(allowed, ratio)
        return tuple(
            round(before + even - beta_binomial(requests, bad, mean, 1.0 / rho - 1.0), 2)
            for before, mean, (_, rho) in zip(self.known, means, LAWS, strict=True)
        )

    def restarted(self) -> "BurstEvidence":
        """As the evidence begins anew."""
        return BurstEvidence(restarts=self.restarts + 1)

    def as_list(self) -> list[float]:
        """The numbers in the order of the fields; `from_list` reads them."""
        return [*self.rate, *self.known, *self.part, *self.parts, self.streak, *self.before, self.restarts]

    @classmethod
    def from_list(cls, numbers: Sequence[float]) -> "BurstEvidence":
        """What `as_list` wrote; raises ValueError for another number of them, as another version keeps."""
        if len(numbers) != _NUMBERS:
            raise ValueError(f"{len(numbers)} numbers are not the {_NUMBERS} that are kept of bursts.")
        laws = len(CORRELATIONS) + len(LAWS)
        rate, known, part = numbers[: len(CORRELATIONS)], numbers[len(CORRELATIONS) : laws], numbers[laws:-6]
        mine, others, streak, requests, bad, restarts = numbers[-6:]
        return cls(
            tuple(rate), tuple(known), tuple(part), (mine, others), streak, (int(requests), int(bad)), int(restarts)
        )

    @property
    def _chances(self) -> float:
        """By which alpha is divided: no more than its double is spent, however often the evidence begins anew."""
        return float(max(1, self.restarts * (self.restarts + 1)))


def at_equal_exposure(counts: Minute, ratio: float) -> tuple[float, float]:
    """(candidate's, stable's) bad requests; only a fraction of those of the arm with more requests, times `ratio`."""
    requests, bad, stable_requests, stable_bad = counts
    if not requests or not stable_requests:
        return 0.0, 0.0
    kept = requests * ratio / stable_requests
    return (float(bad), stable_bad * kept) if kept < 1.0 else (bad / kept, float(stable_bad))


def evenness(before: float, minute: Minute, past: Sequence[Minute]) -> float:
    """How much likelier the stable's bad requests in closed minutes were if they came evenly, with one more minute.

    log(negative binomial, of the shape that the bad ones of the `past` minutes give : geometric), both of their mean:
    what is Poisson about a mean known from so many, against what varies as an exponential law does. Bounded, so that a
    stable that takes up other habits is believed soon.
    """
    requests, bad, shape = sum(one[2] for one in past), minute[3], float(sum(one[3] for one in past))
    if not shape or not minute[2]:
        return before
    mean = minute[2] * shape / requests
    even = (
        rising(shape, bad) - math.lgamma(bad + 1.0) - shape * math.log1p(mean / shape) - bad * math.log1p(shape / mean)
    )
    uneven = -math.log1p(mean) - bad * math.log1p(1.0 / mean)
    return round(min(max(before + even - uneven, -_BOUND), _BOUND), 2)


def _more(sums: Sums, correlations: Sums, trials: float, hits: float, mean: float) -> Sums:
    """The sums with one more minute's log(P_0 : P_rho)."""
    if not trials:
        return sums
    return tuple(
        round(before + independent(trials, hits, mean) - beta_binomial(trials, hits, mean, 1.0 / rho - 1.0), 2)
        for before, rho in zip(sums, correlations, strict=True)
    )


def _failing(trials: float, hits: float, limit: float) -> float:
    """log(Q : P_0) of counts; no evidence unless they are above the limit.

    Q is what of the Beta distributions lies above the limit: of their posterior at least half does then, and all but
    exp(-KL), by Chernoff's bound.
    """
    if hits <= trials * limit:
        return -math.inf if trials else 0.0
    means = _means(limit)
    share = math.log((1.0 - _ALL_WEIGHT) / len(means))
    logs = [share + beta_binomial(trials, hits, mean, _WIDTH / mean) for mean in means]
    logs.append(math.log(_ALL_WEIGHT) + beta_binomial(trials, hits, _ALL, _CERTAIN / _ALL))
    above = max(0.5, -math.expm1(-evalues.ceiling(hits, trials - hits, limit)))
    return log_sum(logs) + math.log(above) - independent(trials, hits, limit)


@lru_cache(maxsize=512)
def _means(limit: float) -> Sums:
    """4, 20, 100 ... times the limit, none nearer to 1 than to the limit, and the point between the two."""
    middle = (1.0 + limit) / 2.0
    below = [4.0 * limit * 5.0**power for power in range(6) if 4.0 * limit * 5.0**power < 0.6 * middle]
    return (*below, middle)


def _softplus(x: float) -> float:
    """log(1 + e^x) without overflow."""
    return x + math.log1p(math.exp(-x)) if x > 0.0 else math.log1p(math.exp(x))
