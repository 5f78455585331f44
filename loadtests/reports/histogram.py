"""Latencies as a histogram of fixed relative width, whatever their size, that adds up over processes, Jobs and reports.

A time of v microseconds falls into the bucket

    v                                                    v < 2048: one bucket a microsecond
    2048 + 1024 (e - 1) + (v >> e) - 1024                else, with e = bit length of v - 11

whose middle lies at most 0.05 % from v (the layout of Gil Tene's HdrHistogram, with three significant digits). What a
percentile is off by is the bucket's width, not the number of requests, so two reports compare as if their requests had
been measured together.
"""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

_LINEAR = 2048
_HALF = 1024
_BITS = 11
_SURE = 1.96
"""Standard deviations of an interval that holds the true percentile 95 times of a hundred."""


class Interval(NamedTuple):
    """Between which values a percentile of the whole lies, going by the sample; milliseconds."""

    low: float
    high: float


class Histogram:
    """Counts by bucket; times are in milliseconds."""

    def __init__(self, counts: Iterable[Sequence[int]] = ()) -> None:
        self._counts: Counter[int] = Counter()
        for bucket, count in counts:
            self._counts[bucket] += count

    @classmethod
    def of(cls, times: Sequence[float]) -> "Histogram":
        """The histogram of these times."""
        micros = np.maximum(np.rint(np.asarray(times, dtype=float) * 1000.0), 0.0).astype(np.int64)
        above = np.maximum(np.frexp(micros.astype(float))[1] - _BITS, 0)
        far = _LINEAR + _HALF * (above - 1) + (micros >> above) - _HALF
        buckets, counts = np.unique(np.where(above == 0, micros, far), return_counts=True)
        return cls(zip(buckets.tolist(), counts.tolist(), strict=True))

    def __len__(self) -> int:
        return sum(self._counts.values())

    def __add__(self, other: "Histogram") -> "Histogram":
        return Histogram([*self.counts(), *other.counts()])

    def counts(self) -> list[list[int]]:
        """[bucket, count] of every bucket that is not empty, rising; what the constructor takes."""
        return [[bucket, self._counts[bucket]] for bucket in sorted(self._counts)]

    def percentile(self, percent: float) -> float:
        """The middle of the bucket of the smallest time that so many percent do not exceed; 0 of none."""
        return self._at(math.ceil(len(self) * percent / 100.0 - 1e-9))

    def interval(self, percent: float) -> Interval:
        """Where the percentile lies, 95 times of a hundred: ranks one binomial deviation of `percent` apart."""
        count, share = len(self), percent / 100.0
        spread = _SURE * math.sqrt(count * share * (1.0 - share))
        return Interval(self._at(math.floor(count * share - spread)), self._at(math.ceil(count * share + spread) + 1))

    def _at(self, rank: int) -> float:
        rank = min(max(rank, 1), len(self))
        passed = 0
        for bucket, count in self.counts():
            passed += count
            if passed >= rank:
                return _middle(bucket) / 1000.0
        return 0.0


def _middle(bucket: int) -> float:
    if bucket < _LINEAR:
        return float(bucket)
    above, place = divmod(bucket - _LINEAR, _HALF)
    return float(((place + _HALF) << (above + 1)) + ((1 << (above + 1)) - 1) / 2)
