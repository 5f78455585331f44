"""`python -m tests.bench.monitoring.pictures [--seconds 150]`: the dashboards as platform/docs/dashboards shows them.

A real Prometheus scrapes the world of `tests.support.monitoring.exposition` for a while; then the answers to the
expressions of every panel are drawn with matplotlib, in the order of the panels. Grafana itself is not run.
"""

import re
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tests.support.monitoring.dashboards import PanelQuery, panel_queries
from tests.support.monitoring.live import LivePrometheus, prometheus

FOLDER = Path(__file__).resolve().parents[3] / "platform" / "docs" / "dashboards"
_COLUMNS, _STEP = 4, 2
_UNITS = {"percentunit": "share", "percent": "%", "reqps": "requests/s", "ops": "a second", "s": "s", "bytes": "bytes"}


def main(seconds: float) -> None:
    """Writes one picture a dashboard."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, prometheus(Path(folder) / "prometheus") as live:
        time.sleep(seconds)
        queries = panel_queries()
        for name in sorted({query.dashboard for query in queries}):
            drawn(live, [query for query in queries if query.dashboard == name], seconds).savefig(
                FOLDER / f"{name}.png"
            )
            print(f"wrote {name}.png")


def drawn(live: LivePrometheus, queries: Sequence[PanelQuery], seconds: float) -> Figure:
    """All panels of one dashboard."""
    panels = list(dict.fromkeys(query.panel for query in queries))
    lines = -(-len(panels) // _COLUMNS)
    figure = Figure(figsize=(4.2 * _COLUMNS, 2.5 * lines), dpi=70, layout="constrained")
    axes = list(figure.subplots(lines, _COLUMNS, squeeze=False).flat)
    for panel, axis in zip(panels, axes, strict=False):
        one_panel(axis, live, [query for query in queries if query.panel == panel], seconds)
    for axis in axes[len(panels) :]:
        axis.set_axis_off()
    return figure


def one_panel(axis: Axes, live: LivePrometheus, queries: Sequence[PanelQuery], seconds: float) -> None:
    """One panel: every series of its expressions over the last `seconds`."""
    now = time.time()
    for query in queries:
        for row in over_time(live, query.expr, now - 0.8 * seconds, now):
            times = [float(at) - now for at, _ in row["values"]]
            axis.plot(times, [float(value) for _, value in row["values"]], label=named(query.legend, row["metric"]))
    axis.set_title(queries[0].panel, fontsize=9)
    axis.set_ylabel(_UNITS.get(queries[0].unit, ""), fontsize=7)
    axis.tick_params(labelsize=6)
    axis.margins(y=0.2)
    axis.set_ylim(bottom=0)
    axis.grid(alpha=0.3)
    axis.legend(fontsize=6, loc="best")


def over_time(live: LivePrometheus, expr: str, start: float, end: float) -> list[dict[str, Any]]:
    """The series of a range query."""
    asked = {"query": expr, "start": start, "end": end, "step": _STEP}
    answer = httpx.post(f"{live.url}/api/v1/query_range", data=asked, trust_env=False, timeout=30).json()
    assert answer["status"] == "success", answer
    return answer["data"]["result"]


def named(legend: str, labels: dict[str, str]) -> str:
    """A legend with its labels filled in."""
    return re.sub(r"\{\{(\w+)\}\}", lambda match: labels.get(match[1], ""), legend)


if __name__ == "__main__":
    main(float(sys.argv[2]) if len(sys.argv) > 2 else 150.0)
