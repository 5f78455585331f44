"""One step of a Model's path, as `explain` tells of it."""

from dataclasses import dataclass
from enum import StrEnum


class Standing(StrEnum):
    """How a step stands: fine, on its way, or in need of somebody."""

    GOOD = "good"
    WAITING = "waiting"
    BAD = "bad"


@dataclass(frozen=True)
class PathStep:
    """One step of the path: what was found, and what to do when it is not good."""

    subject: str
    verdict: Standing
    found: str
    remedy: str = ""
