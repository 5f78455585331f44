"""The base all our written types share: camelCase outside, snake_case inside, closed and immutable."""

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel
from pydantic.config import JsonDict


class Shape(BaseModel):
    """A closed, frozen type that is written in camelCase and read in either case."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid", frozen=True)


class StatusShape(Shape):
    """The same for what the operator wrote itself: a field of another version of the platform is left out of account.

    A Model that is stored with older names is read as if they were not there, never refused.
    """

    model_config = ConfigDict(extra="ignore")


def cel(rule: str, message: str) -> dict[str, str]:
    """One `x-kubernetes-validations` item: what must hold, and what to write when it does not."""
    return {"rule": rule, "message": message}


def validated(*rules: dict[str, str]) -> ConfigDict:
    """The `model_config` of a type whose fields must fit each other by these CEL rules."""
    extra: JsonDict = {"x-kubernetes-validations": [dict(rule) for rule in rules]}
    return ConfigDict(json_schema_extra=extra)
