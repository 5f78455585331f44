"""What an optimization gave, in figures short enough for a column and in a sentence."""

from modelyard.api.optimization import ORIGINAL
from modelyard.api.report import OptimizationSummary
from modelyard.api.status import OptimizationStatus

COLUMN = 160
_NAME = 128
_SLIGHT, _ABSURD = 2.0, 1e6


def optimized(digest: str, result: OptimizationSummary, message: str) -> OptimizationStatus:
    """The `status.optimization` of an optimized build that is in the store, with `message` as its sentence."""
    return OptimizationStatus(
        digest=digest,
        variant=_name(result)[:_NAME],
        speedup="" if result.speedup is None else times(result.speedup),
        quality_loss="" if result.quality_loss is None else percent(result.quality_loss).replace(" ", ""),
        size_ratio=f"{result.size_ratio:.2g}",
        summary=summary(result),
        message=message,
    )


def _name(result: OptimizationSummary) -> str:
    """The variant, and that other settings serve it; an original with the usual ones is the plain artifact again."""
    tuned = ["tuned"] if result.tuned is not None and result.tuned.changed else []
    return ", ".join([result.variant, *tuned, *(["cached"] if result.cached else [])])


def times(speedup: float) -> str:
    """A speedup as text: 3.1x, and 1.04x below 2, where the first digit says little; 1e+08x from a million on."""
    if abs(speedup) >= _ABSURD:
        return f"{speedup:.0e}x"
    return f"{speedup:.2f}x" if speedup < _SLIGHT else f"{speedup:.1f}x"


def percent(ratio: float) -> str:
    """A ratio (0.002) as a percentage with two significant digits (0.2 %); below a thousandth of a percent it is 0."""
    return f"{round(100 * ratio, 3) + 0.0:.2g} %"


def summary(result: OptimizationSummary) -> str:
    """The variant and what its goal gained, in at most 160 characters, for a column."""
    if result.variant == ORIGINAL:
        return _name(result)
    gain = "" if result.speedup is None else f" {times(result.speedup)}"
    if result.goal == "size":
        gain = f" {result.size_ratio:.2g} of size"
    return f"{result.variant[: COLUMN - len(gain)]}{gain}"


def sentence(result: OptimizationSummary) -> str:
    """The second half of a sentence: the variant with what it gave and cost, or why the original stays."""
    tuned = f" {result.tuned.reason}" if result.tuned is not None and result.tuned.reason != result.reason else ""
    if result.variant == ORIGINAL:
        return f"; {result.reason.rstrip('.')}.{tuned}"
    return f", optimized as {result.variant}: {given(result)}.{tuned}"


def given(result: OptimizationSummary) -> str:
    """What a variant gave and cost: its speed, its quality loss and its size against the original's."""
    return ", ".join([*_speed(result), *_quality(result), f"{result.size_ratio:.2g} of the size"])


def _speed(result: OptimizationSummary) -> list[str]:
    if result.speedup is None:
        return []
    slower = result.speedup < 1 and result.speedup > 0
    return [f"{times(1 / result.speedup)} slower" if slower else f"{times(result.speedup)} faster"]


def _quality(result: OptimizationSummary) -> list[str]:
    if result.quality_loss is None:
        return []
    loss = round(result.quality_loss, 5)
    if loss < 0:
        return [f"{percent(-loss)} quality won"]
    return [f"{percent(loss)} quality lost" if loss > 0 else "no quality lost"]
