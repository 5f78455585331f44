"""The picture of `modelyard simulate`: chances to abort and to promote against the true bad rate."""

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from modelyard.errors import UserError

if TYPE_CHECKING:
    from modelyard.core.analysis.statistics.simulation import SimulationResult

_STYLES = (("#1f5fa8", "-", "o"), ("#c2571a", "--", "s"), ("#6b8e23", ":", "^"))


def check(path: Path) -> None:
    """Raises UserError when `draw` would fail for want of matplotlib or of the folder."""
    if find_spec("matplotlib") is None:
        raise UserError("A plot needs matplotlib: install it with pip install 'modelyard[plots]'.")
    if not path.absolute().parent.is_dir():
        raise UserError(f"The folder of {path} does not exist: choose another file.")


def draw(
    path: Path, allowed: float, results: Mapping[float, Mapping[str, "SimulationResult"]], names: Mapping[str, str]
) -> None:
    """Writes a PNG; `results` holds the results by true bad rate and key of `names`.

    `allowed` is the allowed bad rate, a fraction. Raises UserError when PATH cannot be written.
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import FuncFormatter, NullFormatter

    figure = Figure(figsize=(10.0, 4.4), dpi=140, layout="constrained")
    panels = figure.subplots(1, 2, sharey=True)
    rates, line_means = sorted(results), f"grey line: allowed, {100 * allowed:.3g} %"
    for panel, title in zip(panels, ("aborted", "promoted"), strict=True):
        for (key, name), (colour, line, dot) in zip(names.items(), _STYLES, strict=True):
            percentages = [100.0 * getattr(results[rate][key], title) for rate in rates]
            panel.plot(rates, percentages, line, color=colour, marker=dot, markersize=4, label=name)
        panel.axvline(allowed, color="0.35", linewidth=0.8)
        panel.set(title=f"Rollouts {title}", xscale="log", xlabel=f"true bad rate of the candidate ({line_means})")
        panel.set_ylim(-3, 103)
        panel.xaxis.set_major_formatter(FuncFormatter(lambda rate, _: f"{100 * rate:.3g} %"))
        panel.xaxis.set_minor_formatter(NullFormatter())
        panel.grid(alpha=0.25)
    panels[0].set_ylabel("of the rollouts, %")
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3, frameon=False)
    try:
        figure.savefig(path, format="png")
    except OSError as bad:
        raise UserError(f"{path} cannot be written ({bad.strerror}): choose another file.") from bad
