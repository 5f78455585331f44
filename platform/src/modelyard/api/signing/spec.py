"""`spec.source.verify`: whose signature an entry needs, and where their public keys are."""

from typing import Annotated

from pydantic import Field, model_validator

from modelyard.api.shape import Shape, cel, validated

_SAY_ONE = "write either configMap or secret, and only one of them"
_NAME = r"^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$"
_FIELD = r"^[-._a-zA-Z0-9]+$"


class KeyFile(Shape):
    """Public keys in an object of the Model's namespace."""

    name: Annotated[str, Field(pattern=_NAME)] = Field(description="Name of the object.")
    key: Annotated[str, Field(pattern=_FIELD, max_length=253)] | None = Field(
        default=None, description="The one field of it that holds keys; every field that ends in .pub when left out."
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
