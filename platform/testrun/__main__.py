"""`python -m testrun [STAGE ...]`: exit code 0 when everything passed, 1 otherwise, 2 for an unknown stage."""

import sys
import time
from dataclasses import replace

from rich.console import Console
from rich.table import Table

from .outcome import Outcome, last_line
from .stages import STAGES


def run(names: list[str], console: Console) -> list[Outcome]:
    """Run the stages one after the other; a failed stage does not keep the later ones from running."""
    outcomes = []
    for position, name in enumerate(names, 1):
        console.rule(f"{position}/{len(names)} {name}")
        started = time.monotonic()
        outcomes.append(replace(STAGES[name](), seconds=time.monotonic() - started))
    return outcomes


def summary(outcomes: list[Outcome]) -> Table:
    """The table at the end."""
    table = Table("stage", "passed", "failed", "time", "", title="Summary")
    for outcome in outcomes:
        colour = "green" if outcome.good else "red"
        table.add_row(
            f"[{colour}]{outcome.stage}[/]",
            str(outcome.passed),
            str(outcome.failed),
            f"{outcome.seconds:.1f} s",
            "; ".join(outcome.broken),
        )
    return table


def main(names: list[str]) -> int:
    """Run and report."""
    unknown = [name for name in names if name not in STAGES]
    if unknown:
        print(f"testrun: there is no stage {unknown[0]!r}; choose from {', '.join(STAGES)}.", file=sys.stderr)
        return 2
    console = Console(highlight=False)
    outcomes = run(names or list(STAGES), console)
    console.print(summary(outcomes))
    print(last_line(outcomes), flush=True)
    return 0 if all(outcome.good for outcome in outcomes) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
