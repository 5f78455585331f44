"""What retraining Jobs reserve of CPUs, by calendar months in UTC: cores requested, times the hours they ran.

What a Job reserves is kept from others whether it is used or not. A month begins with nothing spent; a Job counts for
the month in which it ends.
"""

from datetime import UTC, datetime
from typing import NamedTuple

from modelyard.api.lifecycle.retrain import Retrain
from modelyard.api.lifecycle.retraining_status import RetrainingStatus
from modelyard.api.quantity import amount
from modelyard.settings import Settings

_HOUR = 3600.0
LEAST_SECONDS = 60.0
"""A Job that may run for less than this would come to nothing."""


class CpuSpent(NamedTuple):
    """CPU hours that were reserved in a month such as 2026-11."""

    month: str = ""
    hours: float = 0.0

    def plus(self, hours: float) -> "CpuSpent":
        """With some more in the same month."""
        return CpuSpent(self.month, round(self.hours + hours, 3))


def spent(before: RetrainingStatus | None, now: float) -> CpuSpent:
    """What the status says of the month of `now` (seconds since 1970)."""
    month = f"{datetime.fromtimestamp(now, UTC):%Y-%m}"
    known = before is not None and before.month == month
    return CpuSpent(month, before.cpu_hours if known and before is not None else 0.0)


def cores(settings: Settings) -> float:
    """CPU cores that a retraining Job requests: the builder's container and the trainer's beside it."""
    return max(0.001, float(amount(settings.build.optimize_cpu) + amount(settings.build.train_cpu)))


def reserved_hours(settings: Settings, seconds: float) -> float:
    """CPU hours of a Job that ran so long."""
    return cores(settings) * max(0.0, seconds) / _HOUR


def seconds_left(retrain: Retrain, used: CpuSpent, settings: Settings) -> float | None:
    """How long a Job may still run this month; None where there is no budget."""
    budget = retrain.budget_seconds
    return None if budget is None else max(0.0, budget - used.hours * _HOUR) / cores(settings)


def next_month(now: float) -> float:
    """Seconds until the next month begins."""
    moment = datetime.fromtimestamp(now, UTC)
    year, month = (moment.year + 1, 1) if moment.month == 12 else (moment.year, moment.month + 1)
    return datetime(year, month, 1, tzinfo=UTC).timestamp() - now
