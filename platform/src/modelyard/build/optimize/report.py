"""From an outcome to report.json, and the sentences a reader needs to judge the figures."""

from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import version

from modelyard.api.optimization import Conditions, HardwareFacts, Metric, Optimization
from modelyard.build.measure import LEAST_ROUNDS
from modelyard.build.quiet import MOST

from .engine import Outcome
from .hardware import libraries, processor, telling_flags
from .quality import LOWER_IS_BETTER

_TAIL = 1000
"""Inferences below which a 99th percentile is little more than the slowest few."""


def report(outcome: Outcome) -> Optimization:
    """What report.json holds."""
    order, intake, hardware, measured = outcome.order, outcome.intake, outcome.hardware, outcome.measured
    metric = Metric(
        name=intake.metric,
        reason=intake.reason,
        higher_is_better=intake.metric not in LOWER_IS_BETTER,
        rows=outcome.rows,
    )
    return Optimization(
        source=intake.name,
        digest=intake.digest,
        goal=order.goal,
        max_quality_loss=order.bound,
        precisions=tuple(precision.value for precision in order.precisions),
        seed=order.seed,
        budget_seconds=order.budget,
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
        metric=metric if intake.metric else None,
        chosen=outcome.chosen,
        variants=outcome.variants,
        notes=tuple(_notes(outcome)),
        program=version("modelyard"),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def _notes(outcome: Outcome) -> Iterator[str]:
    order, measured, intake = outcome.order, outcome.measured, outcome.intake
    if not intake.metric:
        yield (
            "There is no evaluation set: only passes that keep the answers were tried, compared on a made-up sample. "
            "Add an eval.npz with real inputs to the entry to try smaller precisions."
        )
    elif intake.metric in ("accuracy", "f1", "auc", "agreement") and outcome.rows * order.bound < 1:
        yield (
            f"The evaluation set has {outcome.rows} rows, so one row is {100 / outcome.rows:.2g} % of the quality: "
            f"coarser than the {100 * order.bound:.2g} % allowed. More rows would say more."
        )
    if not intake.batchable:
        yield "The model is not batchable, so one request at a time was timed and batch 8 was not."
    if not measured.quiet:
        yield (
            f"The machine was not quiet: other programs used up to {measured.other_load:.0%} of its cores while timing "
            f"(at most {MOST:.0%} counts as quiet). Ratios within a round hold better than milliseconds."
        )
    if measured.rounds < LEAST_ROUNDS:
        yield f"Only {measured.rounds} rounds of timing fitted into the budget; give more with --budget."
    few = [n for v in outcome.variants for n in (latency.n for latency in v.latency.values()) if n < _TAIL]
    if few:
        yield f"Some 99th percentiles rest on {min(few)} inferences: read them as the slowest seen."
