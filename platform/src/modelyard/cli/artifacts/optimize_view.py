"""What `modelyard optimize` shows: a table that fills while variants are tried, and the summary at the end."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console, Group
from rich.live import Live
from rich.markup import escape
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from modelyard.cli.terminal.console import err, out, say
from modelyard.cli.terminal.table import table
from modelyard.core.storage.entry_metadata import METADATA

if TYPE_CHECKING:
    from modelyard.api.optimization import Optimization, Variant
    from modelyard.builder.optimization.optimizer import Watch
    from modelyard.builder.optimization.trials.trial import Trial

_COLUMNS = ("variant", "precision", "quality", "lost", "size", "")


@dataclass
class Board:
    """What became of each variant so far; drawn anew whenever something happens."""

    live: Live
    doing: str = ""
    waiting: int = 0
    rows: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def say(self, doing: str) -> None:
        self.doing = doing
        self._draw()

    def planned(self, names: Sequence[str]) -> None:
        self.waiting = len(names)
        self._draw()

    def trying(self, name: str) -> None:
        self.rows[name] = (f"[bold]{escape(name)}[/]", "", "", "", "", "[yellow]is tried[/]")
        self.say(f"trying {name}")

    def tried(self, trial: "Trial") -> None:
        self.rows[trial.name] = _trial_row(trial)
        self.waiting = max(0, self.waiting - 1)
        self._draw()

    def _draw(self) -> None:
        """The last rows that fit; a long reason is cut here and told in full at the end."""
        shown = table(_COLUMNS, list(self.rows.values())[-max(3, self.live.console.height - 4) :])
        shown.expand, shown.columns[-1].ratio = True, 1
        for column in shown.columns:
            column.no_wrap, column.overflow = True, "ellipsis"
        more = f", {self.waiting} to go" if self.waiting else ""
        self.live.update(Group(shown, Spinner("dots", Text(f" {self.doing}{more}", style="dim"))), refresh=True)


def _trial_row(trial: "Trial") -> tuple[str, ...]:
    quality = f"{trial.quality:.4g}" if trial.quality is not None else ""
    lost = _percent(trial.loss)
    verdict = f"[red]{escape(trial.refused)}[/]" if trial.refused else "[green]answers[/]"
    return (escape(trial.name), trial.precision, quality, lost, _bytes(trial.size), verdict)


@contextmanager
def progress() -> "Iterator[Watch]":
    """A context of who watches the optimizer: a live table on a terminal, plain lines elsewhere; both on stderr."""
    from modelyard.builder.optimization.optimizer import Watch

    if not sys.stderr.isatty():
        yield Watch(say=_plainly, tried=lambda trial: say(f"{trial.name}: {trial.refused or 'answers'}"))
        return
    with Live(console=err(), transient=True, auto_refresh=True) as live:
        board = Board(live)
        yield Watch(say=board.say, planned=board.planned, trying=board.trying, tried=board.tried)


def _plainly(doing: str) -> None:
    """Rounds follow each other too fast for a log."""
    if not doing.startswith("round"):
        say(doing)


def show(report: "Optimization", folder: Path) -> None:
    """Prints the variants, the verdict, and what to do next with the files in `folder`."""
    console = out()
    verdict(report, console)
    for name, text in _next(report, folder):
        console.print(f"  [dim]{name:<7}[/]{escape(text)}", soft_wrap=True)


def verdict(report: "Optimization", console: Console) -> None:
    """Prints the variants, why some were refused, what was chosen, and what one should know about the figures."""
    console.print(variants_table(report))
    for reason, names in _refusals(report).items():
        console.print(f"  [red]refused[/] {escape(', '.join(names))}: [dim]{escape(reason)}[/]", soft_wrap=True)
    console.print()
    for line in summary(report):
        console.print(line, soft_wrap=True)
    for note in report.notes:
        console.print(f"  [dim]note   [/]{escape(note)}", soft_wrap=True)


def variants_table(report: "Optimization") -> Table:
    """Every variant that was timed: the chosen first, then by speed, the refused last."""
    metric = report.metric.name if report.metric else "quality"
    batches = sorted({rows for variant in report.variants for rows in variant.latency})
    columns = ("variant", "speed-up", *(f"ms at {rows}" for rows in batches), "rows/s", "size", metric, "lost", "")
    chosen = report.chosen.name
    timed = [variant for variant in report.variants if variant.latency]
    ranked = sorted(timed, key=lambda v: (v.name != chosen, v.refused is not None, -(v.speedup or 0)))
    return table(columns, [_row(variant, report, batches) for variant in ranked])


def _refusals(report: "Optimization") -> dict[str, list[str]]:
    """Names by reason, in the order they were tried."""
    names: dict[str, list[str]] = {}
    for variant in report.variants:
        if variant.refused:
            names.setdefault(variant.refused, []).append(variant.name)
    return names


def _row(variant: "Variant", report: "Optimization", batches: Sequence[int]) -> tuple[str, ...]:
    latencies = [variant.latency.get(rows) for rows in batches]
    name = escape(variant.name)
    if variant.name == report.chosen.name:
        name, verdict = f"[bold green]{name}[/]", "[green]chosen[/]"
    elif variant.refused:
        name, verdict = f"[dim]{name}[/]", "[red]refused[/]"
    else:
        verdict = "Pareto front" if variant.pareto else ""
    return (
        name,
        f"{variant.speedup:.2f}" if variant.speedup else "",
        *(f"{latency.p50:.3g}" if latency else "" for latency in latencies),
        f"{variant.throughput:,.0f}" if variant.throughput else "",
        _bytes(variant.size),
        f"{variant.quality:.4g}" if variant.quality is not None else "",
        _percent(variant.quality_loss),
        verdict,
    )


def summary(report: "Optimization") -> list[str]:
    """What was chosen and what it brings: one line when it is the original, else two or three, with markup."""
    chosen = report.chosen
    if chosen.name == report.baseline:
        return [f"[bold]{escape(report.source)}[/]: {escape(chosen.reason)}"]
    by_name = {variant.name: variant for variant in report.variants}
    new, old = by_name[chosen.name], by_name[report.baseline]
    lines = [f"[bold green]{escape(report.source)} as {escape(new.name)}[/]: {', '.join(_gains(report, new, old))}."]
    if report.metric and new.quality is not None and old.quality is not None and chosen.quality_loss is not None:
        lines.append(
            f"  {report.metric.name} {new.quality:.4g} instead of {old.quality:.4g} on {report.metric.rows} rows: "
            f"{_percent(chosen.quality_loss)} lost, {_percent(report.max_quality_loss)} allowed."
        )
    return [*lines, f"  It is {escape(chosen.reason)}"]


def _gains(report: "Optimization", new: "Variant", old: "Variant") -> Iterator[str]:
    size = f"{report.chosen.size_ratio:.0%} of the size ({_bytes(new.size)} instead of {_bytes(old.size)})"
    if report.goal == "size":
        yield size
    if report.goal in ("throughput", "cost") and new.throughput and old.throughput:
        ratio = report.chosen.speedup or 0.0
        yield f"{ratio:.2f} times the throughput ({new.throughput:,.0f} rows/s instead of {old.throughput:,.0f})"
    elif new.speedup and 1 in new.latency and 1 in old.latency:
        times = f"{new.latency[1].p50:.3g} ms instead of {old.latency[1].p50:.3g} ms"
        yield f"{new.speedup:.2f} times as fast ({times} at batch 1)"
    if report.goal != "size":
        yield size


def _next(report: "Optimization", folder: Path) -> Iterator[tuple[str, str]]:
    from modelyard.builder.optimization.search.selection import choose

    yield "report", str(folder / "report.html")
    chosen = next(variant for variant in report.variants if variant.name == report.chosen.name)
    entry = (folder / "chosen" / METADATA).is_file()
    if chosen.runtime != "onnxruntime":
        yield "model", f"{folder / 'chosen'} (for {chosen.runtime})"
        if chosen.runtime == "openvino":
            yield "next", f"modelyard serve {folder / 'chosen'}"
        if entry:
            yield "", f"modelyard push {folder / 'chosen'}"
        here = choose([v for v in report.variants if v.runtime == "onnxruntime"], report.goal, report.max_quality_loss)
        yield "", f"where only ONNX runs, add --runtime onnxruntime: the best there is {here.name}"
        return
    model = folder / "chosen" / "model.onnx"
    yield "model", str(model)
    yield "next", f"modelyard serve {model}"
    if chosen.name != report.baseline:
        alone = f" --name {report.source} --version 1-{chosen.name}"
        yield "", f"modelyard push {folder / 'chosen' if entry else model}{'' if entry else alone}"


def _bytes(size: float | None) -> str:
    from modelyard.builder.optimization.report.tradeoff import in_bytes

    return in_bytes(size) if size else ""


def _percent(loss: float | None) -> str:
    from modelyard.builder.optimization.search.selection import percent

    return percent(loss) if loss is not None else ""
