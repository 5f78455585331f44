"""The report of a build: `report.json`, the last thing a build writes and the proof that it is complete."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from .entry import EntryFile, Tensor
from .optimization import Goal, Runtime
from .tuning.report import TunedSummary, Tuning


class _Written(BaseModel):
    """Open to fields that newer builders add: a report outlives the builder that wrote it."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="ignore", frozen=True)


class Batching(_Written):
    """Whether requests may be run together, and how that was decided."""

    batchable: bool
    reason: str = Field(description="What was tried or seen, in words.")
    max_batch_size: int = Field(ge=0, description="As in config.pbtxt; 0 when requests are never batched.")


class Quality(_Written):
    """onnxruntime's answers against the outputs that eval.npz expects."""

    rows: int
    largest_difference: dict[str, float] = Field(description="Largest absolute difference, by output.")
    metric: str = Field(default="", description="Metric the entry is held to; empty when outputs are compared.")
    value: float | None = Field(None, description="The metric of the model's answers.")


class Proof(_Written):
    """One inference through a real Triton, compared with onnxruntime's answer."""

    server: str = Field(
        description="Which server answered, with its version; empty for a Python model, which the cluster's builds do "
        "not run."
    )
    load_seconds: float = Field(description="From start to ready.")
    latency_milliseconds: float = Field(description="Of the one request; the first, so not a benchmark.")
    largest_difference: dict[str, float] = Field(description="Largest absolute difference, by output.")


class ProfileSummary(_Written):
    """What requests' rows can be held to; the profile lies beside the report."""

    path: str = "profile.json"
    rows: int = Field(default=0, description="Rows of the reference; 0 without one.")
    features: int = Field(default=0, description="Features that can be watched.")
    source: str = Field(default="", description="What the profile was made of.")
    reason: str = Field(default="", description="Why there is none.")


class WarmupRequest(_Written):
    """The request body to warm a server up with; it lies beside the report."""

    path: str = "warmup.json"
    header_length: int | None = Field(
        None, description="Value for Inference-Header-Content-Length; absent when the body is plain JSON."
    )


class BuildSource(_Written):
    """What was built."""

    kind: Literal["entry", "onnx", "openvino", "repository"]
    name: str
    version: str = ""
    digest: str = Field(description="sha256:<hex> over its files.")


class OptimizationSummary(_Written):
    """The variant the artifact holds, against the original; the whole report lies beside this one."""

    goal: Goal
    variant: str = Field(description="Name of the variant; original when nothing better was found.")
    runtime: Runtime
    precision: str = ""
    speedup: float | None = Field(default=None, description="The original's time over the variant's.")
    quality_loss: float | None = Field(
        default=None, description="Share of the original's quality that is lost; negative: won."
    )
    size_ratio: float = Field(default=1.0, description="The variant's size over the original's.")
    metric: str = Field(default="", description="How quality is measured; empty without an evaluation set.")
    quality: float | None = Field(default=None, description="The metric of the variant on the evaluation set.")
    reason: str = Field(description="Why this variant.")
    tried: int = Field(description="Variants that were tried, the original among them.")
    tuned: TunedSummary | None = Field(default=None, description="Absent when nothing was tuned.")
    cached: bool = Field(default=False, description="Whether the server may keep answers.")


class Report(_Written):
    """The content of `report.json`."""

    format: int = Field(description="Number of the artifact format.")
    digest: str = Field(description="sha256:<hex> that names the build.")
    model: str = Field(description="Name the model is served under.")
    source: BuildSource
    target: Literal["cpu", "gpu"] = Field(description="Hardware it was asked for; the artifact serves on both.")
    inputs: tuple[Tensor, ...] = Field(description="As clients send them; -1 is a dynamic dimension.")
    outputs: tuple[Tensor, ...]
    labels: tuple[str, ...] = ()
    opset: int
    batching: Batching
    quality: Quality | None = None
    optimization: OptimizationSummary | None = Field(default=None, description="Absent when nothing was optimized.")
    tuning: Tuning | None = Field(default=None, description="Absent when nothing was tuned.")
    profile: ProfileSummary | None = Field(default=None, description="Absent in reports of older builders.")
    proof: Proof
    warmup: WarmupRequest
    files: tuple[EntryFile, ...] = Field(description="Of the model repository, by path inside it.")
    size: int = Field(description="Bytes of all files.")
    timings: dict[str, float] = Field(description="Seconds by step.")
    builder: str = Field(description="Version of Modelyard that built it.")
    created: str = Field(description="UTC time, ISO 8601.")
