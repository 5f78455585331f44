"""Every expression of every dashboard has an answer in a real Prometheus that scrapes a world under load.

Grafana itself is not run: it cannot be had here. What it would ask is asked instead.
"""

import pytest

from tests.support.monitoring.dashboards import PanelQuery, panel_queries
from tests.support.monitoring.live import LivePrometheus

pytestmark = pytest.mark.integration

QUERIES = panel_queries()


def test_there_is_a_dashboard_of_the_fleet_a_model_a_rollout_its_data_and_the_operator() -> None:
    assert {query.dashboard for query in QUERIES} == {"fleet", "model", "rollout", "data", "operator"}


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: f"{query.dashboard}: {query.panel}, {query.legend}")
def test_a_panel_has_series_and_names_them_by_labels_they_have(live: LivePrometheus, query: PanelQuery) -> None:
    assert "$" not in query.expr
    rows = live.await_rows(query.expr)

    named = {label.strip("{}") for label in query.legend.split() if label.startswith("{{")}
    for row in rows:
        if row["metric"] or "vector(0)" not in query.expr:
            assert {label for part in named for label in part.split("}}/{{")} <= row["metric"].keys()
