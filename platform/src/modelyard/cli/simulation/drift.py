"""`modelyard simulate drift`: how soon a change of rows is found, and how often a rule alarms without one."""

import random
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from modelyard.cli.terminal.console import Output, dump, out, say
from modelyard.cli.terminal.options import Shown, fraction
from modelyard.cli.terminal.table import table

if TYPE_CHECKING:
    from modelyard.core.monitoring.simulation.course import ChangeResult, Made, QuietResult, Setting
    from modelyard.core.monitoring.simulation.streams import StreamModel

THREE_CLOCKS = "Modelyard, three clocks"
ONE_CLOCK = "e-detector on minutes alone"
WEEK = 7 * 1440
"""Minutes before a change: the time in which the tolerance for a rhythm is learnt."""


class DriftResult(NamedTuple):
    """What one rule does: without a change, and with it; None for what was not simulated."""

    quiet: "QuietResult | None"
    change: "ChangeResult | None"


def pair(text: str) -> tuple[float, float]:
    """`1%:3%` as (0.01, 0.03): a share before the change and after; BadParameter when it is none."""
    before, found, after = text.partition(":")
    if not found:
        raise typer.BadParameter(f"{text!r} is not a share before and one after: write 0%:2%.")
    return fraction(before), fraction(after)


def drift(
    shift: Annotated[float, typer.Option(help="The mean moves by so many standard deviations.")] = 0.0,
    missing: Annotated[str, typer.Option(metavar="A:B", help="Share of missing rows, before:after.")] = "0%:0%",
    category: Annotated[str, typer.Option(metavar="A:B", help="Share of a rare category, before:after.")] = "",
    outside: Annotated[
        float, typer.Option(parser=fraction, metavar="SHARE", help="Share of rows that become outside the reference.")
    ] = 0.0,
    rhythm: Annotated[float, typer.Option(min=0.0, help="The mean goes up and down daily by so many.")] = 0.0,
    correlation: Annotated[float, typer.Option(min=0.0, max=0.5, help="Of rows within a minute: bursts.")] = 0.0,
    rows: Annotated[int, typer.Option(min=1, max=100_000, help="Rows a minute.")] = 100,
    reference: Annotated[int, typer.Option(min=20, max=1_000_000, help="Rows of the reference.")] = 4000,
    features: Annotated[int, typer.Option(min=1, max=100, help="Features of the Model.")] = 30,
    days: Annotated[float, typer.Option(min=0.05, max=90.0, help="How long a change is waited for.")] = 3.0,
    quiet_days: Annotated[int, typer.Option(min=0, max=90, help="How long nothing changes, all features.")] = 2,
    runs: Annotated[int, typer.Option(min=1, help="How often all that.")] = 5,
    seed: Annotated[int, typer.Option(help="The same seed gives the same result.")] = 1,
    output: Shown = Output.TABLE,
) -> None:
    """Simulate how soon a change in one feature is found, by Modelyard and by the usual rules."""
    from modelyard.core.monitoring.simulation.course import Setting
    from modelyard.core.monitoring.simulation.streams import StreamModel

    shares = pair(category) if category else None
    if shares is not None and max(shares) >= 0.4:
        raise typer.BadParameter("--category is of a rare one: both shares below 40%.")
    model = StreamModel(rows, WEEK, shift, pair(missing), outside, shares, rhythm=rhythm, correlation=correlation)
    setting = Setting(features, reference)
    results = simulated(model, setting, round(days * 1440), quiet_days, runs, seed)
    if output is Output.TABLE:
        out().print(table(("rule", "false alarms a month", "found", "median", "p90"), _cells(results)))
    else:
        dump({name: _plain(result) for name, result in results.items()}, output)


def simulated(
    model: "StreamModel", setting: "Setting", minutes: int, quiet_days: int, runs: int, seed: int
) -> dict[str, DriftResult]:
    """What every rule does, by its name; each on streams of the same seed."""
    from modelyard.core.monitoring.simulation.course import change, quiet

    calm, found, known = {}, {}, rules()
    if quiet_days:
        say(f"simulating {runs} times {quiet_days} days without a change")
        calm = quiet(known, _unchanged(model), setting, quiet_days, runs, random.Random(seed))  # noqa: S311
    if model != _unchanged(model):
        say(f"simulating {runs} changes")
        for name, made in known.items():
            chance = random.Random(seed)  # noqa: S311 - a repeatable simulation, nothing secret
            found[name] = change(made, model, setting, minutes, runs, chance)
    return {name: DriftResult(calm.get(name), found.get(name)) for name in known}


def rules() -> dict[str, "Made"]:
    """Modelyard's detector, the same on one clock, and the usual rules, by name."""
    from modelyard.core.monitoring.simulation.detectors import FixedLooks, OneClock, ThreeClocks
    from modelyard.core.monitoring.simulation.usual_rules import RULES

    made: dict[str, Made] = {
        THREE_CLOCKS: lambda profiles, watched, _: ThreeClocks(profiles, watched),
        ONE_CLOCK: lambda profiles, watched, _: OneClock(profiles, watched),
    }
    for rule in RULES:
        made[rule.name] = lambda profiles, watched, chance, rule=rule: FixedLooks(rule, profiles, watched, chance)
    return made


def _unchanged(model: "StreamModel") -> "StreamModel":
    kept = None if model.category is None else (model.category[0], model.category[0])
    return replace(model, shift=0.0, missing=(model.missing[0], model.missing[0]), outside=0.0, category=kept)


def _plain(result: DriftResult) -> dict[str, Any]:
    calm, found = result
    return {
        "quietRuns": None if calm is None else calm.runs,
        "quietRunsWithAlarms": None if calm is None else calm.alarmed,
        "falseAlarmsAMonth": None if calm is None else round(calm.alarms_a_month, 3),
        "found": None if found is None else round(found.found, 3),
        "medianMinutes": None if found is None else found.median,
        "p90Minutes": None if found is None else found.p90,
    }


def _cells(results: dict[str, DriftResult]) -> Sequence[Sequence[str]]:
    return [
        [
            name,
            "" if calm is None else f"{calm.alarms_a_month:.3g}",
            "" if found is None else f"{found.found:.0%}",
            "" if found is None else span_text(found.median),
            "" if found is None else span_text(found.p90),
        ]
        for name, (calm, found) in results.items()
    ]


def span_text(minutes: float | None) -> str:
    """Minutes as 20 min, 3.2 h or 2.5 d; empty for none."""
    if minutes is None:
        return ""
    if minutes < 120:
        return f"{minutes:.0f} min"
    return f"{minutes / 60:.1f} h" if minutes < 2880 else f"{minutes / 1440:.1f} d"
