"""What a Model costs, and what its cache saves, in words."""

from modelyard.api.model import Model
from modelyard.api.quantity import shown
from modelyard.clients.metrics.response_cache import CacheCounts


def cost_words(model: Model) -> str:
    """`0.000125 per 1,000 requests, 63% idle`; empty where no prices are set, or nothing is known yet."""
    cost = model.status.cost
    if cost is None:
        return ""
    each = "no requests" if cost.per_thousand is None else f"{shown(cost.per_thousand)} per 1,000 requests"
    return f"{each}, {'at least ' if cost.guess else ''}{cost.idle_share:.0%} idle"


def cost_sentence(model: Model) -> str:
    """The same with what it is of, and what the share means; empty like it."""
    words, cost = cost_words(model), model.status.cost
    if cost is None:
        return ""
    meaning = (
        "so much of the time nobody asked (spec.tune measures what a replica takes on, and then the share is exact)"
        if cost.guess
        else "so much of what is reserved nobody needed"
    )
    return f"{words}, over ten minutes up to {cost.time}: {meaning}."


def cache_sentence(model: Model, counts: CacheCounts | None) -> str:
    """How often an answer was given again by the revision that serves; empty where it keeps none."""
    kept = next((each.cache for each in model.status.revisions if each.name == model.status.revision), None)
    if not kept:
        return ""
    if counts is None:
        return f"{kept:,} bytes of every replica; how often that helps cannot be read from here."
    asked = counts.hits + counts.misses
    return f"{counts.ratio:.0%} of {asked:,} questions were answered from memory, {kept:,} bytes of every replica."
