"""Affinity to nodes and pods, field by field as in a PodSpec.

A selector of pods has to be written: Kubernetes takes a missing one for "no pod at all", which nobody means.
"""

import re
from typing import Annotated, Literal

from pydantic import Field, model_validator

from modelyard.api.shape import Shape, cel, validated

from .labels import LabelKey, LabelMap, LabelValue

MAX_TERMS, MAX_VALUES = 8, 16
_SAY_VALUES = "operator In and NotIn need values, Exists and DoesNotExist take none"
_SAY_NUMBER = 'operator Gt and Lt need one whole number as their value, such as ["4"]'
_SAY_TERM = "write matchExpressions or matchFields: a term without any matches no node"
_VALUES_FIT = (
    "!(self.operator in ['In', 'NotIn', 'Exists', 'DoesNotExist']) || "
    "(self.operator in ['In', 'NotIn']) == (has(self.values) && self.values.size() > 0)"
)
_NUMBER_FITS = (
    "!(self.operator in ['Gt', 'Lt']) || "
    "(has(self.values) && self.values.size() == 1 && self.values[0].matches('^-?[0-9]+$'))"
)

Values = Annotated[list[LabelValue], Field(max_length=MAX_VALUES)]
Keys = Annotated[list[LabelKey], Field(max_length=MAX_VALUES)]


def _check_values(operator: str, values: list[str] | None) -> None:
    if operator in ("Gt", "Lt"):
        if len(values or ()) != 1 or re.fullmatch("-?[0-9]+", (values or [""])[0]) is None:
            raise ValueError(_SAY_NUMBER)
    elif (operator in ("In", "NotIn")) != bool(values):
        raise ValueError(_SAY_VALUES)


class LabelRequirement(Shape):
    """What the label of a pod or namespace has to be."""

    model_config = validated(cel(_VALUES_FIT, _SAY_VALUES))

    key: LabelKey = Field(description="Key of the label.")
    operator: Literal["In", "NotIn", "Exists", "DoesNotExist"] = Field(description="In, NotIn, Exists or DoesNotExist.")
    values: Values | None = Field(default=None, description="Values for In and NotIn.")

    @model_validator(mode="after")
    def _values_fit(self) -> "LabelRequirement":
        _check_values(self.operator, self.values)
        return self


class LabelSelector(Shape):
    """Which pods or namespaces are meant: all whose labels meet every requirement."""

    match_labels: LabelMap | None = Field(default=None, description="Labels that have to be there.")
    match_expressions: Annotated[list[LabelRequirement], Field(max_length=MAX_TERMS)] | None = Field(
        default=None, description="Requirements of labels."
    )


class NodeRequirement(Shape):
    """What the label or field of a node has to be."""

    model_config = validated(cel(_VALUES_FIT, _SAY_VALUES), cel(_NUMBER_FITS, _SAY_NUMBER))

    key: LabelKey = Field(description="Key of the label, or name of the field.")
    operator: Literal["In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"] = Field(
        description="In, NotIn, Exists, DoesNotExist, Gt or Lt."
    )
    values: Values | None = Field(default=None, description="Values for In, NotIn, Gt and Lt.")

    @model_validator(mode="after")
    def _values_fit(self) -> "NodeRequirement":
        _check_values(self.operator, self.values)
        return self


NodeRequirements = Annotated[list[NodeRequirement], Field(max_length=MAX_TERMS)]


class NodeSelectorTerm(Shape):
    """Nodes that meet every requirement."""

    model_config = validated(
        cel(
            "(has(self.matchExpressions) && self.matchExpressions.size() > 0) "
            "|| (has(self.matchFields) && self.matchFields.size() > 0)",
            _SAY_TERM,
        )
    )

    match_expressions: NodeRequirements | None = Field(default=None, description="Requirements of the node's labels.")
    match_fields: NodeRequirements | None = Field(default=None, description="The same of its fields: metadata.name.")

    @model_validator(mode="after")
    def _says_something(self) -> "NodeSelectorTerm":
        if not self.match_expressions and not self.match_fields:
            raise ValueError(_SAY_TERM)
        return self


class NodeSelectorTerms(Shape):
    """Nodes that match one of the terms."""

    node_selector_terms: Annotated[list[NodeSelectorTerm], Field(min_length=1, max_length=MAX_TERMS)] = Field(
        description="One of them has to match."
    )


class PreferredNodes(Shape):
    """Nodes that are liked better than others."""

    weight: Annotated[int, Field(ge=1, le=100)] = Field(description="1 to 100: the higher, the more it counts.")
    preference: NodeSelectorTerm = Field(description="Which nodes.")


class NodeAffinity(Shape):
    """Which nodes a replica may run on, and which it prefers."""

    required_during_scheduling_ignored_during_execution: NodeSelectorTerms | None = Field(
        default=None, description="It runs on no other node."
    )
    preferred_during_scheduling_ignored_during_execution: (
        Annotated[list[PreferredNodes], Field(max_length=MAX_TERMS)] | None
    ) = Field(default=None, description="Better ones, by weight.")


class PodAffinityTerm(Shape):
    """Near which pods, or far from them."""

    label_selector: LabelSelector = Field(description="Which pods.")
    topology_key: LabelKey = Field(description="Label of nodes: those with equal values count as one place.")
    namespaces: Keys | None = Field(default=None, description="Namespaces of these pods; the Model's when left out.")
    namespace_selector: LabelSelector | None = Field(default=None, description="Namespaces by their labels.")
    match_label_keys: Keys | None = Field(
        default=None, description="Labels in which those pods are like the replica itself."
    )
    mismatch_label_keys: Keys | None = Field(
        default=None, description="Labels in which those pods differ from the replica itself."
    )


class PreferredPods(Shape):
    """Pods whose neighbourhood is liked better, or worse."""

    weight: Annotated[int, Field(ge=1, le=100)] = Field(description="1 to 100: the higher, the more it counts.")
    pod_affinity_term: PodAffinityTerm = Field(description="Which pods.")


class PodAffinity(Shape):
    """Other pods that a replica runs near to, or keeps away from."""

    required_during_scheduling_ignored_during_execution: (
        Annotated[list[PodAffinityTerm], Field(max_length=MAX_TERMS)] | None
    ) = Field(default=None, description="It runs nowhere else.")
    preferred_during_scheduling_ignored_during_execution: (
        Annotated[list[PreferredPods], Field(max_length=MAX_TERMS)] | None
    ) = Field(default=None, description="Better places, by weight.")


class Affinity(Shape):
    """Which nodes and neighbours a replica may have."""

    node_affinity: NodeAffinity | None = Field(default=None, description="Nodes by their labels.")
    pod_affinity: PodAffinity | None = Field(default=None, description="Pods it runs near to.")
    pod_anti_affinity: PodAffinity | None = Field(default=None, description="Pods it keeps away from.")
