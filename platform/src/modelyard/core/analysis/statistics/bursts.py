"""Bursts: what counts prove where the failures of one minute may hang together.

A service that fails in bursts draws its bad rate anew every minute. Whoever does not know how bursty it is must not
claim that it is not. So what speaks against a candidate counts only as far as no law of bursts explains it as well:

    P_rho: a minute's hits among its trials are beta-binomial, of mean p and correlation rho; minutes are independent

| question | trials of a minute | hits | p | rho |
|---|---|---|---|---|
| is the rate above p0? | the candidate's requests | the bad ones | p0 | RATE_CORRELATIONS |
| above r times the stable's? | bad requests, at equal exposure | the candidate's | 1/2 | PART_CORRELATIONS |

At equal exposure only a fraction of the stable's bad requests counts, s r/(1-s) at a share s (or, where that is above
1, its inverse of the candidate's). Half of a minute's are the candidate's then, in the mean, whatever hits both arms at
once. For rho near 1 a minute is the toss of a fair coin, the sign test; for rho near 0 every request is one.

The evidence is e = min over rho of Q : P_rho, with one law Q of a failing candidate: its p never changes, and comes
from a mixture of wide Beta distributions of mean 4 p, 20 p, 100 p ... and of one of nearly 1, above the limit. A
likelihood ratio is an e-process under its denominator, so whichever P_rho is true, e ever reaches 1/alpha with chance
alpha at most (Wasserman, Ramdas and Balakrishnan, Universal inference, 2020). It grows by what a minute more tells: one
bad minute, however many requests it has, is explained as a burst; several alike are not. And a candidate of which all
requests fail needs no minute: no P_rho does that.

| e-process against p0 | its part of alpha | finds |
|---|---|---|
| all minutes of the step | 3/4 | a candidate that is bad |
| the last 1 to 5, each beginning with 1/MINUTES of the part | 1/8 | one that turns bad |
| R = (1 + R) LR(0.9 : c) over windows, any second of MINUTES | 1/8 | one that fails altogether from a second on |

c is the share that a burst of a good candidate takes at most, 30 % of what the objective promises; R is an e-detector
(Shin, Ramdas and Rinaldo, 2024). The means of these e-values and of that against the stable share a gate's alpha.

None of this is asked when the stable's failures have shown themselves *even*: its bad requests of a minute were EVEN
times as likely by a law that varies as independent requests do as by a geometric law, which is a rate that varies from
minute to minute as an exponential law does. What varies less than that shows in phi (`overdispersion.py`).
"""

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from . import evalues

RATE_CORRELATIONS = (0.05, 0.0125, 0.003, 0.0008)
PART_CORRELATIONS = (0.9, 0.6, 0.3, 0.1, 0.03)
MINUTES = 120.0
"""Of a rollout, the longest by default."""
EVEN = math.log(100.0)
BURST = 0.3
SHARES = 0.75, 0.125, 0.125
_ALL = 0.99
_ALL_WEIGHT = 0.25
_CERTAIN = 25.0
_WIDTH = 2.0
_STREAK_RATE = 0.9
_BOUND = 12.0
_NUMBERS = len(RATE_CORRELATIONS) + len(PART_CORRELATIONS) + 6

Sums = tuple[float, ...]
Minute = tuple[int, int, int, int]
_NOTHING: Sums = (0.0,) * len(RATE_CORRELATIONS)


