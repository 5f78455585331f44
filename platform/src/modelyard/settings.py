"""Every setting there is, read once and passed down.

Sources, the later wins: defaults, a YAML file, environment variables `MODELYARD_<GROUP>_<FIELD>`
(`MODELYARD_STORE_ENDPOINT`). The file is `$MODELYARD_CONFIG`, else the nearest `.modelyard/config.yaml`
upward from the working directory, else `~/.config/modelyard/config.yaml`. Its keys are camelCase and are
the same as the Helm chart's `config:` map.
"""

import os
import re
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    SerializerFunctionWrapHandler,
    ValidationError,
    model_serializer,
    model_validator,
)
from pydantic.alias_generators import to_camel, to_snake
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from .errors import InvalidSettings
from .mlflow_settings import MlflowSettings
from .price_settings import PriceSettings
from .retraining_settings import RetrainingSettings
from .signing_settings import SigningSettings


class _Group(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid", frozen=True)


_PROMETHEUS = "http://prometheus.monitoring:9090"


class StoreSettings(_Group):
    """The S3 bucket that holds entries and builds."""

    endpoint: str = Field(default="", description="URL of the S3 API for this process; empty means AWS itself.")
    serving_endpoint: str = Field(default="", description="For pods of Models, a node's cache; empty: endpoint.")
    bucket: str = Field(default="modelyard", description="Bucket for entries and builds.")
    region: str = Field(default="us-east-1", description="Region name to sign requests for.")
    access_key_id: str = Field(default="", description="Access key; empty means the default AWS credential chain.")
    secret_access_key: SecretStr = Field(default=SecretStr(""), description="Secret key; never logged.")
    writer_secret: str = Field(
        default="modelyard-store-writer",
        description="Secret in the platform's namespace that build Jobs use to write.",
    )
    reader_secret: str = Field(
        default="modelyard-store-reader",
        description="Secret in the platform's namespace with the keys that read, for the operator and for serving.",
    )


class GatewaySettings(_Group):
    """The Gateway that publishes models."""

    name: str = Field(default="modelyard", description="Name of the Gateway.")
    namespace: str = Field(default="modelyard-system", description="Namespace of the Gateway.")
    domain: str = Field(default="models.local", description="Models are published at <model>.<namespace>.<domain>.")
    url: str = Field(
        default="http://modelyard-gateway.envoy-gateway-system.svc.cluster.local",
        description="Where this process reaches the gateway's HTTP listener.",
    )
    public_url: str = Field(default="", description="Address people use for the path form, when there is no DNS.")
    evidence: Literal["envoy", "prometheus"] = Field(
        default="envoy",
        description="Who is asked how a candidate's requests went: the gateway's pods, or a Prometheus.",
    )
    prometheus_url: str = Field(
        default="",
        description="The Prometheus that scrapes the gateway's pods, for `evidence: prometheus` and for KEDA.",
    )

    @model_validator(mode="after")
    def _evidence_has_an_address(self) -> "GatewaySettings":
        if self.evidence == "prometheus" and not self.prometheus_url:
            raise ValueError(f"evidence: prometheus needs prometheusUrl, such as {_PROMETHEUS}")
        if not re.fullmatch(r"(https?://[^\s/]\S*)?", self.prometheus_url):
            raise ValueError(f"prometheusUrl is no address: write one such as {_PROMETHEUS}")
        return self


class AutoscalingSettings(_Group):
    """Who chooses the number of replicas of Models with `spec.scaling`."""

    autoscaler: Literal["auto", "keda", "hpa", "none"] = Field(
        default="auto",
        description="keda (by requests, needs KEDA and gateway.prometheusUrl), hpa (by CPU, needs metrics-server), "
        "none, or auto: the first of these that the cluster has.",
    )
    window_seconds: int = Field(
        default=60,
        ge=10,
        le=600,
        description="Seconds that KEDA counts requests over; at least twice the interval at which Prometheus scrapes.",
    )


class BuildSettings(_Group):
    """How build Jobs run."""

    image: str = Field(default="docker.io/modelyard/builder:0.1.0", description="Image of build Jobs.")
    service_account: str = Field(default="modelyard-builder", description="ServiceAccount of build Jobs.")
    timeout_seconds: int = Field(
        default=900, ge=30, description="A build Job that runs longer than this many seconds fails."
    )
    cpu: str = Field(default="500m", description="CPU request of build Jobs.")
    memory: str = Field(default="512Mi", description="Memory request of build Jobs.")
    memory_limit: str = Field(default="2Gi", description="Memory limit of build Jobs.")
    optimize_cpu: str = Field(
        default="1", description="CPU request of Jobs that optimize; timings need one of their own."
    )
    optimize_memory: str = Field(default="1Gi", description="Memory request of Jobs that optimize.")
    optimize_memory_limit: str = Field(default="4Gi", description="Memory limit of Jobs that optimize.")
    gpu_image: str = Field(
        default="",
        description="Image of Jobs that optimize for a GPU; empty means `image`, which cannot use one. "
        "docker.io/modelyard/builder-gpu:0.1.0 is the one made for it.",
    )
    train_image: str = Field(
        default="",
        description="Image of the container that runs the training recipes of entries (`optimize.train`), which are "
        "Python of whoever may push entries; empty means nobody may.",
    )
    train_timeout_seconds: int = Field(default=3600, ge=60, description="What a Job gets on top when it trains.")
    train_cpu: str = Field(
        default="100m", description="CPU request of that container; while it works, the builder only waits."
    )
    train_memory: str = Field(default="1Gi", description="Memory request of that container.")
    train_memory_limit: str = Field(default="4Gi", description="Memory limit of that container.")
    mlflow_tracking_uri: str = Field(default="", description="MLflow server trainings are logged to, or empty.")
    mlflow_secret: str = Field(
        default="",
        description="Secret in the platform's namespace with the login trainings are logged with: username and "
        "password, or token. Recipes can read it, so it is to allow nothing else; empty means none.",
    )
    mlflow_ca_config_map: str = Field(
        default="",
        description="ConfigMap with ca.crt, certificates that sign that server's where the usual ones do not.",
    )
    wandb_secret: str = Field(
        default="",
        description="Secret with apiKey (and baseUrl) of Weights & Biases, to log trainings there and not to MLflow; "
        "recipes can read it. Empty means none.",
    )


class GateScenario(_Group):
    """A load that a rollout's load test may name, as loadtests/scenarios/*.yaml say it, without whom to ask."""

    load: dict[str, dict[str, Any]] = Field(description="One shape of load: steady, ramp, spike or steps.")
    duration: str = Field(default="60s", pattern="^[1-9][0-9]{0,3}[sm]$", description="How long, such as 90s or 5m.")
    grpc_share: float | None = Field(default=None, ge=0, le=1, description="Share sent over gRPC; half when left out.")
    binary_share: float | None = Field(
        default=None, ge=0, le=1, description="Share sent over HTTP with raw tensors; none when left out."
    )
    inputs: dict[str, Any] | None = Field(
        default=None, description="Different requests in turn: {tensors: [...]}; those of the build when left out."
    )

    @model_validator(mode="after")
    def _one_load(self) -> "GateScenario":
        shapes = ("steady", "ramp", "spike", "steps")
        if len(self.load) != 1 or not set(self.load) <= set(shapes):
            raise ValueError(f"write one shape of load: {', '.join(shapes)} (a trace needs a file: modelyard loadtest)")
        return self

    @model_serializer(mode="wrap")
    def _said(self, written: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Without what is left out."""
        return {name: value for name, value in written(self).items() if value is not None}

    def written(self) -> dict[str, Any]:
        """As a scenario's file has it."""
        return self.model_dump(by_alias=True)


_SCENARIOS = {
    "campaign": GateScenario(load={"spike": {"base": 10, "peak": 40, "at": "20s", "for": "20s"}}),
    "morning": GateScenario(load={"ramp": {"from": 2, "to": 30, "over": "45s"}}),
}
ScenarioName = Annotated[str, Field(pattern="^[a-z][-a-z0-9]*$", max_length=63)]


class CheckSettings(_Group):
    """How load tests and comparisons of outputs run: as build Jobs do, in the same image, with these resources."""

    scenarios: dict[ScenarioName, GateScenario] = Field(
        default=_SCENARIOS, description="Loads by the name that `rollout.loadTest.scenario` gives, beside steady."
    )

    cpu: str = Field(default="500m", description="CPU request of the Jobs that check a candidate.")
    memory: str = Field(default="256Mi", description="Memory request of these Jobs.")
    memory_limit: str = Field(default="1Gi", description="Memory limit of these Jobs.")


class ServingSettings(_Group):
    """Runtimes new revisions are made with, versioned by name."""

    cpu_runtime: str = Field(default="modelyard-triton-cpu-v2", description="ClusterServingRuntime for CPU revisions.")
    gpu_runtime: str = Field(default="modelyard-triton-v1", description="ClusterServingRuntime for GPU revisions.")
    auto_runtime: str = Field(default="cpu", pattern="^(cpu|gpu)$", description="What `runtime: auto` means here.")
    start_seconds: float = Field(
        default=300, gt=0, description="Seconds a new revision may take to become ready before a person is told."
    )
    drain_seconds: float = Field(
        default=30, ge=0, description="Seconds between a revision's last weight and its removal."
    )
    settle_seconds: float = Field(
        default=2, ge=0, description="Seconds a programmed route is given to reach every Envoy."
    )
    capacity_check: Literal["refuse", "warn", "off"] = Field(
        default="refuse",
        description="What is done with a step of a rollout that the nodes cannot hold: refuse (it waits for room), "
        "warn (it begins and says what is missing: where a cluster autoscaler adds nodes), or off.",
    )
    disruption_budgets: bool = Field(
        default=True,
        description="A PodDisruptionBudget for every revision with two replicas or more; false where others make them.",
    )


Pattern = Annotated[str, Field(pattern=r"^[A-Za-z0-9][-A-Za-z0-9_./]*[*]?$", max_length=317)]
Patterns = Annotated[list[Pattern], Field(max_length=50)]


class PropagateSettings(_Group):
    """Which labels and annotations of a Model its pods get; a key, or its beginning and a star: example.com/*."""

    labels: Patterns = Field(
        default=["team", "cost-center", "cost-centre", "app.kubernetes.io/part-of"],
        description="Labels of a Model that its pods get.",
    )
    annotations: Patterns = Field(default=[], description="Annotations of a Model that its pods get.")


class HolderSettings(_Group):
    """Where requests for Models at zero replicas wait."""

    max_wait_seconds: float = Field(default=60, ge=1, le=600, description="Seconds that one request may wait.")
    max_requests: int = Field(default=2000, ge=1, description="Requests that may wait for one Model in one holder.")
    max_bytes: int = Field(default=64 * 1024 * 1024, ge=1, description="Bytes of their bodies together.")
    http_port: int = Field(default=8080, ge=1, le=65535, description="Where the gateway's HTTP requests come.")
    grpc_port: int = Field(default=9000, ge=1, le=65535, description="Where the gateway's gRPC calls come.")
    status_port: int = Field(
        default=9090, ge=1, le=65535, description="Port of /waiting, /healthz, /readyz and /metrics."
    )


class RecorderSettings(_Group):
    """Who takes the gateway's copies of requests of Models that are recorded."""

    installed: bool = Field(default=False, description="Whether there are recorders; without, nothing is recorded.")
    key: SecretStr = Field(default=SecretStr(""), description="What hashes of redacted values are made with.")
    body_bytes: int = Field(default=1024 * 1024, ge=1024, description="Longest body that is recorded, in bytes.")
    streams: int = Field(default=500, ge=1, description="Requests that one recorder takes at a time.")
    memory_bytes: int = Field(
        default=128 * 1024 * 1024,
        ge=1024,
        description="Bytes of rows that may wait; of labels a quarter of it.",
    )
    grpc_port: int = Field(default=9002, ge=1, le=65535, description="Where the gateway's copies come.")
    status_port: int = Field(default=9090, ge=1, le=65535, description="Port of /healthz, /readyz and /metrics.")


class OperatorSettings(_Group):
    """The controller process."""

    namespace: str = Field(
        default="modelyard-system", description="Namespace of the platform: Lease and build Jobs live here."
    )
    identity: str = Field(default="", description="Name of this replica in the Lease; empty means the host name.")
    workers: int = Field(default=4, ge=1, le=64, description="Models reconciled at the same time.")
    metrics_port: int = Field(default=9090, description="Port of /metrics, /healthz and /readyz.")
    lease_seconds: float = Field(default=15, gt=0, description="Seconds after which a silent leader is replaced.")
    alias_seconds: float = Field(
        default=15, gt=0, description="Seconds between two checks of an alias that Models follow."
    )


class Settings(BaseSettings):
    """All settings; frozen. Build with `Settings.read()` for errors a person can act on."""

    model_config = SettingsConfigDict(
        env_prefix="MODELYARD_",
        env_nested_delimiter="_",
        env_nested_max_split=1,
        alias_generator=to_camel,
        populate_by_name=True,
        extra="ignore",
        frozen=True,
    )

    store: StoreSettings = StoreSettings()
    gateway: GatewaySettings = GatewaySettings()
    autoscaling: AutoscalingSettings = AutoscalingSettings()
    build: BuildSettings = BuildSettings()
    check: CheckSettings = CheckSettings()
    serving: ServingSettings = ServingSettings()
    propagate: PropagateSettings = PropagateSettings()
    holder: HolderSettings = HolderSettings()
    recorder: RecorderSettings = RecorderSettings()
    prices: PriceSettings = PriceSettings()
    signing: SigningSettings = SigningSettings()
    operator: OperatorSettings = OperatorSettings()
    mlflow: MlflowSettings = MlflowSettings()
    retraining: RetrainingSettings = RetrainingSettings()

    @model_validator(mode="after")
    def _keda_has_a_prometheus(self) -> "Settings":
        if self.autoscaling.autoscaler == "keda" and not self.gateway.prometheus_url:
            raise ValueError(f"autoscaling.autoscaler: keda needs gateway.prometheusUrl, such as {_PROMETHEUS}")
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Where values come from, the first wins: arguments, environment, configuration file (pydantic's hook)."""
        file, environment = config_file(), _Environment(settings_cls)
        if file is None:
            return (init_settings, environment)
        return (init_settings, environment, InitSettingsSource(settings_cls, init_kwargs=_file_values(file)))

    @classmethod
    def read(cls, **overrides: Any) -> "Settings":
        """Settings from `overrides` (by group), environment and file, in this order of precedence.

        Raises InvalidSettings, naming the field and its source, when a value cannot be used.
        """
        try:
            return cls(**overrides)
        except ValidationError as bad:
            first = bad.errors()[0]
            where = ".".join(str(field) for field in first["loc"])
            origin = config_file() or "the environment"
            what = f"setting {where} is" if where else "the settings are"
            raise InvalidSettings(f"{what} not usable: {first['msg']}; correct it in {origin}.") from bad


class _Environment(EnvSettingsSource):
    """Our variables only: Kubernetes puts the addresses of Services into pods, `MODELYARD_STORE_PORT` among them."""

    def __call__(self) -> dict[str, Any]:
        defaults = {name: field.default for name, field in self.settings_cls.model_fields.items()}
        return {
            group: {name: value for name, value in values.items() if hasattr(defaults[group], name)}
            for group, values in super().__call__().items()
            if group in defaults and isinstance(values, dict)
        }


def _file_values(path: Path) -> dict[str, Any]:
    return named_groups(path.read_bytes(), str(path))


def named_groups(text: str | bytes, origin: str) -> dict[str, Any]:
    """The groups of a configuration in YAML by their names in Python, so that sources override field by field.

    Raises InvalidSettings, which names the `origin`, for text that holds no groups of settings.
    """
    try:
        values = yaml.safe_load(text) or {}
    except Exception as bad:  # PyYAML raises whatever fails inside its constructors
        raise InvalidSettings(f"{origin} cannot be read as YAML: {bad}; correct or remove it.") from bad
    if not isinstance(values, dict) or not all(isinstance(group, dict) for group in values.values()):
        raise InvalidSettings(f"{origin} must hold groups of settings, such as store: {{endpoint: ...}}.")
    return {to_snake(str(name)): {to_snake(str(k)): v for k, v in group.items()} for name, group in values.items()}


def config_file() -> Path | None:
    """The configuration file in force (see above), or None. Raises InvalidSettings when MODELYARD_CONFIG names none."""
    named = os.environ.get("MODELYARD_CONFIG")
    if named:
        if not Path(named).is_file():
            raise InvalidSettings(f"MODELYARD_CONFIG names {named}, which is not a file; correct or unset it.")
        return Path(named)
    here = Path.cwd()
    nearby = [folder / ".modelyard" / "config.yaml" for folder in (here, *here.parents)]
    candidates = [*nearby, Path.home() / ".config" / "modelyard" / "config.yaml"]
    return next((path for path in candidates if path.is_file()), None)
