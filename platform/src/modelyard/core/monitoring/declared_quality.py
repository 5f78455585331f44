"""What a Model's spec says of columns, put into the profile: it knows better than the rows of a reference."""

from modelyard.api.monitoring.profile import FeatureProfile, ReferenceProfile
from modelyard.api.monitoring.spec import ColumnQuality, Monitoring

from .model_state import DriftPolicy


def policy_of(monitoring: Monitoring | None) -> DriftPolicy:
    """The policy of a Model's spec.monitoring; the default without one."""
    drift = (monitoring or Monitoring()).drift
    return DriftPolicy(drift.false_alarms_a_year, tuple(drift.features or ()))


def with_declared(profile: ReferenceProfile, monitoring: Monitoring | None) -> ReferenceProfile:
    """The profile with declared ranges in the place of seen ones, and with declared shares of missing rows.

    A declared range was kept by every row of the reference, for whoever counts from now on. Columns that the profile
    does not have, and ranges of columns that are no numbers, are left alone: `undeclarable` names them.
    """
    if monitoring is None or monitoring.quality is None:
        return profile
    rules = {column.name: column for column in monitoring.quality.columns}
    features = tuple(_declared(one, rules[one.name]) if one.name in rules else one for one in profile.features)
    return profile.model_copy(update={"features": features})


def undeclarable(profile: ReferenceProfile, monitoring: Monitoring | None) -> list[str]:
    """A sentence for each declaration that finds nothing in the profile."""
    if monitoring is None or monitoring.quality is None:
        return []
    told = []
    for column in monitoring.quality.columns:
        feature = profile.feature(column.name)
        if feature is None:
            told.append(f"quality names {column.name!r}, which the reference does not have.")
        elif feature.kind != "number" and (column.min is not None or column.max is not None):
            told.append(f"quality gives {column.name!r} a range, but it is a {feature.kind}: leave min and max out.")
    return told


def _declared(feature: FeatureProfile, column: ColumnQuality) -> FeatureProfile:
    changes: dict[str, float | int | None] = {"allowed_missing": column.missing_share}
    if feature.kind == "number" and (column.min is not None or column.max is not None):
        changes |= {
            "low": feature.low if column.min is None else column.min,
            "high": feature.high if column.max is None else column.max,
            "outside": 0,
        }
    return feature.model_copy(update=changes)
