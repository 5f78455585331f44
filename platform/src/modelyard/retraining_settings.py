"""The one switch of all retraining; a group of `settings.Settings`."""

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel


class RetrainingSettings(BaseModel):
    """Whether Models may have new versions trained (`spec.retrain`)."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid", frozen=True)

    enabled: bool = Field(
        default=True, description="false: no retraining begins, and what is under way is ended, of every Model."
    )
