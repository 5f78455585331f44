"""What the clients of a model rely on: its inputs and outputs, the names of its classes, its categories."""

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from modelyard.api.entry import Tensor
from modelyard.api.monitoring.profile import ReferenceProfile


class CategoryFeature(BaseModel):
    """An input of categories: its most frequent ones, and the CRC-32 of all that were seen."""

    model_config = ConfigDict(frozen=True)

    name: str
    frequent: tuple[str, ...]
    seen: frozenset[int]


class Contract(BaseModel):
    """One version's. `entry` is the digest of the entry it is of, empty where that is not known."""

    model_config = ConfigDict(frozen=True)

    entry: str = ""
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    labels: tuple[str, ...] = ()
    categories: tuple[CategoryFeature, ...] = ()

    def with_profile(self, profile: ReferenceProfile | None) -> "Contract":
        """The same with the categories of a reference."""
        features = () if profile is None else profile.features
        found = tuple(
            CategoryFeature(name=feature.name, frequent=feature.categories, seen=frozenset(feature.seen))
            for feature in features
            if feature.role == "input" and feature.kind == "category"
        )
        return self.model_copy(update={"categories": found})


class ReportedContract(BaseModel):
    """What `report.json` of a build tells of it; open to all else that is in there."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="ignore")

    class Source(BaseModel):
        """What was built."""

        digest: str = ""

    source: Source = Source()
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    labels: tuple[str, ...] = ()

    def contract(self) -> Contract:
        """The contract, without categories."""
        return Contract(entry=self.source.digest, inputs=self.inputs, outputs=self.outputs, labels=self.labels)
