"""The report of an optimization: `report.json`, every variant that was tried with what was measured of it.

A variant with `refused` was not eligible, and the sentence says why; everything else was measured on the machine
under `hardware`, in rounds that all variants share. Times are milliseconds, sizes and memory bytes.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

Goal = Literal["latency", "throughput", "size", "cost"]
Runtime = Literal["onnxruntime", "openvino", "tensorrt", "torch"]
RUNTIMES: tuple[Runtime, ...] = ("onnxruntime", "openvino", "tensorrt")
"""Those a chosen variant may be for; torch is only compared with."""
ORIGINAL = "original"


class _Written(BaseModel):
    """Open to fields that newer versions add: a report outlives the program that wrote it."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="ignore", frozen=True)


class HardwareFacts(_Written):
    """The machine the figures are of."""

    processor: str = Field("", description="Name of the CPU, as Linux gives it.")
    cores: int = Field(description="Cores used, one thread each.")
    flags: tuple[str, ...] = Field((), description="CPU features that matter to arithmetic, such as avx512_vnni.")
    gpu: str | None = Field(None, description="Name of the GPU the variants ran on; absent for a CPU.")


class Conditions(_Written):
    """How trustworthy the timing is."""

    rounds: int = Field(description="Rounds in which every variant had its turn, in shuffled order.")
    quiet: bool = Field(description="Whether the machine did little else before and while measuring.")
    other_load: float = Field(description="Share of the machine's cores that other programs used meanwhile.")
    versions: dict[str, str] = Field({}, description="Of the libraries that made and ran the variants.")


class Metric(_Written):
    """How quality is measured."""

    name: str = Field(description="accuracy, f1, auc, mae, cosine or agreement.")
    reason: str = Field(description="Why this one.")
    higher_is_better: bool
    rows: int = Field(description="Rows of the evaluation set.")


class Latency(_Written):
    """One batch size, one caller."""

    p50: float = Field(description="Median, milliseconds.")
    p99: float = Field(description="99th percentile, milliseconds.")
    n: int = Field(description="Inferences measured.")
    spread: float = Field(description="Interquartile range of the rounds' medians, as a share of p50.")


class Variant(_Written):
    """One chain of passes and what it gave."""

    name: str
    passes: tuple[str, ...] = ()
    steps: tuple[dict[str, dict[str, str | int | float | bool | None]], ...] = Field(
        (), description="Each pass with its parameters, as it can be run again."
    )
    precision: str = Field(default="", description="Of the result; empty when nothing was made.")
    runtime: Runtime = "onnxruntime"
    latency: dict[int, Latency] = Field({}, description="By batch size: 1, and 8 when the model is batchable.")
    throughput: float | None = Field(None, description="Rows a second of one caller, at the best batch measured.")
    speedup: float | None = Field(None, description="Median over the rounds of the original's time over this one's.")
    speedup_spread: float | None = Field(None, description="Interquartile range of those ratios, as a share.")
    peak_memory: int | None = Field(None, description="Largest resident memory of a process with only this variant.")
    size: int | None = Field(None, description="Bytes on disk.")
    quality: float | None = Field(None, description="The metric on the evaluation set.")
    quality_loss: float | None = Field(None, description="Share of the original's quality that is lost; negative: won.")
    refused: str | None = Field(None, description="Why it may not be chosen.")
    pareto: bool = Field(
        default=False,
        description="No other eligible variant is at least as good in latency, size and quality, and better in one.",
    )


class CostOption(_Written):
    """A variant on a replica of so many cores, and what it costs to keep the objective with it."""

    variant: str
    cpus: int = Field(description="Cores of one replica.")
    requests_per_second: float = Field(description="What one replica takes on at the objective; 0: it never keeps it.")
    cores_per_thousand: float | None = Field(
        None, description="Cores that 1,000 requests a second take; absent when the objective is not kept."
    )
    per_thousand: float | None = Field(
        None, description="What 1,000 requests cost by config.prices, its memory included; absent without prices."
    )
    chosen: bool = False


class Chosen(_Written):
    """The variant in `chosen/`, against the original."""

    name: str
    reason: str
    speedup: float | None = None
    quality_loss: float | None = None
    size_ratio: float = Field(default=1.0, description="Its size over the original's.")


class Progress(_Written):
    """The content of `progress.json`: how far an optimization is; written anew at every step and as a heartbeat."""

    done: int = Field(ge=0, description="Variants that were tried.")
    planned: int = Field(ge=0, description="Variants that are to be tried; a search may add some.")
    doing: str = Field(default="", description="What is under way, in a few words.")
    best: float | None = Field(default=None, description="Quick estimate of the best variant's speedup so far.")
    best_name: str = Field(default="", description="Name of that variant.")
    spent_seconds: float = Field(description="Of the budget, with what a Job before this one spent.")
    at: str = Field(description="When this was written: UTC, RFC 3339.")


class Optimization(_Written):
    """The content of `report.json`."""

    format: int = 1
    source: str = Field(description="Name of the entry or file.")
    digest: str = Field(description="sha256:<hex> over its files.")
    goal: Goal
    max_quality_loss: float = Field(description="As a share: 0.01 is 1%.")
    precisions: tuple[str, ...]
    seed: int
    budget_seconds: float
    spent_seconds: float
    hardware: HardwareFacts
    conditions: Conditions
    metric: Metric | None = Field(None, description="Absent without an evaluation set.")
    baseline: str = Field(default=ORIGINAL, description="Name of the variant the others are compared with.")
    chosen: Chosen
    variants: tuple[Variant, ...]
    costs: tuple[CostOption, ...] = Field((), description="For the goal cost: what was measured under load.")
    notes: tuple[str, ...] = Field((), description="What a reader must know to judge the figures.")
    program: str = Field(description="Version of Modelyard that wrote it.")
    created: str = Field(description="UTC time, ISO 8601.")
