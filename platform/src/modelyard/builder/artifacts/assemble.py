"""From a shared layer to an artifact that is proved to answer: the layer's own model, or a variant in its place.

OUT/repository/<model>/config.pbtxt
OUT/repository/<model>/1/model.onnx     and its weights; model.xml or model.plan for another backend
OUT/warmup.json                         a request body for one inference
OUT/profile.json                        what rows of the reference look like, where there is one
OUT/report.json                         written last
"""

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from modelyard import __version__
from modelyard.api.report import (
    Batching,
    BuildSource,
    OptimizationSummary,
    ProfileSummary,
    Proof,
    Quality,
    Report,
    WarmupRequest,
)
from modelyard.builder.evaluation.reference_profile import PROFILE, read_profile
from modelyard.builder.inspection.graph import Port
from modelyard.builder.python_models.packing import PYTHON
from modelyard.builder.triton.attempts import Attempts
from modelyard.builder.triton.config import (
    MODEL_FILES,
    Backend,
    as_clients_see,
    configured,
    read_config,
    served,
    settled,
)
from modelyard.builder.triton.install import triton_home
from modelyard.builder.triton.smoke_test import prove
from modelyard.builder.triton.v2_http import RequestBody, encode, needs_binary
from modelyard.core.names import BUILD_FORMAT

from .shared_layer import SharedLayer, make_part
from .source import ModelSource, described

Target = Literal["cpu", "gpu"]
REPOSITORY, WARMUP, REPORT, LOG = "repository", "warmup.json", "report.json", "triton.log"
NOT_RUN_HERE = Proof(server="", load_seconds=0.0, latency_milliseconds=0.0, largest_difference={})
"""Of a Python model where its code may not run: its first replica's warm-up has to do."""


@dataclass
class ProgressSteps:
    """Tells which step runs, and remembers how long each took."""

    say: Callable[[str], None] = lambda _: None
    seconds: dict[str, float] = field(default_factory=dict)
    sleep: Callable[[float], None] = time.sleep

    @property
    def attempts(self) -> Attempts:
        """How often a step is tried that the machine failed; `say` gets what went wrong."""
        return Attempts(self.say, self.sleep)

    @contextmanager
    def step(self, name: str, saying: str) -> Iterator[None]:
        """One step: `name` in the report, `saying` for people."""
        self.say(saying)
        started = time.monotonic()
        yield
        self.seconds[name] = round(time.monotonic() - started, 3)


@dataclass(frozen=True)
class Artifact:
    """A proved artifact in a folder."""

    folder: Path
    report: Report
    warmup: RequestBody


@dataclass(frozen=True)
class AssemblyRequest:
    """What to build: for which model name, as which build (`digest`), from what, for which hardware.

    `optimization` is the report's summary when a variant is served. `trusted` says that Python of the entry's author
    may be run here; what has the store's keys never says so.
    """

    model: str
    digest: str
    source: BuildSource
    target: Target = "cpu"
    optimization: OptimizationSummary | None = None
    trusted: bool = False


@dataclass(frozen=True)
class ServedVariant:
    """A model to serve in the place of a shared layer's own.

    `files` are its files by their name in the artifact, `answer` are its outputs by name for the layer's sample: its
    rounding is not the original's, and Triton is held to it.
    """

    runtime: Backend
    files: Mapping[str, Path]
    answer: Mapping[str, Any]


def build(source: ModelSource, request: AssemblyRequest, out: Path, steps: ProgressSteps) -> Artifact:
    """Builds and proves a source on this machine; what lay in OUT from an earlier build is replaced.

    Raises InvalidEntry or UnsupportedModel when the model cannot be served, HostFailure when the machine failed.
    """
    with tempfile.TemporaryDirectory(prefix="modelyard-part-") as scratch:
        with steps.step("evidence", "trying the model"):
            layer = make_part(source, Path(scratch), steps.attempts, trusted=request.trusted)
        return assemble(layer, request, out, steps)


