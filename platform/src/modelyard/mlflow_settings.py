"""Where MLflow is, and what is written into it; a group of `settings.Settings`."""

from pydantic import BaseModel, ConfigDict, Field, SecretStr
from pydantic.alias_generators import to_camel


class MlflowSettings(BaseModel):
    """The MLflow server whose registered models Models may name (`source.registry: mlflow`)."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid", frozen=True)

    url: str = Field(default="", description="Address of the MLflow server; empty means there is none.")
    username: str = Field(default="", description="User name for its basic authentication; empty means none.")
    password: SecretStr = Field(default=SecretStr(""), description="Password of that user; never logged.")
    token: SecretStr = Field(default=SecretStr(""), description="Bearer token, in place of a user; never logged.")
    ca_file: str = Field(default="", description="File of PEM certificates that sign the server's; empty: the usual.")
    interval_seconds: float = Field(
        default=30, ge=1, le=3600, description="Seconds between two rounds of the sync; a webhook begins one at once."
    )
    write_back: bool = Field(
        default=False, description="Write tags with digest, stage and SLO results to the versions that Models serve."
    )
    promoted_alias: str = Field(
        default="",
        pattern=r"^([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?$",
        description="Alias that is set in MLflow, once, to a version that a rollout promoted; empty: none is.",
    )
    webhook_secret: SecretStr = Field(
        default=SecretStr(""), description="Secret that MLflow signs its webhooks with; empty: none is believed."
    )
    port: int = Field(default=9090, ge=0, le=65535, description="Port of /healthz, /readyz, /metrics and /webhook.")
