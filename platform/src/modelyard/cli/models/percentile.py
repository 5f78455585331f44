"""Percentiles from histogram buckets.

A bucket says how many answers took at most so long, so a percentile is only known to lie in a bucket; the
bucket's upper bound is given, which never promises more than was measured.
"""

from collections.abc import Mapping


def percentile(buckets: Mapping[float, float], percent: float) -> float | None:
    """Upper bound of the bucket that holds the percentile; None without requests, infinite above the last finite bound.

    `buckets` are cumulative counts by upper bound, as Prometheus has them; `percent` is 0 to 100.
    """
    bounds = sorted(buckets)
    total = buckets[bounds[-1]] if bounds else 0
    if total == 0:
        return None
    return next(bound for bound in bounds if buckets[bound] >= total * percent / 100)
