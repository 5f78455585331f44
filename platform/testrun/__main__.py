"""`python -m testrun [STAGE ...]`: exit code 0 when everything passed, 1 otherwise, 2 for an unknown stage."""

import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.table import Table

from .beside import Beside, Call
from .cluster import Cluster
from .outcome import Outcome, last_line, slowest
from .stages import BESIDE, REPORTS, STAGES, local_cluster

Stages = Mapping[str, Callable[[Cluster], Outcome]]
BesideStages = Mapping[str, Callable[[Call], Outcome]]


def run(
    names: list[str],
    console: Console,
    cluster: Cluster,
    stages: Stages = STAGES,
    beside: BesideStages = BESIDE,
    logs: Path = REPORTS,
) -> list[Outcome]:
    """Run the stages in order; a failed stage does not keep the later ones from running.

    Those of `beside` begin with the first, unless `e2e`, which wants the machine for itself, comes before them.
    """
    outcomes = []
    began = time.monotonic()
    early = names[1 : names.index("e2e")] if "e2e" in names else names[1:]
    background = Beside({name: beside[name] for name in early if name in beside}, logs)
    try:
        if "e2e" in names:
            cluster.begin(background=names[0] != "e2e")
        for position, name in enumerate(names, 1):
            console.rule(f"{position}/{len(names)} {name}, {minutes(time.monotonic() - began)} since the start")
            if progress := cluster.progress():
                console.print(f"  {progress}")
            outcome = background.outcome(name) if name in background else _timed(stages[name], cluster)
            console.print(f"  {name}: {last_line([outcome])} in {minutes(outcome.seconds)}")
            outcomes.append(outcome)
    finally:
        background.leave()
        cluster.leave()
    return outcomes


def _timed(stage: Callable[[Cluster], Outcome], cluster: Cluster) -> Outcome:
    started = time.monotonic()
    return replace(stage(cluster), seconds=time.monotonic() - started)


def minutes(seconds: float) -> str:
    """A duration as m:ss."""
    whole = round(seconds)
    return f"{whole // 60}:{whole % 60:02}"


def summary(outcomes: list[Outcome], seconds: float) -> Table:
    """The table at the end: what each stage came to, and its time; all took `seconds`, some side by side."""
    table = Table("stage", "passed", "failed", "time", "", title="Summary")
    for outcome in outcomes:
        colour = "green" if outcome.good else "red"
        table.add_row(
            f"[{colour}]{outcome.stage}[/]",
            str(outcome.passed),
            str(outcome.failed),
            minutes(outcome.seconds),
            "; ".join(outcome.broken),
        )
    table.add_section()
    table.add_row("all", "", "", minutes(seconds), "")
    return table


def slowest_tests(outcomes: list[Outcome]) -> Table:
    """The tests that took longest."""
    table = Table("time", "test", title="The slowest tests")
    for duration in slowest(outcomes):
        table.add_row(f"{duration.seconds:.1f} s", duration.test)
    return table


def main(names: list[str]) -> int:
    """Run and report."""
    unknown = [name for name in names if name not in STAGES]
    if unknown:
        print(f"testrun: there is no stage {unknown[0]!r}; choose from {', '.join(STAGES)}.", file=sys.stderr)
        return 2
    console, began = Console(highlight=False), time.monotonic()
    outcomes = run(names or list(STAGES), console, local_cluster())
    if slowest(outcomes):
        console.print(slowest_tests(outcomes))
    console.print(summary(outcomes, time.monotonic() - began))
    print(last_line(outcomes), flush=True)
    return 0 if all(outcome.good for outcome in outcomes) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
