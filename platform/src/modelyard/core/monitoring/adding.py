"""Counts add: over the replicas of a recorder, over minutes, in any order."""

from collections.abc import Iterable, Mapping

from modelyard.api.monitoring.counts import FeatureCounts, MinuteCounts


def added(first: FeatureCounts, second: FeatureCounts) -> FeatureCounts:
    """The counts of both; raises ValueError when they are of different bins."""
    if first.bins and second.bins and len(first.bins) != len(second.bins):
        raise ValueError("counts of different bins do not add; they were made with different profiles.")
    longer, shorter = (first.bins, second.bins) if first.bins else (second.bins, first.bins)
    return FeatureCounts.model_construct(
        rows=first.rows + second.rows,
        missing=first.missing + second.missing,
        invalid=first.invalid + second.invalid,
        outside=first.outside + second.outside,
        bins=tuple(a + b for a, b in zip(longer, shorter or (0,) * len(longer), strict=True)),
    )


def features_added(many: Iterable[Mapping[str, FeatureCounts]]) -> dict[str, FeatureCounts]:
    """The counts of all by feature; raises ValueError as `added` does."""
    total: dict[str, FeatureCounts] = {}
    for counts in many:
        for name, feature in counts.items():
            total[name] = added(total[name], feature) if name in total else feature
    return total


def minute_added(many: Iterable[MinuteCounts]) -> MinuteCounts:
    """One minute of several replicas; the share is that of all requests together.

    Raises ValueError when there is none, or they are of different minutes or bins.
    """
    parts = list(many)
    if len({part.minute for part in parts}) != 1:
        raise ValueError("these are not counts of one minute.")
    requests = sum(part.requests for part in parts)
    whole = sum((part.requests or 1) / part.share for part in parts)
    return MinuteCounts(
        minute=parts[0].minute,
        share=min(1.0, sum(part.requests or 1 for part in parts) / whole),
        requests=requests,
        incomplete=sum(part.incomplete for part in parts),
        features=features_added(part.features for part in parts),
    )
