"""Tuned builds in the store: looked up first, made from the shared layer of the plain build, the report last."""

from dataclasses import replace
from pathlib import Path

from modelyard.api.entry import Entry
from modelyard.api.optimization import ORIGINAL
from modelyard.api.report import BuildSource, OptimizationSummary, Report
from modelyard.api.tuning.report import summarized
from modelyard.builder.artifacts.assemble import REPORT, Artifact, AssemblyRequest, ProgressSteps, Target, assemble
from modelyard.builder.artifacts.publish import Fetch, Signature, publish_once
from modelyard.builder.artifacts.shared_layer import SharedLayer
from modelyard.builder.triton.config import BACKEND
from modelyard.builder.triton.install import triton_home
from modelyard.core.artifacts.signatures import SIGNED
from modelyard.core.names import build_digest
from modelyard.core.storage.object_store import Store
from modelyard.signing.build_provenance import BuildSigner

from .bench import LONGEST
from .options import TuningOptions
from .response_cache import require_deterministic, require_no_chance, with_cache
from .tuned_artifact import tune_artifact


def publish_tuned(
    entry: Entry,
    model: str,
    tuning: TuningOptions | None,
    store: Store,
    fetch: Fetch,
    steps: ProgressSteps,
    seconds: float = LONGEST,
    *,
    cache: bool = False,
    target: Target = "cpu",
    signer: BuildSigner | None = None,
) -> Report:
    """The report of the tuned build of an entry for the model `model`; builds, tunes and stores it unless it is there.

    With `cache` its server may keep answers, without `tuning` nothing is tuned, with a `signer` it is signed. `seconds`
    is for how long a rate is offered at most. Raises what `assemble`, `tune` and `with_cache` raise.
    """
    if cache:
        require_deterministic(entry)
    options = {**(tuning.options if tuning is not None else {}), **({"cache": True} if cache else {})}
    options |= SIGNED if signer is not None else {}
    digest = build_digest(entry.digest, model, options)

    def made(layer: SharedLayer, source: BuildSource, out: Path) -> Artifact:
        if cache:
            require_no_chance(layer)
        artifact = assemble(layer, AssemblyRequest(model, digest, source, target), out, steps)
        if tuning is not None:
            artifact = with_tuning(artifact, tuning, steps, seconds)
        return with_cache(artifact, layer) if cache else artifact

    return publish_once(entry, digest, store, fetch, steps, made, Signature(signer, options) if signer else None)


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
