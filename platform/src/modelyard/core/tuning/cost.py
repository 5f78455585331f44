"""What keeping an objective costs, by variant and size of a replica, and which of them to take.

    cores for 1,000 requests/s    1000 x cores of a replica / what it takes on at the objective
    cost of 1,000 requests        (cores x price + GiB x price) x 1000 / (what it takes on x 3600)

Fewest cores for 1,000 requests a second win. What is within NOISE of that costs the same for all that measuring can
tell: then smaller replicas win, which follow the load more closely, and the original before its variants.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

from modelyard.api.optimization import ORIGINAL, CostOption
from modelyard.api.quantity import shown
from modelyard.settings import PriceSettings

NOISE = 1.05
_GIB = 1024**3
_DIGITS = 4


@dataclass(frozen=True)
class LoadedOption:
    """A variant on so many cores: the requests a second it takes on, 0 when it never keeps the objective, None when
    that is not known; `memory` is its process's largest, in bytes.
    """

    variant: str
    cpus: int
    capacity: float | None
    memory: int

    @property
    def cores_per_thousand(self) -> float:
        """Cores for 1,000 requests a second; infinite where the objective is not kept, or that is not known."""
        return 1000.0 * self.cpus / self.capacity if self.capacity else inf


def cheapest(options: Sequence[LoadedOption]) -> LoadedOption | None:
    """The option to take; None when none keeps the objective."""
    least = min((option.cores_per_thousand for option in options), default=inf)
    tied = [option for option in options if option.cores_per_thousand <= NOISE * least]
    if least == inf:
        return None
    return min(tied, key=lambda option: (option.cpus, option.variant != ORIGINAL, option.cores_per_thousand))


def priced(
    options: Sequence[LoadedOption], chosen: LoadedOption | None, prices: PriceSettings
) -> tuple[CostOption, ...]:
    """The options as a report has them."""
    return tuple(
        CostOption(
            variant=option.variant,
            cpus=option.cpus,
            requests_per_second=round(option.capacity or 0.0, 2),
            cores_per_thousand=_short(option.cores_per_thousand) if option.capacity else None,
            per_thousand=_short(_money(option, prices)),
            chosen=option == chosen,
        )
        for option in options
    )


def cost_sentence(chosen: LoadedOption | None, options: Sequence[LoadedOption], at: str) -> str:
    """Why that option, against the original's cheapest."""
    if chosen is None:
        return f"No variant keeps {at}, whatever the replica's size, so none is cheaper: allow more time."
    plain = [option for option in options if option.variant == ORIGINAL]
    least = cheapest(plain)
    what = f"{chosen.variant} on {chosen.cpus} core{'' if chosen.cpus == 1 else 's'}"
    said = f"the cheapest that keeps {at} is {what}: {shown(chosen.cores_per_thousand, 3)} cores for 1,000 requests/s"
    if least is None:
        return f"{said}; the original does not keep it."
    return f"{said}." if least == chosen else f"{said}, against {shown(least.cores_per_thousand, 3)} of the original."


def sizes(most: int) -> tuple[int, ...]:
    """Cores of a replica that are tried: 1, 2, 4, ... and the most there may be."""
    return tuple(sorted({2**power for power in range(most.bit_length()) if 2**power <= most} | {most}))


def _money(option: LoadedOption, prices: PriceSettings) -> float | None:
    if not option.capacity:
        return None
    hours = 1000.0 / (option.capacity * 3600.0)
    return prices.cost(option.cpus * hours, option.memory / _GIB * hours, 0.0)


def _short(number: float | None) -> float | None:
    return None if number is None else float(f"{number:.{_DIGITS}g}")
