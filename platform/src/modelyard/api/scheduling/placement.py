"""Where the replicas of a Model may run: what `spec.serving` says of it, and the one way of writing it down.

All of it changes pods, so all of it is part of a revision's name and is rolled out like any other change of them. Equal
placements are one placement however they were written: lists in them are sets, and what says nothing is left out.
"""

import json
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from modelyard.api.shape import Shape, cel, validated

from .affinity import Affinity, Keys, LabelSelector
from .labels import LabelKey, LabelMap, LabelValue, PriorityClassName

MAX_TOLERATIONS, MAX_CONSTRAINTS = 16, 8
_SAY_EXISTS = "operator Exists takes no value: remove it, or write operator: Equal"
_SAY_EVERYTHING = "a toleration without a key is for every taint: write operator: Exists, or a key"
_SAY_SECONDS = "tolerationSeconds is for effect NoExecute: remove it or change the effect"
_SAY_DOMAINS = "minDomains is for whenUnsatisfiable: DoNotSchedule: remove it or change that"
_SAY_ONCE = "write one constraint for a topologyKey and whenUnsatisfiable, not two"


class Toleration(Shape):
    """A taint of nodes that keeps no replica away."""

    model_config = validated(
        cel("!has(self.operator) || self.operator != 'Exists' || !has(self.value) || self.value == ''", _SAY_EXISTS),
        cel("has(self.key) || (has(self.operator) && self.operator == 'Exists')", _SAY_EVERYTHING),
        cel("!has(self.tolerationSeconds) || (has(self.effect) && self.effect == 'NoExecute')", _SAY_SECONDS),
    )

    key: LabelKey | None = Field(default=None, description="Key of the taint; every taint when left out.")
    operator: Literal["Exists", "Equal"] = Field(
        default="Equal", description="Equal: key and value are the taint's; Exists: the key is."
    )
    value: LabelValue | None = Field(default=None, description="Value of the taint, for Equal.")
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = Field(
        default=None, description="Effect of the taint; every effect when left out."
    )
    toleration_seconds: int | None = Field(
        default=None, description="With NoExecute: how long a replica stays; for ever when left out."
    )

    @model_validator(mode="after")
    def _fits(self) -> "Toleration":
        if self.operator == "Exists" and self.value:
            raise ValueError(_SAY_EXISTS)
        if self.key is None and self.operator != "Exists":
            raise ValueError(_SAY_EVERYTHING)
        if self.toleration_seconds is not None and self.effect != "NoExecute":
            raise ValueError(_SAY_SECONDS)
        return self


class TopologySpreadConstraint(Shape):
    """How evenly the replicas of a revision are spread over nodes, zones or other places."""

    model_config = validated(
        cel("!has(self.minDomains) || self.whenUnsatisfiable == 'DoNotSchedule'", _SAY_DOMAINS),
    )

    max_skew: Annotated[int, Field(ge=1, le=1000)] = Field(
        description="How many replicas more than in the emptiest place there may be in any."
    )
    topology_key: LabelKey = Field(description="Label of nodes: those with equal values count as one place.")
    when_unsatisfiable: Literal["DoNotSchedule", "ScheduleAnyway"] = Field(
        description="DoNotSchedule: a replica waits; ScheduleAnyway: it is spread as well as can be."
    )
    label_selector: LabelSelector | None = Field(
        default=None, description="Which pods are counted; those of the same revision when left out."
    )
    match_label_keys: Keys | None = Field(
        default=None, description="Labels in which the pods that are counted are like the replica itself."
    )
    min_domains: Annotated[int, Field(ge=1, le=1000)] | None = Field(
        default=None, description="With DoNotSchedule: at least so many places have to be there."
    )
    node_affinity_policy: Literal["Honor", "Ignore"] | None = Field(
        default=None, description="Honor: nodes that the replica may not run on do not count; Ignore: they do."
    )
    node_taints_policy: Literal["Honor", "Ignore"] | None = Field(
        default=None, description="Honor: nodes with taints that it does not tolerate do not count; Ignore: they do."
    )

    @model_validator(mode="after")
    def _fits(self) -> "TopologySpreadConstraint":
        if self.min_domains is not None and self.when_unsatisfiable != "DoNotSchedule":
            raise ValueError(_SAY_DOMAINS)
        return self


def _each_once(constraints: list[TopologySpreadConstraint]) -> list[TopologySpreadConstraint]:
    if len({(each.topology_key, each.when_unsatisfiable) for each in constraints}) != len(constraints):
        raise ValueError(_SAY_ONCE)
    return constraints


Tolerations = Annotated[list[Toleration], Field(max_length=MAX_TOLERATIONS)]
Constraints = Annotated[
    list[TopologySpreadConstraint],
    Field(
        max_length=MAX_CONSTRAINTS,
        json_schema_extra={
            "x-kubernetes-validations": [
                dict(
                    cel(
                        "self.all(i, self.filter(j, j.topologyKey == i.topologyKey && "
                        "j.whenUnsatisfiable == i.whenUnsatisfiable).size() == 1)",
                        _SAY_ONCE,
                    )
                )
            ]
        },
    ),
    AfterValidator(_each_once),
]


class Placement(Shape):
    """Where replicas may run, how they are spread, and how important they are."""

    node_selector: LabelMap | None = Field(default=None, description="Labels a node must have to run a replica.")
    tolerations: Tolerations | None = Field(default=None, description="Taints of nodes that keep no replica away.")
    affinity: Affinity | None = Field(default=None, description="Which nodes and neighbours a replica may have.")
    priority_class_name: PriorityClassName | None = Field(
        default=None, description="PriorityClass of the replicas, which decides who gives way when nodes are full."
    )
    topology_spread_constraints: Constraints | None = Field(
        default=None,
        description="How replicas are spread; over nodes as well as can be when left out, not at all for [].",
    )

    def placement(self) -> dict[str, Any] | None:
        """The fields of a PodSpec, equal for equal placements; None when nothing is said of it."""
        written = self.model_dump(by_alias=True, exclude_none=True, mode="json", include=set(Placement.model_fields))
        said = {name: _in_order(value) for name, value in written.items() if value or name == _CONSTRAINTS}
        if "affinity" in said:
            said["affinity"] = _without_empty(said["affinity"])
        said = {name: value for name, value in said.items() if value or name == _CONSTRAINTS}
        return said or None


_CONSTRAINTS = "topologySpreadConstraints"


def _in_order(value: Any) -> Any:
    """The value with every list in one order and without repetitions."""
    if isinstance(value, dict):
        return {name: _in_order(inner) for name, inner in value.items()}
    if isinstance(value, list):
        texts = {json.dumps(_in_order(item), sort_keys=True) for item in value}
        return [json.loads(text) for text in sorted(texts)]
    return value


def _without_empty(affinity: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Affinity without lists that name nothing; an empty selector inside is one that means every pod."""
    parts = {name: {how: terms for how, terms in part.items() if terms} for name, part in affinity.items()}
    return {name: part for name, part in parts.items() if part}
