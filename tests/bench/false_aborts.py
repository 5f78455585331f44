"""`python -m tests.bench.false_aborts`: aborts of candidates that are like their stable, by cell, as Markdown.

Every cell of `tests.support.traffic.burst_grid`, looked at every five seconds (`--every 1`: every second, as gates
do; four times as slow). Needs no cluster.
"""

import argparse
from collections.abc import Iterable

from modelyard.core.analysis.statistics.sequential_test import Rule
from tests.support.traffic.burst_grid import BURSTS, HISTORY, Cell, failures, grid


def main() -> None:
    """Print one row for every allowed rate and request rate, one column for every kind of bursts and history."""
    options = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    options.add_argument("--runs", type=int, default=1000)
    options.add_argument("--every", type=int, default=5, help="seconds between two looks")
    options.add_argument("--factor", type=float, default=1.0, help="true bad rate : allowed one")
    options.add_argument("--share", type=float, default=0.5)
    options.add_argument("--seed", type=int, default=1)
    chosen = options.parse_args()
    kinds = [
        f"{correlation:g}{(' shared' if shared else ' separate') if correlation else ''}, {history} min"
        for correlation, shared in BURSTS
        for history in HISTORY
    ]
    print(f"| allowed | requests a minute | {' | '.join(kinds)} |")
    print("|---" * (len(kinds) + 2) + "|", flush=True)
    worst = 0.0
    for allowed, per_minute, cells in _rows(grid(chosen.factor, chosen.share)):
        found = []
        for cell in cells:
            rule = Rule(allowed, max_regression=0.25)
            ended = failures(rule, cell.traffic, chosen.runs, chosen.seed, chosen.every)
            found.append(sum(one is not None for one in ended) / chosen.runs)
        worst = max(worst, *found)
        print(
            f"| {100 * allowed:g} % | {per_minute:,g} | {' | '.join(f'{100 * one:.2g} %' for one in found)} |",
            flush=True,
        )
    print(f"\nworst: {100 * worst:.2g} % of {chosen.runs}")


def _rows(cells: Iterable[Cell]) -> Iterable[tuple[float, float, list[Cell]]]:
    rows: dict[tuple[float, float], list[Cell]] = {}
    for cell in cells:
        rows.setdefault((cell.allowed, cell.traffic.per_minute), []).append(cell)
    return ((allowed, per_minute, row) for (allowed, per_minute), row in rows.items())


if __name__ == "__main__":
    main()