class BurstEvidence(NamedTuple):
    """What a step's closed minutes say of bursts: log(P_0 : P_rho) for each rho, P_0 being independent requests.

    `parts` are the bad requests of candidate and stable at equal exposure, `streak` is log(1 + R), `before` are the
    stable's (requests, bad) in the open minute before the step. `restarts` tells how often the evidence of the step
    began anew, after outages of the stable: each is one more chance to err.
    """

    rate: Sums = (0.0,) * len(RATE_CORRELATIONS)
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

    def with_minute(self, minute: Minute, allowed: float, ratio: float) -> "BurstEvidence":
        """With a minute's (requests, bad, stable's requests, stable's bad) of the step."""
        requests, bad, stable_requests, stable_bad = minute
        counts = requests, bad, stable_requests - self.before[0], stable_bad - self.before[1]
        mine, others = at_equal_exposure(counts, ratio)
        return self._replace(
            rate=_more(self.rate, RATE_CORRELATIONS, requests, bad, allowed),
            part=_more(self.part, PART_CORRELATIONS, mine + others, mine, 0.5),
            parts=(round(self.parts[0] + mine, 3), round(self.parts[1] + others, 3)),
            before=(0, 0),
        )

    def log_e(self, counts: tuple[int, int], minutes: tuple[Minute, ...], allowed: float, ratio: float | None) -> float:
        """log e against a candidate that keeps `allowed` and is at most `ratio` (None: not asked) times the stable.

        `counts` are the (requests, bad) of the step, `minutes` the last ones, newest first; the newest is still open.
        """
        seen = self.with_minute(minutes[0], allowed, ratio or 1.0) if minutes else self
        always, last, streak = SHARES
        found = [_failing(*counts, allowed) + min(seen.rate) + math.log(always / self._chances)]
        requests, bad, sums = 0, 0, _NOTHING
        for minute in minutes:
            requests, bad = requests + minute[0], bad + minute[1]
            sums = _more(sums, RATE_CORRELATIONS, *minute[:2], allowed)
            found.append(_failing(requests, bad, allowed) + min(sums) + math.log(last / MINUTES))
        found.append(self.streak + math.log(streak / (60.0 * MINUTES)))
        if ratio is not None:
            mine, others = seen.parts
            found.append(_failing(mine + others, mine, 0.5) + min(seen.part) - math.log(self._chances))
        return _log_sum(found)

    def restarted(self) -> "BurstEvidence":
        """As the evidence begins anew."""
        return BurstEvidence(restarts=self.restarts + 1)

    def as_list(self) -> list[float]:
        """The numbers in the order of the fields, without zeros at the end; `from_list` reads them."""
        numbers = [*self.rate, *self.part, *self.parts, self.streak, *self.before, self.restarts]
        while numbers and not numbers[-1]:
            numbers.pop()
        return numbers

    @classmethod
    def from_list(cls, numbers: Sequence[float]) -> "BurstEvidence":
        """What `as_list` wrote; raises ValueError for too many numbers."""
        if len(numbers) > _NUMBERS:
            raise ValueError(f"{len(numbers)} numbers are more than the {_NUMBERS} that are kept of bursts.")
        values = [*numbers, *[0] * (_NUMBERS - len(numbers))]
        rate, part = values[: len(RATE_CORRELATIONS)], values[len(RATE_CORRELATIONS) : -6]
        mine, others, streak, requests, bad, restarts = values[-6:]
        return cls(tuple(rate), tuple(part), (mine, others), streak, (int(requests), int(bad)), int(restarts))

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
        _rising(shape, bad) - math.lgamma(bad + 1.0) - shape * math.log1p(mean / shape) - bad * math.log1p(shape / mean)
    )
    uneven = -math.log1p(mean) - bad * math.log1p(1.0 / mean)
    return round(min(max(before + even - uneven, -_BOUND), _BOUND), 2)


def _more(sums: Sums, correlations: Sums, trials: float, hits: float, mean: float) -> Sums:
    """The sums with one more minute's log(P_0 : P_rho)."""
    if not trials:
        return sums
    return tuple(
        round(before + _independent(trials, hits, mean) - _beta_binomial(trials, hits, mean, 1.0 / rho - 1.0), 2)
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
    logs = [share + _beta_binomial(trials, hits, mean, _WIDTH / mean) for mean in means]
    logs.append(math.log(_ALL_WEIGHT) + _beta_binomial(trials, hits, _ALL, _CERTAIN / _ALL))
    above = max(0.5, -math.expm1(-evalues.ceiling(hits, trials - hits, limit)))
    return _log_sum(logs) + math.log(above) - _independent(trials, hits, limit)


@lru_cache(maxsize=512)
def _means(limit: float) -> Sums:
    """4, 20, 100 ... times the limit, the last one above 1/5, and none nearer to 1 than to the limit."""
    last = max(0, math.ceil(math.log(_ALL / 20.0 / limit, 5.0)))
    return tuple(min(4.0 * limit * 5.0**power, (1.0 + limit) / 2.0) for power in range(last + 1))


def _log_sum(logs: list[float]) -> float:
    """log of the sum of exp(log), safe from overflow."""
    top = max(logs)
    return top + math.log(sum(math.exp(log - top) for log in logs))


def _independent(trials: float, hits: float, rate: float) -> float:
    return hits * math.log(rate) + (trials - hits) * math.log1p(-rate)


def _beta_binomial(trials: float, hits: float, mean: float, size: float) -> float:
    """log-likelihood of one order of the trials when their rate has a Beta distribution of `size` prior trials."""
    yes, no = mean * size, (1.0 - mean) * size
    return _rising(yes, hits) + _rising(no, trials - hits) - _rising(size, trials)


def _rising(start: float, steps: float) -> float:
    """log of start (start + 1) ... (start + steps - 1)."""
    return math.lgamma(start + steps) - math.lgamma(start)


def _softplus(x: float) -> float:
    """log(1 + e^x) without overflow."""
    return x + math.log1p(math.exp(-x)) if x > 0.0 else math.log1p(math.exp(x))
