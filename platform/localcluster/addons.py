"""Add-ons, built only when asked for."""

from collections.abc import Iterable

from .errors import NotPossible
from .kubernetes import Kubernetes
from .steps import Step

BUILDS = {"keda": "keda", "monitoring": "prometheus"}


def parsed(text: str) -> list[str]:
    """Names from `keda,monitoring`; raises NotPossible for an unknown one."""
    names = [name for name in text.replace(",", " ").split() if name]
    unknown = [name for name in names if name not in BUILDS]
    if unknown:
        raise NotPossible(f"There is no add-on {unknown[0]!r}: choose from {', '.join(BUILDS)}.")
    return names


def builds(chosen: Iterable[str]) -> list[str]:
    """Go builds that the chosen add-ons need."""
    return [BUILDS[name] for name in chosen]


def steps(chosen: Iterable[str], kubernetes: Kubernetes) -> list[Step]:
    """Steps that install the chosen add-ons."""
    return []
