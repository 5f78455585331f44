"""How fast an error budget may be used up before somebody is told, and when.

Burn 1 uses up the budget of 30 days in exactly 30 days. An alert asks two windows: the long one says that it matters,
the short one that it is still so, so that the alert ends soon after its cause (Google, The Site Reliability Workbook,
chapter 5, "Alerting on SLOs").

| burn | long | short | of a month's budget is then gone | told by |
|---|---|---|---|---|
| 14.4 | 1 h | 5 min | 2 % | page |
| 6 | 6 h | 30 min | 5 % | page |
| 3 | 1 d | 2 h | 10 % | ticket |
| 1 | 3 d | 6 h | 10 % | ticket |

Few requests make a high rate of one failure, so an alert also wants FEWEST_BAD bad requests (of availability: seconds)
in its long window.
"""

from enum import StrEnum
from typing import NamedTuple

from modelyard.core.analysis.statistics.burn_rate import BURN, FEWEST_BAD

__all__ = ["ALERTS", "BUDGET_WINDOW", "FEWEST_BAD", "WINDOWS", "BurnAlert", "Severity", "by_severity"]

BUDGET_WINDOW = "30d"
"""What an error budget is counted over."""


class Severity(StrEnum):
    """How somebody is told, in the words that routes of Alertmanagers commonly know."""

    PAGE = "critical"
    TICKET = "warning"


class BurnAlert(NamedTuple):
    """Told by `severity` when the burn rate is above `burn` over both windows."""

    burn: float
    long: str
    short: str
    severity: Severity


ALERTS = (
    BurnAlert(BURN, "1h", "5m", Severity.PAGE),
    BurnAlert(6, "6h", "30m", Severity.PAGE),
    BurnAlert(3, "1d", "2h", Severity.TICKET),
    BurnAlert(1, "3d", "6h", Severity.TICKET),
)
WINDOWS = ("5m", "30m", "1h", "2h", "6h", "1d", "3d")
"""All windows, the shortest first."""


def by_severity(severity: Severity) -> tuple[BurnAlert, ...]:
    """The alerts that are told in that way, the fastest first."""
    return tuple(alert for alert in ALERTS if alert.severity is severity)
