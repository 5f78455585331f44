"""What an optimization gave, in figures short enough for a column and in a sentence."""

from modelyard.api.optimization import ORIGINAL
from modelyard.api.report import OptimizationSummary
from modelyard.api.status import OptimizationStatus

_COLUMN = 160
_NAME = 128
_SLIGHT = 2.0


def optimized(digest: str, found: OptimizationSummary, message: str) -> OptimizationStatus:
    """The status of an optimized build that is in the store."""
    return OptimizationStatus(
        digest=digest,
        variant=found.variant[:_NAME],
        speedup="" if found.speedup is None else times(found.speedup),
        quality_loss="" if found.quality_loss is None else percent(found.quality_loss).replace(" ", ""),
        size_ratio=f"{found.size_ratio:.2g}",
        summary=summary(found),
        message=message,
    )


def times(speedup: float) -> str:
    """A ratio of times: 3.1x, and 1.04x where the first digit says little."""
    return f"{speedup:.2f}x" if speedup < _SLIGHT else f"{speedup:.1f}x"


def percent(share: float) -> str:
    """A share with two digits that count: 0.2 %; what is less than a thousandth of a percent is 0."""
    return f"{round(100 * share, 3) + 0.0:.2g} %"


def summary(found: OptimizationSummary) -> str:
    """The variant and what its goal gained, for a column."""
    if found.variant == ORIGINAL:
        return ORIGINAL
    gain = "" if found.speedup is None else f" {times(found.speedup)}"
    if found.goal == "size":
        gain = f" {found.size_ratio:.2g} of size"
    return f"{found.variant[: _COLUMN - len(gain)]}{gain}"


def sentence(found: OptimizationSummary) -> str:
    """The variant and everything it gave and cost, or why the original stays: the second half of a sentence."""
    if found.variant == ORIGINAL:
        return f"; {found.reason.rstrip('.')}."
    return f", optimized as {found.variant}: {given(found)}."


def given(found: OptimizationSummary) -> str:
    """Everything a variant gave and cost."""
    return ", ".join([*_speed(found), *_quality(found), f"{found.size_ratio:.2g} of the size"])


def _speed(found: OptimizationSummary) -> list[str]:
    if found.speedup is None:
        return []
    slower = found.speedup < 1 and found.speedup > 0
    return [f"{times(1 / found.speedup)} slower" if slower else f"{times(found.speedup)} faster"]


def _quality(found: OptimizationSummary) -> list[str]:
    if found.quality_loss is None:
        return []
    loss = round(found.quality_loss, 5)
    if loss < 0:
        return [f"{percent(-loss)} quality won"]
    return [f"{percent(loss)} quality lost" if loss > 0 else "no quality lost"]
