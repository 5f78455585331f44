"""`modelyard simulate`: what a gate would decide, before anybody's requests depend on it."""

import random
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from modelyard.cli.terminal.console import Output, dump, out, say
from modelyard.cli.terminal.options import Shown, fraction
from modelyard.cli.terminal.plot import check, draw
from modelyard.cli.terminal.table import table

if TYPE_CHECKING:
    from modelyard.core.analysis.statistics.sequential_test import Rule
    from modelyard.core.analysis.statistics.simulation import Outcome, SimulationResult, TrafficModel

_SECONDS = {"s": 1, "min": 60, "h": 3600}
_ALLOWED_MISSES = {"anyMiss": 0, "fiveMisses": 5}
NAMES = {
    "sequential": "Modelyard's gate",
    "anyMiss": "threshold, one missed look of ten aborts",
    "fiveMisses": "threshold, five missed looks of ten allowed",
}
PLOTTED = tuple(10 ** (step / 6 - 1) for step in range(13))


def growth(text: str | float) -> float:
    """`25%` or `0.25` as 0.25; may exceed 100 %. BadParameter when it is negative or no number."""
    if not isinstance(text, str):
        return text
    try:
        value = float(text.strip().removesuffix("%")) / (100.0 if text.strip().endswith("%") else 1.0)
    except ValueError:
        value = -1.0
    if not 0.0 <= value <= 1e6:
        raise typer.BadParameter(f"{text!r} is not a growth: write 25% or 0.25.")
    return value


def per_minute(text: str | float) -> float:
    """`50/min`, `2/s` or `3000/h` as requests a minute; BadParameter for anything else, or above 100,000 a second."""
    if not isinstance(text, str):
        return text
    match = re.fullmatch(r"([0-9]*\.?[0-9]+)\s*/\s*(s|min|h)", text.strip())
    value = float(match[1]) * 60.0 / _SECONDS[match[2]] if match else 0.0
    if not 0.0 < value <= 6e6:
        raise typer.BadParameter(f"{text!r} is not a request rate up to 100000/s: write 50/min, 2/s or 3000/h.")
    return value


def simulate(
    context: typer.Context,
    p0: Annotated[float, typer.Option(parser=fraction, metavar="RATE", help="Bad rate the objective allows.")] = 0.01,
    true_rate: Annotated[
        float, typer.Option(parser=fraction, metavar="RATE", help="Bad rate the candidate really has.")
    ] = 0.01,
    rate: Annotated[
        float,
        typer.Option(
            parser=per_minute, metavar="RATE", show_default="50/min", help="Requests to both arms: 50/min, 2/s."
        ),
    ] = 50.0,
    share: Annotated[
        float, typer.Option(parser=fraction, metavar="SHARE", help="The candidate's share; below 100% it is compared.")
    ] = 1.0,
    stable_rate: Annotated[
        float | None,
        typer.Option(parser=fraction, metavar="RATE", help="Bad rate of the stable; half of --p0, or less."),
    ] = None,
    max_regression: Annotated[
        float, typer.Option(parser=growth, metavar="GROWTH", help="Growth of the bad rate that is allowed.")
    ] = 0.25,
    correlation: Annotated[
        float, typer.Option(min=0.0, max=0.5, help="Of bad requests within a minute: bursts.")
    ] = 0.0,
    shared: Annotated[bool, typer.Option("--shared", help="A burst hits both arms at once, not one alone.")] = False,
    history: Annotated[int, typer.Option(min=0, help="Minutes the stable was watched before, if compared.")] = 10,
    alpha: Annotated[
        float, typer.Option(parser=fraction, metavar="RATE", help="Chance to abort a good candidate.")
    ] = 0.01,
    beta: Annotated[
        float, typer.Option(parser=fraction, metavar="RATE", help="Chance to promote a bad candidate.")
    ] = 0.05,
    minutes: Annotated[int, typer.Option(min=1, max=1440, help="After which a rollout is inconclusive.")] = 30,
    runs: Annotated[int, typer.Option(min=1, help="Rollouts to simulate.")] = 2000,
    seed: Annotated[int, typer.Option(help="The same seed gives the same result.")] = 1,
    plot: Annotated[
        Path | None, typer.Option(help="PNG of the chances to abort and promote against the true bad rate.")
    ] = None,
    output: Shown = Output.TABLE,
) -> None:
    """Simulate what a rollout's gate decides about a candidate with a known bad rate."""
    if context.invoked_subcommand is not None:
        return
    from modelyard.core.analysis.statistics.sequential_test import Rule
    from modelyard.core.analysis.statistics.simulation import TrafficModel

    stable = min(true_rate, p0 / 2.0) if stable_rate is None else stable_rate
    watched = history if share < 1.0 else 0
    traffic = TrafficModel(rate, true_rate, share, stable, correlation, history=watched, shared=shared)
    try:
        rule = Rule(p0, alpha, beta, max_regression if share < 1.0 else None)
    except ValueError as bad:
        raise typer.BadParameter(str(bad)) from bad
    if plot is not None:
        check(plot)
    results = tallies(rule, traffic, minutes, runs, seed)
    if plot is not None:
        fewer = max(100, runs // 10)
        say(f"Simulating {fewer} rollouts at each of {len(PLOTTED)} bad rates for {plot}")
        draw(plot, p0, curves(rule, traffic, minutes, fewer, seed), NAMES)
    _show(results, output)


def tallies(rule: "Rule", traffic: "TrafficModel", minutes: int, runs: int, seed: int) -> dict[str, "SimulationResult"]:
    """How `runs` rollouts end by Modelyard's gate and by each threshold rule, the traffic seeded alike.

    By the keys of `NAMES`.
    """
    from modelyard.core.analysis.statistics.simulation import outcome, tally, threshold_outcome

    def seeded(run: Callable[[random.Random], "Outcome"]) -> "SimulationResult":
        chance = random.Random(seed)  # noqa: S311 - a repeatable simulation, nothing secret
        return tally(runs, lambda: run(chance))

    results = {"sequential": seeded(lambda chance: outcome(rule, traffic, minutes, chance))}
    for name, misses in _ALLOWED_MISSES.items():
        results[name] = seeded(lambda chance, misses=misses: threshold_outcome(rule.allowed, misses, traffic, chance))
    return results


def curves(
    rule: "Rule", traffic: "TrafficModel", minutes: int, runs: int, seed: int
) -> dict[float, dict[str, "SimulationResult"]]:
    """The same for true bad rates from a tenth of the allowed one to ten times as much, by true rate."""
    rates = sorted({min(1.0, factor * rule.allowed) for factor in PLOTTED})
    return {rate: tallies(rule, replace(traffic, true_rate=rate), minutes, runs, seed) for rate in rates}


def _plain(result: "SimulationResult") -> dict[str, float | None]:
    return {
        "aborted": result.aborted,
        "promoted": result.promoted,
        "inconclusive": result.inconclusive,
        "medianMinutes": None if result.median_minutes is None else round(result.median_minutes, 3),
    }


def _show(results: Mapping[str, "SimulationResult"], output: Output) -> None:
    if output is not Output.TABLE:
        others = {name: _plain(result) for name, result in results.items() if name != "sequential"}
        dump({**_plain(results["sequential"]), "thresholds": others}, output)
        return
    rows = [
        [
            NAMES[name],
            *(f"{ratio:.1%}" for ratio in (result.aborted, result.promoted, result.inconclusive)),
            "" if result.median_minutes is None else f"{result.median_minutes:.1f}",
        ]
        for name, result in results.items()
    ]
    out().print(table(("rule", "aborted", "promoted", "inconclusive", "median minutes"), rows))
