"""From an outcome to the artifact: the chosen variant in the original's place, proved by a real Triton.

A variant that Triton does not serve as it answered here is refused with that reason, and the next best takes its
place; the original comes last and always may.
"""

from dataclasses import replace
from pathlib import Path

from modelyard.api.optimization import ORIGINAL, Runtime
from modelyard.api.report import OptimizationSummary
from modelyard.builder.artifacts import assemble as artifact
from modelyard.builder.artifacts.assemble import Artifact, ProgressSteps, ServedVariant
from modelyard.builder.artifacts.shared_layer import SharedLayer
from modelyard.builder.evaluation.evaluation_set import write_arrays
from modelyard.builder.inference.predict import Question, ask
from modelyard.builder.inference.sandbox import WorkerDied
from modelyard.builder.optimization.optimizer import OptimizationOutcome, refuse
from modelyard.builder.triton.config import MODEL_FILES
from modelyard.core.failure_causes import cause_of
from modelyard.errors import HostFailure, UnsupportedModel

_SECONDS = 120.0
_OF_A_VARIANT = frozenset({"Crashed", "OutOfMemory", "HelperDied", "Unexplained"})
"""What a variant may do to a server by itself; were it the machine's doing, the next variant would meet it too."""


def assemble(
    shared_layer: SharedLayer,
    outcome: OptimizationOutcome,
    request: artifact.AssemblyRequest,
    out: Path,
    scratch: Path,
    steps: ProgressSteps,
) -> tuple[Artifact, OptimizationOutcome]:
    """The artifact of the chosen variant in OUT, and the outcome with every variant refused that Triton did not serve.

    Raises HostFailure when the machine, not a variant, made Triton fail; for the original, whatever it fails with.
    """
    while outcome.chosen.name != ORIGINAL:
        summarized = replace(request, optimization=summary(outcome))
        try:
            return artifact.assemble(
                shared_layer, summarized, out, steps, variant(shared_layer, outcome, scratch)
            ), outcome
        except (UnsupportedModel, HostFailure) as bad:
            if isinstance(bad, HostFailure) and bad.reason not in _OF_A_VARIANT:
                raise
            outcome = refuse(outcome, outcome.chosen.name, f"it is not served as it answers by itself: {bad}")
    return artifact.assemble(shared_layer, replace(request, optimization=summary(outcome)), out, steps), outcome


def summary(outcome: OptimizationOutcome) -> OptimizationSummary:
    """What the build's report says about the variant that was chosen."""
    chosen = outcome.chosen
    variant = next(candidate for candidate in outcome.variants if candidate.name == chosen.name)
    return OptimizationSummary(
        goal=outcome.request.goal,
        variant=chosen.name,
        runtime=variant.runtime,
        precision=variant.precision,
        speedup=chosen.speedup,
        quality_loss=chosen.quality_loss,
        size_ratio=chosen.size_ratio,
        metric=outcome.baseline.metric,
        quality=variant.quality,
        reason=chosen.reason,
        tried=outcome.tried,
    )


def variant(shared_layer: SharedLayer, outcome: OptimizationOutcome, scratch: Path) -> ServedVariant:
    """The chosen variant's files by the name Triton needs, with its own answer to the shared layer's sample.

    Raises UnsupportedModel when it does not answer, or with other datatypes than the original; HostFailure when the
    machine is to blame.
    """
    folder, files = outcome.folders[outcome.chosen.name]
    runtime: Runtime = next(
        candidate.runtime for candidate in outcome.variants if candidate.name == outcome.chosen.name
    )
    model, hardware = files[0], outcome.hardware
    inputs = write_arrays(shared_layer.sample("input"), scratch / "sample.npz")
    question = Question(inputs, hardware.cores, batchable=False, gpu=hardware.gpu is not None)
    try:
        answer = ask(folder / model, question, scratch / "sample", _SECONDS).outputs
    except WorkerDied as death:
        cause = cause_of(death.end)
        if cause.passes:
            raise HostFailure(cause.reason, f"asked the sample alone, the variant {death}.") from death
        raise UnsupportedModel(f"asked the sample alone, it {death}.") from death
    outputs = shared_layer.sample("output")
    for name, value in outputs.items():
        if name not in answer or answer[name].dtype != value.dtype:
            dtype = answer[name].dtype if name in answer else "nothing"
            raise UnsupportedModel(f"output {name!r} is {dtype} in it and {value.dtype} in the original.")
    named = {MODEL_FILES[runtime] if name == model else name: folder / name for name in files}
    return ServedVariant(runtime, named, {name: answer[name] for name in outputs})
