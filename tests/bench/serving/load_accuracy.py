"""`python -m tests.bench.serving.load_accuracy`: are the load test's percentiles those of the server? As Markdown.

A server whose answers take what a table of quantiles says, each once, is asked as often as the table is long, and notes
what each answer really took. What the load test reports has to be those percentiles within 2 %; exit code 1 when it is
not. On a busy machine both differ from the table, because the server is late as well.
"""

import argparse
import tempfile
from pathlib import Path
from typing import NamedTuple

from modelyard.builder.tuning.load import quantile
from tests.bench.serving.timed_server import log_normal, running
from tests.support.cluster.locust import load

WITHIN = 0.02
PERCENTILES = (50.0, 99.0, 99.9)


class Row(NamedTuple):
    """A percentile in milliseconds: as planned, as the server answered, as the load test reports it."""

    percentile: float
    planned: float
    answered: float
    reported: float

    @property
    def off(self) -> float:
        """By what share the report is wrong."""
        return self.reported / self.answered - 1.0


def rows(times: list[float], rate: float) -> list[Row]:
    """What came of asking once for every time."""
    with running(times) as server, tempfile.TemporaryDirectory() as folder:
        seconds = len(times) / rate
        flags = ("--rate", f"{rate:g}", "--duration", f"{seconds:g}", "--grpc-share", "0", "--error-rate", "0.01")
        loaded = load(server.url, Path(folder), *flags)
        took = sorted(server.took[1:])  # the first was to see whether anybody is there
    assert loaded.code == 0, loaded.err + loaded.out
    reported = loaded.report["latency"]["all"]
    return [
        Row(each, 1000.0 * quantile(times, each, 0), 1000.0 * quantile(took, each, 0), reported[f"p{each:g}"])
        for each in PERCENTILES
    ]


def main() -> int:
    """Prints one table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=6000)
    parser.add_argument("--rate", type=float, default=100.0)
    options = parser.parse_args()
    found = rows(log_normal(options.requests, 0.15, 0.35), options.rate)
    print("| percentile | planned, ms | the server's, ms | the load test's, ms | off by |\n|---|---|---|---|---|")
    for row in found:
        print(f"| p{row.percentile:g} | {row.planned:.2f} | {row.answered:.2f} | {row.reported:.2f} | {row.off:+.2%} |")
    return 0 if all(abs(row.off) <= WITHIN for row in found) else 1


if __name__ == "__main__":
    raise SystemExit(main())