def assemble(
    layer: SharedLayer, request: AssemblyRequest, out: Path, steps: ProgressSteps, variant: ServedVariant | None = None
) -> Artifact:
    """Lays out OUT/repository, proves it with one request to a real Triton and writes the report.

    Raises InvalidEntry or UnsupportedModel when Triton cannot serve the model, HostFailure when the machine failed.
    """
    repository = _emptied(out) / REPOSITORY
    own = _own(layer)
    variant = variant or own
    layout = _layout(layer, request.model, variant.runtime)
    _write(repository / request.model, variant.files, layout)
    expected = layout.as_clients_see(variant.answer)
    binary = needs_binary(expected) or len(expected) < len(layout.outputs)
    warmup = encode(layout.as_clients_see(layer.sample("input")), binary_outputs=binary)
    (out / WARMUP).write_bytes(warmup.content)
    profile = _with_profile(layer, out)
    proof = NOT_RUN_HERE
    if request.trusted or not layer.is_python:
        home, log = triton_home(steps.say, PYTHON if layer.is_python else None), out / LOG
        chance = tuple(expected) if layer.is_python else layer.findings.get("chance", ())
        with steps.step("proof", "asking a real Triton once"):
            proof = prove(
                home, repository, request.model, warmup, expected, log, variant.runtime, steps.attempts, chance
            )
        log.unlink()
    names = sorted(path.relative_to(repository).as_posix() for path in repository.rglob("*") if path.is_file())
    files = tuple(described(repository / name, name) for name in names)
    quality = layer.findings["quality"] if variant is own else None
    report = Report(
        format=BUILD_FORMAT,
        digest=request.digest,
        model=request.model,
        source=request.source,
        target=request.target,
        inputs=tuple(served(port, layout.batches) for port in layout.inputs),
        outputs=tuple(served(port, layout.batches) for port in layout.outputs),
        labels=layer.manifest.labels,
        opset=layer.opset,
        batching=layout.batching,
        quality=Quality.model_validate(quality) if quality else None,
        optimization=request.optimization,
        profile=profile,
        proof=proof,
        warmup=WarmupRequest(header_length=warmup.header_length),
        files=files,
        size=sum(file.size for file in files),
        timings=dict(steps.seconds),
        builder=__version__,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    (out / REPORT).write_text(report.model_dump_json(by_alias=True, exclude_none=True, indent=2))
    return Artifact(out, report, warmup)


def require_layout(layer: SharedLayer) -> None:
    """Raises InvalidEntry or UnsupportedModel when the author's config.pbtxt contradicts the layer's own model."""
    _layout(layer, "model", _own(layer).runtime)


@dataclass(frozen=True)
class _Layout:
    """How Triton will be told to serve a model."""

    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    config: str
    batching: Batching

    @property
    def batches(self) -> bool:
        return self.batching.max_batch_size > 0

    def as_clients_see(self, arrays: Mapping[str, Any]) -> dict[str, Any]:
        """Arrays by name in the shapes clients send and receive: [n] of a batchable model is [n, 1] to them."""
        return as_clients_see(arrays, self.batches)


def _with_profile(layer: SharedLayer, out: Path) -> ProfileSummary:
    """Copies the layer's reference profile to OUT; says what is in it, or why there is none."""
    if layer.profile is None:
        return ProfileSummary(reason=layer.manifest.unwatched or "it was built before there were reference profiles")
    shutil.copyfile(layer.profile, out / PROFILE)
    profile = read_profile(layer.profile)
    return ProfileSummary(rows=profile.rows, features=len(profile.features), source=profile.source)


def _own(layer: SharedLayer) -> ServedVariant:
    """The layer's own model."""
    backend: Backend = next(runtime for runtime, file in MODEL_FILES.items() if file in layer.manifest.served)
    return ServedVariant(backend, {name: layer.folder / name for name in layer.manifest.served}, layer.sample("output"))


def _layout(layer: SharedLayer, model: str, backend: Backend) -> _Layout:
    inputs, outputs = layer.ports[0], settled(layer.ports[1], layer.findings["outputShapes"])
    batchable, reason = bool(layer.findings["batchable"]), str(layer.findings["reason"])
    config = configured(layer.author_config, model, inputs, outputs, batchable, backend)
    most = read_config(config).max_batch_size
    return _Layout(inputs, outputs, config, Batching(batchable=batchable, reason=reason, max_batch_size=most))


def _write(folder: Path, files: Mapping[str, Path], layout: _Layout) -> None:
    for name, path in files.items():
        target = folder / "1" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    (folder / "config.pbtxt").write_text(layout.config)


def _emptied(out: Path) -> Path:
    """OUT without an earlier build's files; whatever else is there stays."""
    out.mkdir(parents=True, exist_ok=True)
    for name in (REPORT, PROFILE):
        (out / name).unlink(missing_ok=True)
    shutil.rmtree(out / REPOSITORY, ignore_errors=True)
    return out
