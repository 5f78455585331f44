"""The settings of signatures, one group of `settings.py`."""

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel


class SigningSettings(BaseModel):
    """Who must have signed what is served, and what the builder signs with."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid", frozen=True)

    build_secret: str = Field(
        default="modelyard-build-key",
        description="Secret in the platform's namespace with the key that signs builds (private.pem) and the public "
        "keys that pods trust (every field that ends in .pub); the operator makes it when there is none.",
    )
    namespaces: dict[str, str] = Field(
        default={},
        description="Public keys (PEM, one after the other) by namespace, of which one must have signed whatever is "
        "served there; '*' is for every namespace that has no line of its own.",
    )
    key_file: str = Field(default="", description="The file of the private key with which this process signs builds.")

    def of(self, namespace: str) -> str:
        """The keys that a namespace demands; empty when it demands none."""
        return self.namespaces.get(namespace, self.namespaces.get("*", ""))
