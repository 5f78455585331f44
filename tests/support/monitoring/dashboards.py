"""The panels of the committed dashboards, with their expressions as Prometheus takes them: without variables."""

import json
from typing import NamedTuple

from tests.support.monitoring.exposition import NAMESPACE
from tests.support.repository.charts import PLATFORM

FOLDER = PLATFORM / "files" / "dashboards"
MODEL = "digits"
_VARIABLES = {"$namespace": NAMESPACE, "$model": MODEL, "$__rate_interval": "1m"}


class PanelQuery(NamedTuple):
    """One expression of a panel, what its series are called, and the panel's unit."""

    dashboard: str
    panel: str
    expr: str
    legend: str
    unit: str


def panel_queries() -> list[PanelQuery]:
    """Every expression of every dashboard."""
    found = []
    for file in sorted(FOLDER.glob("*.json")):
        for panel in json.loads(file.read_text())["panels"]:
            for target in panel["targets"]:
                expr, unit = target["expr"], panel["fieldConfig"]["defaults"].get("unit", "none")
                for name, value in _VARIABLES.items():
                    expr = expr.replace(name, value)
                found.append(PanelQuery(file.stem, panel["title"], expr, target["legendFormat"], unit))
    return found
