"""`spec.source.verify`: whose signature an entry needs, and where their public keys are."""

import re
from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from modelyard.api.shape import Shape, cel, validated

_SAY_ONE = "write either configMap or secret, and only one of them"
_NAME, _SAY_NAME = "^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$", "write the name of a ConfigMap or Secret, such as model-keys"
_FIELD, _SAY_FIELD = "^[-._a-zA-Z0-9]+$", "write the name of one of its fields, such as alice.pub"


def _name(value: str) -> str:
    if not re.fullmatch(_NAME, value):
        raise ValueError(_SAY_NAME)
    return value


def _field(value: str) -> str:
    if not re.fullmatch(_FIELD, value):
        raise ValueError(_SAY_FIELD)
    return value


class KeyFile(Shape):
    """Public keys in an object of the Model's namespace."""

    model_config = validated(
        cel(f"self.name.matches('{_NAME}')", _SAY_NAME),
        cel(f"!has(self.key) || self.key.matches('{_FIELD}')", _SAY_FIELD),
    )

    name: Annotated[str, AfterValidator(_name)] = Field(max_length=253, description="Name of the object.")
    key: Annotated[str, AfterValidator(_field)] | None = Field(
        default=None,
        max_length=253,
        description="The one field of it that holds keys; every field that ends in .pub when left out.",
    )


class KeySource(Shape):
    """Where public keys are: a ConfigMap or a Secret."""

    model_config = validated(cel("has(self.configMap) != has(self.secret)", _SAY_ONE))

    config_map: KeyFile | None = Field(default=None, description="Keys in a ConfigMap.")
    secret: KeyFile | None = Field(default=None, description="Keys in a Secret.")

    @model_validator(mode="after")
    def _one_of_both(self) -> "KeySource":
        if (self.config_map is None) == (self.secret is None):
            raise ValueError(_SAY_ONE)
        return self

    @property
    def place(self) -> tuple[str, KeyFile]:
        """The kind of the object, and which one it is."""
        if self.config_map is not None:
            return "ConfigMap", self.config_map
        assert self.secret is not None
        return "Secret", self.secret


class Verify(Shape):
    """One of these keys must have signed the entry; the build made of it is signed and checked by every pod."""

    keys: Annotated[list[KeySource], Field(min_length=1, max_length=8)] = Field(
        description="Where the public keys are; several, so that one key can take over from another."
    )
