"""The choice, pure: the best variant for a goal among those that keep the quality.

    eligible    not refused, measured, and  loss <= bound   (without an evaluation set: lossless passes only,
                which the engine sees to, so that whatever is not refused is eligible)
    cost        latency: 1 / speed-up at batch 1, time against the original's within a round;
                throughput, and cost before it is measured under load: 1 / rows a second;  size: bytes
    tie         costs within  1 + noise  of the lowest, noise = the larger of 2 % and the spreads over the rounds;
                among ties the smaller model wins, then the one with fewer passes
    gain        a variant replaces the original only when it is better than it by more than the noise

The original always is a possible answer, so a quality that nothing reaches leaves everything as it was.
"""

from collections.abc import Iterable, Sequence

from modelyard.api.optimization import ORIGINAL, Chosen, Goal, Variant

NOISE = 0.02
_DIGITS = 6
"""Of a loss; what comes after them is rounding in the arithmetic."""
_WORDS = {"latency": "faster", "throughput": "of more throughput", "size": "smaller", "cost": "cheaper"}
_OF_ROWS = ("throughput", "cost")


def loss(quality: float, original: float, *, higher_is_better: bool, scale: float) -> float:
    """Share of the original's quality that is lost; negative when the variant is better.

    `scale` is what 100 % means: the original's quality itself, or for errors such as MAE the error of a constant
    guess. A scale of 0 (nothing to lose) gives 0, or infinity when the variant is worse all the same.
    """
    worse = original - quality if higher_is_better else quality - original
    if worse == 0:
        return 0.0
    if scale <= 0:
        return float("inf") if worse > 0 else 0.0
    return worse / scale


def refusal(metric: str, quality: float, original: float, lost: float, bound: float) -> str | None:
    """Why a variant that lost the fraction `lost` of the quality may not be chosen; None when it may."""
    if lost <= bound:
        return None
    return f"{metric} goes from {original:.4g} to {quality:.4g}: {percent(lost)} is lost, {percent(bound)} is allowed."


def choose(variants: Sequence[Variant], goal: Goal, bound: float) -> Chosen:
    """The variant to use and why; `variants` must hold the original, measured. `bound` is the loss allowed (0 to 1)."""
    original = next(variant for variant in variants if variant.name == ORIGINAL)
    eligible = [variant for variant in variants if _eligible(variant, goal, bound)]
    better = [variant for variant in eligible if _better(variant, original, goal)]
    if not better:
        why = _why_original(variants, eligible, goal, bound)
        return Chosen(name=ORIGINAL, reason=why, speedup=1.0, quality_loss=0.0)
    lowest = min(better, key=lambda variant: cost(variant, goal))
    tied = [
        variant for variant in better if cost(variant, goal) <= cost(lowest, goal) * (1 + noise(variant, lowest, goal))
    ]
    winner = min(tied, key=lambda variant: (variant.size or 0, len(variant.passes), cost(variant, goal), variant.name))
    return chosen_as(variants, winner.name, goal, _why(winner, lowest, tied, goal))


def chosen_as(variants: Sequence[Variant], name: str, goal: Goal, reason: str) -> Chosen:
    """That variant as the one to use, against the original, for a reason."""
    by_name = {variant.name: variant for variant in variants}
    winner, original = by_name[name], by_name[ORIGINAL]
    if name == ORIGINAL:
        return Chosen(name=ORIGINAL, reason=reason, speedup=1.0, quality_loss=0.0)
    return Chosen(
        name=name,
        reason=reason,
        speedup=_speedup(winner, original, goal),
        quality_loss=winner.quality_loss,
        size_ratio=(winner.size or 0) / (original.size or 1),
    )


def contenders(variants: Sequence[Variant], goal: Goal, bound: float, most: int) -> tuple[str, ...]:
    """The original, and the names of so many variants that keep the quality and are better, the best first."""
    original = next(variant for variant in variants if variant.name == ORIGINAL)
    better = [variant for variant in variants if _eligible(variant, goal, bound) and _better(variant, original, goal)]
    return (ORIGINAL, *(variant.name for variant in sorted(better, key=lambda each: cost(each, goal))[:most]))


def cost(variant: Variant, goal: Goal) -> float:
    """What the goal wants small: 1 / speed-up, seconds a row, or bytes; infinite when it was not measured."""
    if goal == "latency":
        return 1 / variant.speedup if variant.speedup else float("inf")
    if goal in _OF_ROWS:
        return 1 / variant.throughput if variant.throughput else float("inf")
    return float(variant.size) if variant.size else float("inf")


def noise(first: Variant, second: Variant, goal: Goal) -> float:
    """The relative difference of two costs that measuring cannot tell apart; 0 for sizes, which are exact."""
    if goal == "size":
        return 0.0
    if goal == "latency":
        return max(NOISE, first.speedup_spread or 0.0, second.speedup_spread or 0.0)
    return max(NOISE, *(latency.spread for variant in (first, second) for latency in variant.latency.values()), 0.0)


def pareto(variants: Iterable[Variant]) -> frozenset[str]:
    """Names of the eligible variants that no other one beats in latency, size and quality at once."""
    points = {v.name: _point(v) for v in variants if v.refused is None and v.speedup and v.size}
    return frozenset(
        name for name, point in points.items() if not any(_dominates(rival, point) for rival in points.values())
    )


def _speedup(winner: Variant, original: Variant, goal: Goal) -> float | None:
    """At batch 1; for throughput that of the best batch."""
    if goal in _OF_ROWS and winner.throughput and original.throughput:
        return winner.throughput / original.throughput
    return winner.speedup


def _point(variant: Variant) -> tuple[float, ...]:
    return (cost(variant, "latency"), float(variant.size or 0), round(variant.quality_loss or 0.0, _DIGITS))


def _dominates(first: tuple[float, ...], second: tuple[float, ...]) -> bool:
    return first != second and all(a <= b for a, b in zip(first, second, strict=True))


def _eligible(variant: Variant, goal: Goal, bound: float) -> bool:
    if variant.name == ORIGINAL or variant.refused is not None or cost(variant, goal) == float("inf"):
        return False
    return variant.quality_loss is None or variant.quality_loss <= bound


def _better(variant: Variant, original: Variant, goal: Goal) -> bool:
    return cost(variant, goal) * (1 + noise(variant, original, goal)) < cost(original, goal)


def _why(winner: Variant, lowest: Variant, tied: Sequence[Variant], goal: Goal) -> str:
    if winner.name != lowest.name:
        return f"as good as {lowest.name} within the noise of measuring, and the smaller model."
    if len(tied) > 1:
        return f"the best for {goal}, and the smallest of the {len(tied)} that are as good within the noise."
    return f"the best for {goal} of all that keep the quality."


def _why_original(variants: Sequence[Variant], eligible: Sequence[Variant], goal: Goal, bound: float) -> str:
    if eligible:
        return f"the original stays: of all that keep the quality none is {_WORDS[goal]} by more than the noise."
    losses = {v.name: v.quality_loss for v in variants if v.name != ORIGINAL and v.quality_loss is not None}
    if losses and min(losses.values()) > bound:
        least = min(losses, key=lambda name: losses[name])
        return (
            f"the original stays: no variant keeps the quality; the least loss is {percent(losses[least])} "
            f"({least}). Allow more with --max-quality-loss, or give more precisions."
        )
    return "the original stays: no variant could be used, and each says why."


def percent(fraction: float) -> str:
    """A fraction as text: 0.0123 is "1.23 %"; three digits, and nothing that is only rounding."""
    return f"{round(100 * fraction, 4) + 0.0:.3g} %"
