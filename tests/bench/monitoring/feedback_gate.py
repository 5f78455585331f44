"""How many labels the gate `feedback` needs, and how often it errs: the tables of platform/docs/benchmarks/feedback.md.

    python -m tests.bench.monitoring.feedback_gate [RUNS]        rollouts a row (400), a quarter of them a cell

The margin is 5 %, a quarter of the requests are the candidate's; a rollout is looked at after every minute with labels,
for twelve hours, or for four where there are many.
"""

import sys
from collections.abc import Sequence
from dataclasses import replace
from statistics import quantiles

from tests.support.traffic.labelled_answers import LabelledAnswers, LabelledEnd, many

MARGIN = 0.05
LONG, SHORT = 720, 240
RATES = {4: LONG, 20: LONG, 200: SHORT}
"""Labelled requests a minute -> minutes of a rollout."""
WRONG = (0.20, 0.30, 0.50, 1.0)


def main(runs: int) -> None:
    """Prints all tables as Markdown."""
    errs(runs)
    fails(runs)
    passes(runs)


def errs(runs: int) -> None:
    """How often a candidate fails that is no worse than allowed, and passes."""
    print("\n| candidate and stable, 40 labelled requests a minute | failed | passed |\n|---|---|---|", flush=True)
    rows = {
        "10 % wrong, both": LabelledAnswers(40, 0.10, 0.10),
        "the same, of minutes that are hard for both (correlation 0.2)": LabelledAnswers(40, 0.10, 0.10, hard=0.2),
        "15 % and 10 %: what is allowed": LabelledAnswers(40, 0.15, 0.10),
        "the same, hard minutes (0.1)": LabelledAnswers(40, 0.15, 0.10, hard=0.1),
        "10 % both, and one minute of 18 in which all is wrong": LabelledAnswers(40, 0.10, 0.10, bursts=0.05 / 0.9),
    }
    for name, answers in rows.items():
        found = list(many(answers, MARGIN, SHORT, runs, 1))
        failed, passed = sum(one.failed for one in found), sum(one.passed for one in found)
        print(f"| {name} | {failed / runs:.2%} | {passed / runs:.1%} |", flush=True)


def fails(runs: int) -> None:
    """Labels of the candidate until it fails, beside a stable that is wrong in 10 %."""
    print("\n| labelled requests a minute |" + "".join(f" {wrong:.0%} wrong |" for wrong in WRONG))
    print("|---|" + "---|" * len(WRONG), flush=True)
    for rate in RATES:
        cells = [_needed(LabelledAnswers(rate, wrong, 0.10), rate, runs // 4, failed=True) for wrong in WRONG]
        print(f"| {rate} | {' | '.join(cells)} |", flush=True)


def passes(runs: int) -> None:
    """Labels of the candidate until it passes, when it is like the stable."""
    print("\n| labelled requests a minute | 2 % wrong, both | 10 % | 30 % |\n|---|---|---|---|", flush=True)
    for rate in RATES:
        alike = LabelledAnswers(rate, 0.0, 0.0)
        cells = [
            _needed(replace(alike, wrong=wrong, stable_wrong=wrong), rate, runs // 4, failed=False)
            for wrong in (0.02, 0.10, 0.30)
        ]
        print(f"| {rate} | {' | '.join(cells)} |", flush=True)


def _needed(answers: LabelledAnswers, rate: int, runs: int, *, failed: bool) -> str:
    found = [one for one in many(answers, MARGIN, RATES[rate], runs, 2) if (one.failed if failed else one.passed)]
    return f"{_spread(found, rate * answers.share)} ({len(found) / runs:.0%})" if len(found) > 1 else "-"


def _spread(found: Sequence[LabelledEnd], a_minute: float) -> str:
    counts = [one.requests for one in found]
    middle, high = quantiles(counts, n=10)[4], quantiles(counts, n=10)[8]
    return f"{middle:,.0f}, p90 {high:,.0f}; {middle / a_minute:,.0f} min"


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 400)
