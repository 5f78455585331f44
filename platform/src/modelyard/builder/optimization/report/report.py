"""From an outcome to the files people and programs read, and the sentences that judge its figures.

report.json          api.optimization.Optimization
report.html          the same for people, with pictures; needs nothing else
trade-off.png ...    the pictures, when matplotlib is installed
chosen/              the model to use, with its weights; an entry again when the original was one
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from modelyard.api.optimization import Conditions, HardwareFacts, Metric, Optimization
from modelyard.builder.evaluation.metrics import LOWER_IS_BETTER
from modelyard.builder.inference.benchmark import LEAST_ROUNDS
from modelyard.builder.inference.hardware import libraries, processor, telling_flags
from modelyard.builder.inference.host_load import MOST
from modelyard.builder.optimization.optimizer import OptimizationOutcome, keep
from modelyard.builder.optimization.results.entry import describe
from modelyard.builder.optimization.search.optuna_search import JOURNAL

from . import plots
from .page import page

_TAIL = 1000
"""Inferences below which a 99th percentile is little more than the slowest few."""


JSON, HTML, CHOSEN = "report.json", "report.html", "chosen"


def write(outcome: OptimizationOutcome, folder: Path) -> Optimization:
    """Writes the report and the chosen model below FOLDER, over what an earlier run left there; gives report.json."""
    folder.mkdir(parents=True, exist_ok=True)
    keep(outcome, folder / CHOSEN)
    describe(outcome, folder / CHOSEN)
    return write_report(outcome, folder)


def write_report(outcome: OptimizationOutcome, folder: Path) -> Optimization:
    """Writes report.json, report.html and the pictures below FOLDER, without the model; gives report.json."""
    optimization = report(outcome)
    folder.mkdir(parents=True, exist_ok=True)
    plots.write(optimization, folder)
    (folder / HTML).write_text(page(optimization), encoding="utf-8")
    (folder / JSON).write_text(optimization.model_dump_json(by_alias=True, indent=2, exclude_none=True) + "\n")
    return optimization


def report(outcome: OptimizationOutcome) -> Optimization:
    """What report.json holds."""
    request, baseline, hardware, measured = outcome.request, outcome.baseline, outcome.hardware, outcome.measured
    metric = Metric(
        name=baseline.metric,
        reason=baseline.reason,
        higher_is_better=baseline.metric not in LOWER_IS_BETTER,
        rows=outcome.rows,
    )
    return Optimization(
        source=baseline.name,
        digest=baseline.digest,
        goal=request.goal,
        max_quality_loss=request.bound,
        precisions=tuple(precision.value for precision in request.precisions),
        seed=request.seed,
        budget_seconds=request.budget,
        spent_seconds=round(outcome.spent, 1),
        hardware=HardwareFacts(
            processor=processor(), cores=hardware.cores, flags=telling_flags(hardware.flags), gpu=hardware.gpu
        ),
        conditions=Conditions(
            rounds=measured.rounds,
            quiet=measured.quiet,
            other_load=round(measured.other_load, 3),
            versions=libraries(),
        ),
        metric=metric if baseline.metric else None,
        chosen=outcome.chosen,
        variants=outcome.variants,
        costs=outcome.costs,
        notes=tuple(_notes(outcome)),
        program=version("modelyard"),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def _notes(outcome: OptimizationOutcome) -> Iterator[str]:
    request, measured, baseline = outcome.request, outcome.measured, outcome.baseline
    if not baseline.metric:
        yield (
            "There is no evaluation set: only passes that keep the answers were tried, compared on a made-up sample. "
            "Add an eval.npz with real inputs to the entry to try smaller precisions."
        )
    elif baseline.metric in ("accuracy", "f1", "auc", "agreement") and outcome.rows * request.bound < 1:
        yield (
            f"The evaluation set has {outcome.rows} rows, so one row is {100 / outcome.rows:.2g} % of the quality: "
            f"coarser than the {100 * request.bound:.2g} % allowed. More rows would say more."
        )
    if not baseline.batchable:
        yield "The model is not batchable, so one request at a time was timed and batch 8 was not."
    if not measured.quiet:
        yield (
            f"The machine was not quiet: other programs used up to {measured.other_load:.0%} of its cores while timing "
            f"(at most {MOST:.0%} counts as quiet). Ratios within a round hold better than milliseconds."
        )
    if request.search:
        search = outcome.search_result
        yield (
            f"The search tried {search.drawn} settings of the passes, {search.kept} of them kept the "
            f"quality; {JOURNAL} keeps them all and a later run into the same folder goes on from there."
        )
    yield from request.notes
    yield from _against_references(outcome)
    if measured.rounds < LEAST_ROUNDS:
        yield f"Only {measured.rounds} rounds of timing fitted into the budget; give more with --budget."
    few = [n for v in outcome.variants for n in (latency.n for latency in v.latency.values()) if n < _TAIL]
    if few:
        yield f"Some 99th percentiles rest on {min(few)} inferences: read them as the slowest seen."


def _against_references(outcome: OptimizationOutcome) -> Iterator[str]:
    """The chosen variant against what is no variant: speed-ups of the table refer to the original in onnxruntime."""
    chosen = outcome.measured.timings.get(outcome.chosen.name)
    for reference in outcome.request.references:
        timing = outcome.measured.timings.get(reference.name)
        if chosen and timing:
            ratio = chosen.speedup / timing.speedup
            yield f"At batch 1 the chosen variant is {ratio:.2f} times as fast as {reference.name}, on the same cores."
