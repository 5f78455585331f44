"""The pictures as PNG, for slides and issues; needs matplotlib, which only the extra `plots` installs."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

from modelyard.api.optimization import Optimization

from .labels import labels
from .tradeoff import Panel, panels, role

TRADE_OFF, LATENCY = "trade-off.png", "latency.png"
_MARKS: dict[str, dict[str, Any]] = {
    "refused": {"marker": "x", "color": "#b3372b", "s": 34, "zorder": 2},
    "eligible": {"marker": "o", "facecolors": "white", "edgecolors": "#1f5fa8", "s": 40, "zorder": 3},
    "pareto": {"marker": "o", "color": "#1f5fa8", "s": 44, "zorder": 4},
    "original": {"marker": "s", "color": "#1d2126", "s": 44, "zorder": 5},
    "chosen": {"marker": "o", "color": "#0b6e4f", "s": 90, "zorder": 6},
}
_POINTS = (420.0, 300.0)
"""About the size of a panel in units of which a letter of its labels is as wide as `labels` thinks."""
_LEGEND = {"pareto": "Pareto front", "eligible": "keeps the quality"}


def available() -> bool:
    """Whether matplotlib is installed."""
    return find_spec("matplotlib") is not None


def write(report: Optimization, folder: Path) -> list[Path]:
    """Writes both pictures into FOLDER; gives their paths, none when nothing was timed or matplotlib is missing."""
    if not available() or not panels(report):
        return []
    return [_trade_off(report, folder / TRADE_OFF), _latency(report, folder / LATENCY)]


def _trade_off(report: Optimization, path: Path) -> Path:
    from matplotlib.figure import Figure

    shown = panels(report)
    figure = Figure(figsize=(5.6 * len(shown), 4.6), dpi=140, layout="constrained")
    axes = figure.subplots(1, len(shown), squeeze=False)[0]
    for panel, axis in zip(shown, axes, strict=True):
        _panel(panel, axis)
    handles = {label: handle for axis in axes for handle, label in zip(*axis.get_legend_handles_labels(), strict=True)}
    figure.legend(handles.values(), handles.keys(), loc="outside lower center", ncols=5, frameon=False)
    figure.suptitle(f"{report.source}: what is traded", fontsize=11)
    figure.savefig(path)
    return path


def _panel(panel: Panel, axis: Any) -> None:
    for kind, mark in _MARKS.items():
        points = [point for point in panel.points if point.role == kind]
        for beyond in (False, True):
            some = [point for point in points if point.beyond is beyond]
            if some:
                style = {**mark, **({"marker": "^"} if beyond else {})}
                label = None if beyond else _LEGEND.get(kind, kind)
                heights = [min(point.y, panel.y.high) for point in some]
                axis.scatter([point.x for point in some], heights, label=label, clip_on=False, **style)
    for label in labels(panel, *_POINTS):
        side = "left" if label.right else "right"
        where = {"xycoords": "axes fraction", "fontsize": 7, "ha": side, "va": "center"}
        axis.annotate(label.text, (label.x, label.y), **where)
    if panel.bound is not None:
        axis.axhline(panel.bound, color="#b3372b", linestyle="--", linewidth=0.9, label="allowed")
    axis.set(title=panel.title, xlabel=panel.x.label, ylabel=panel.y.label, xscale="log")
    axis.set_xlim(panel.x.low, panel.x.high)
    axis.set_yscale("log" if panel.y.log else "linear")
    axis.set_ylim(panel.y.low, panel.y.high)
    axis.set_xticks(*_ticks(panel.x.ticks))
    axis.set_yticks(*_ticks(panel.y.ticks))
    axis.minorticks_off()
    axis.grid(alpha=0.25)


def _ticks(ticks: tuple[tuple[float, str], ...]) -> tuple[list[float], list[str]]:
    return [tick for tick, _ in ticks], [text for _, text in ticks]


def _latency(report: Optimization, path: Path) -> Path:
    from matplotlib.figure import Figure

    timed = sorted((v for v in report.variants if 1 in v.latency), key=lambda v: -v.latency[1].p50)
    figure = Figure(figsize=(7.5, 1.4 + 0.34 * len(timed)), dpi=140, layout="constrained")
    axis = figure.subplots()
    for height, variant in enumerate(timed):
        latency, kind = variant.latency[1], role(variant, report)
        colour = {"chosen": "#0b6e4f", "refused": "#d9a5a0", "original": "#1d2126"}.get(kind, "#1f5fa8")
        axis.plot([latency.p50, latency.p99], [height, height], color=colour, linewidth=1)
        axis.plot(latency.p50, height, "o", color=colour, markersize=6)
        axis.plot(latency.p99, height, "|", color=colour, markersize=7)
    axis.set_yticks(range(len(timed)), [v.name + (" (refused)" if v.refused else "") for v in timed], fontsize=8)
    axis.set(xscale="log", xlabel="latency at batch 1 (ms): dot for the median, line to the 99th percentile")
    axis.set_title(f"{report.source} on {report.hardware.processor}", fontsize=10)
    axis.grid(axis="x", alpha=0.25)
    figure.savefig(path)
    return path
