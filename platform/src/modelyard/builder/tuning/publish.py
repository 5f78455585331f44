"""Tuned builds in the store: looked up first, made from the shared layer of the plain build, the report last."""

from dataclasses import replace
from pathlib import Path

from modelyard.api.entry import Entry
from modelyard.api.optimization import ORIGINAL
from modelyard.api.report import BuildSource, OptimizationSummary, Report
from modelyard.api.tuning.report import summarized
from modelyard.builder.artifacts.assemble import REPORT, Artifact, AssemblyRequest, ProgressSteps, assemble
from modelyard.builder.artifacts.publish import Fetch, publish_once
from modelyard.builder.artifacts.shared_layer import SharedLayer
from modelyard.builder.triton.config import BACKEND
from modelyard.builder.triton.install import triton_home
from modelyard.core.names import build_digest
from modelyard.core.storage.object_store import Store

from .bench import LONGEST
from .options import TuningOptions
from .tuned_artifact import tune_artifact


def publish_tuned(
    entry: Entry,
    model: str,
    tuning: TuningOptions,
    store: Store,
    fetch: Fetch,
    steps: ProgressSteps,
    seconds: float = LONGEST,
) -> Report:
    """The report of the tuned build of an entry for the model `model`; builds, tunes and stores it unless it is there.

    `seconds` is for how long a rate is offered at most. Raises what `assemble` and `tune` raise.
    """
    digest = build_digest(entry.digest, model, tuning.options)

    def made(layer: SharedLayer, source: BuildSource, out: Path) -> Artifact:
        plain = assemble(layer, AssemblyRequest(model, digest, source), out, steps)
        return with_tuning(plain, tuning, steps, seconds)

    return publish_once(entry, digest, store, fetch, steps, made)


def with_tuning(artifact: Artifact, tuning: TuningOptions, steps: ProgressSteps, seconds: float = LONGEST) -> Artifact:
    """The artifact, tuned where it lies, with what came of it in its summary too."""
    with steps.step("tuning", "tuning"):
        report = tune_artifact(
            artifact.folder, triton_home(steps.say), tuning.target, steps.say, tuning.cores_here, seconds=seconds
        )
    return with_summary(artifact, report, steps)


def with_summary(artifact: Artifact, report: Report, steps: ProgressSteps) -> Artifact:
    """The artifact with a report that has been tuned, in whose summary stands what came of that."""
    assert report.tuning is not None
    plain = OptimizationSummary(
        goal="throughput", variant=ORIGINAL, runtime=BACKEND, reason=report.tuning.reason, tried=0
    )
    summary = (report.optimization or plain).model_copy(update={"tuned": summarized(report.tuning)})
    report = report.model_copy(update={"optimization": summary, "timings": dict(steps.seconds)})
    (artifact.folder / REPORT).write_text(report.model_dump_json(by_alias=True, exclude_none=True, indent=2))
    return replace(artifact, report=report)
