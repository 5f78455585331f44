"""Wilson's interval of a share, from rows that weigh differently and come several a request.

With n rows that tell as much as n independent ones, p the share and z = 1.96:

    (p + z^2/2n -+ z sqrt(p(1-p)/n + z^2/4n^2)) / (1 + z^2/n)

Wilson, Probable inference, the law of succession, and statistical inference, JASA 22 (1927). It keeps its 95 % for few
rows and for shares near 0 and 1, and is never outside [0, 1]. Rows of one request are wrong together, so n is

    n = p(1-p) / V,    V = sum over requests g of (sum over its rows i of w_i (x_i - p))^2 / (sum w)^2

the variance of a ratio of sums over clusters (Kish, Survey Sampling, 1965), and at most the rows there are; where all
or none are right, V is 0 and n the number of requests.
"""

import math
from typing import NamedTuple

Z = 1.959963984540054


class Interval(NamedTuple):
    """A value with its interval of 95 %."""

    value: float
    low: float
    high: float


def wilson(share: float, rows: float) -> Interval:
    """The interval of a share (0..1) from as many independent rows, which may be no whole number; 0..1 from none."""
    if rows <= 0:
        return Interval(share, 0.0, 1.0)
    spread = Z * Z / rows
    middle = share + spread / 2.0
    half = Z * math.sqrt(share * (1.0 - share) / rows + spread / (4.0 * rows))
    low, high = (middle - half) / (1.0 + spread), (middle + half) / (1.0 + spread)
    return Interval(share, min(share, max(0.0, low)), max(share, min(1.0, high)))


def independent_rows(share: float, variance: float, rows: int, requests: int) -> float:
    """n of the formula above, from V, and from how many rows and requests there are."""
    if variance <= 0.0 or share in (0.0, 1.0):
        return float(requests)
    return min(share * (1.0 - share) / variance, float(rows))
