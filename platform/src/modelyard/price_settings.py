"""The settings of prices, one group of `settings.py`."""

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel


class PriceSettings(BaseModel):
    """What resources cost, in whatever currency; 0 where it is not known."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid", frozen=True)

    cpu_core_hour: float = Field(default=0.0, ge=0, description="One core for one hour.")
    memory_gib_hour: float = Field(default=0.0, ge=0, description="One GiB of memory for one hour.")
    gpu_hour: float = Field(default=0.0, ge=0, description="One GPU for one hour.")

    @property
    def known(self) -> bool:
        """Whether any price is set."""
        return bool(self.cpu_core_hour or self.memory_gib_hour or self.gpu_hour)

    def cost(self, core_hours: float, gib_hours: float, gpu_hours: float) -> float | None:
        """What so much costs; None where no price is set."""
        if not self.known:
            return None
        return core_hours * self.cpu_core_hour + gib_hours * self.memory_gib_hour + gpu_hours * self.gpu_hour
