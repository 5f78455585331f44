"""The cheapest way to keep an objective: variants that keep the quality, on replicas of several sizes, under load.

Timing a variant alone says how fast it is; what a core does under load is another matter, and so are the settings that
suit it. So the few that promise most are laid out, asked by a real Triton and tuned, each on one core, two, four, ...;
what the cheapest of them was tuned to is what the artifact says.
"""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from modelyard.api.tuning.report import Tuning, objective_text
from modelyard.builder.artifacts.assemble import Artifact, AssemblyRequest, ProgressSteps
from modelyard.builder.artifacts.shared_layer import SharedLayer
from modelyard.builder.optimization.optimizer import OptimizationOutcome
from modelyard.builder.optimization.search.selection import chosen_as, contenders
from modelyard.builder.triton.install import triton_home
from modelyard.builder.tuning.bench import LONGEST
from modelyard.builder.tuning.options import TuningOptions
from modelyard.builder.tuning.publish import with_summary
from modelyard.builder.tuning.tuned_artifact import keep_tuning, tuning_request
from modelyard.builder.tuning.tuner import TuningRequest, tune
from modelyard.core.tuning.cost import LoadedOption, cheapest, cost_sentence, priced, sizes
from modelyard.core.tuning.search import MOST
from modelyard.settings import PriceSettings

from .artifact import assemble, summary

VARIANTS = 2
"""How many variants are measured under load, beside the original."""


@dataclass(frozen=True)
class _Measured:
    """An option, the artifact it is of, with the outcome that chose it, and what tuning found."""

    option: LoadedOption
    artifact: Artifact
    outcome: OptimizationOutcome
    request: TuningRequest
    tuning: Tuning


def assemble_cheapest(
    shared_layer: SharedLayer,
    outcome: OptimizationOutcome,
    request: AssemblyRequest,
    tuning: TuningOptions,
    prices: PriceSettings,
    out: Path,
    scratch: Path,
    steps: ProgressSteps,
    most: int = MOST,
    seconds: float = LONGEST,
) -> tuple[Artifact, OptimizationOutcome]:
    """The artifact of the cheapest option in OUT, tuned; where none keeps the objective it is the original's.

    `most` is the measurements for each size of a replica, `seconds` for how long a rate is offered at most.
    Raises what `assemble` and `tune` raise.
    """
    measured: list[_Measured] = []
    for name in contenders(outcome.variants, outcome.request.goal, outcome.request.bound, VARIANTS):
        folder = scratch / f"cost-{len(measured)}"
        picked = replace(outcome, chosen=chosen_as(outcome.variants, name, outcome.request.goal, "measured under load"))
        artifact, answered = assemble(shared_layer, picked, request, folder, scratch, steps)
        if answered.chosen.name != name:  # Triton does not serve it, and another has taken its place
            outcome = replace(outcome, variants=answered.variants)
            continue
        measured += _loaded(artifact, answered, tuning, steps, most, seconds)
    options = [each.option for each in measured]
    best = cheapest(options)
    sentence = cost_sentence(best, options, objective_text(tuning.percentile, 1000.0 * tuning.threshold))
    taken = next(each for each in measured if each.option == (best or options[0]))
    chosen = chosen_as(outcome.variants, taken.option.variant, outcome.request.goal, sentence)
    outcome = replace(outcome, chosen=chosen, costs=priced(options, best, prices))
    shutil.copytree(taken.artifact.folder, out, dirs_exist_ok=True)
    report = taken.artifact.report.model_copy(update={"optimization": summary(outcome)})
    kept = keep_tuning(out, report, _in(out, taken.request), taken.tuning)
    return with_summary(replace(taken.artifact, folder=out), kept, steps), outcome


def _loaded(
    artifact: Artifact,
    outcome: OptimizationOutcome,
    tuning: TuningOptions,
    steps: ProgressSteps,
    most: int,
    seconds: float,
) -> Iterator[_Measured]:
    """One variant on every size of a replica; a larger one begins with what the search needs, as the smallest does."""
    name = outcome.chosen.name
    memory = next(variant.peak_memory for variant in outcome.variants if variant.name == name) or 0
    for cpus in sizes(tuning.cores_here):
        cores = f"{cpus} core{'' if cpus == 1 else 's'}"
        with steps.step(f"tuning {name} on {cores}", f"putting load on {name} with {cores}"):
            asked = tuning_request(artifact.folder, artifact.report, tuning.target, cpus, most, seconds)
            found = tune(triton_home(steps.say), asked, steps.say)
        option = LoadedOption(name, cpus, found.requests_per_second, memory)
        yield _Measured(option, artifact, outcome, asked, found)


def _in(out: Path, request: TuningRequest) -> TuningRequest:
    return replace(request, repository=out / request.repository.name)
