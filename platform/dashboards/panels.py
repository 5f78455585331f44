"""What all dashboards are made of: one source of data, choices of namespace and Model, and panels over PromQL."""

from typing import NamedTuple

from grafana_foundation_sdk.builders import common, prometheus, stat, timeseries
from grafana_foundation_sdk.builders import dashboard as builders
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import (
    Dashboard,
    DashboardCursorSync,
    DataSourceRef,
    VariableOption,
    VariableRefresh,
)

SOURCE = DataSourceRef(type_val="prometheus", uid="$datasource")
OF_MODEL = 'namespace="$namespace", model="$model"'
_TALL, _WIDE, _HALF, _THIRD = 8, 24, 12, 8


class Line(NamedTuple):
    """An expression, and what its series are called: labels in {{ }}."""

    expr: str
    legend: str


def graph(title: str, unit: str, *lines: Line, says: str = "", width: int = _THIRD) -> timeseries.Panel:
    """Lines over time; `unit` is one of Grafana's, `says` explains the panel."""
    panel = timeseries.Panel().title(title).unit(unit).datasource(SOURCE).height(_TALL).span(width).min(0)
    panel = panel.legend(common.VizLegendOptions().show_legend(True)).line_width(1.5).fill_opacity(8)
    for letter, line in zip("ABCDEF", lines, strict=False):
        panel = panel.with_target(_query(line, letter))
    return panel.description(says) if says else panel


def number(title: str, unit: str, line: Line, says: str = "", width: int = 4) -> stat.Panel:
    """The latest value of each series as a number."""
    panel = stat.Panel().title(title).unit(unit).datasource(SOURCE).height(4).span(width)
    panel = panel.with_target(_query(line, "A").instant())
    return panel.description(says) if says else panel


def half(title: str, unit: str, *lines: Line, says: str = "") -> timeseries.Panel:
    """A graph of half of the page's width."""
    return graph(title, unit, *lines, says=says, width=_HALF)


def page(name: str, title: str, says: str, *panels: timeseries.Panel | stat.Panel, of_model: bool = False) -> Dashboard:
    """A dashboard with a choice of the source of data and, where it is `of_model`, of namespace and Model."""
    made = (
        builders.Dashboard(title)
        .uid(f"modelyard-{name}")
        .description(says)
        .tags(["modelyard"])
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .time("now-3h", "now")
        .refresh("30s")
        .timezone("browser")
        .with_variable(builders.DatasourceVariable("datasource").label("Data source").type("prometheus"))
    )
    if of_model:
        made = made.with_variable(_choice("namespace", "modelyard_model_ready", "Namespace"))
        made = made.with_variable(_choice("model", 'modelyard_model_ready{namespace="$namespace"}', "Model"))
    for panel in panels:
        made = made.with_panel(panel)
    return made.build()


def text_of(dashboard: Dashboard) -> str:
    """Its JSON, the same for the same panels."""
    return JSONEncoder(sort_keys=True, indent=2).encode(dashboard) + "\n"


def _query(line: Line, letter: str) -> prometheus.Dataquery:
    return prometheus.Dataquery().expr(line.expr).legend_format(line.legend).ref_id(letter)


def _choice(name: str, series: str, label: str) -> builders.QueryVariable:
    nothing = VariableOption(text="", value="")
    made = builders.QueryVariable(name).label(label).datasource(SOURCE).query(f"label_values({series}, {name})")
    return made.current(nothing).refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
