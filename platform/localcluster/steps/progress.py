"""How far a start is: on a terminal a live table, a line a step and no higher than the screen; else a line an event."""

import threading
import time
from pathlib import Path

from rich.console import Console
from rich.live import Live
from rich.panel import Panel
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from localcluster.errors import ClusterError

from .graph import Progress

_STYLE = {"done": "green", "failed": "red", "stopped": "dim", "running": "cyan", "waiting": "dim"}
_MARK = {"done": "✓", "failed": "✗", "stopped": "–", "running": "…", "waiting": "·"}
_QUICK = 0.5
_FRAME = 4
"""Lines of a screen that are not steps: title, caption, what was typed, the cursor's."""
_FOUND = ("cached", "present", "running")


class Display:
    """Shows steps as they change; use it as a context around a run."""

    def __init__(self, title: str, console: Console | None = None) -> None:
        self.title = title
        self.console = console or Console()
        self._began = time.monotonic()
        self._steps: dict[str, Progress] = {}
        self._lock = threading.Lock()
        self._live = Live(get_renderable=self._table, console=self.console, refresh_per_second=4, transient=True)

    def __enter__(self) -> "Display":
        if self.console.is_terminal:
            self._live.start()
        else:
            self.console.print(self.title)
        return self

    def __exit__(self, *_: object) -> None:
        if self.console.is_terminal:
            self._live.stop()
        slow = [step for step in self._steps.values() if step.state == "failed" or step.seconds >= _QUICK]
        if self.console.is_terminal and slow:
            self.console.print(self._listing(slow))
        self.console.print(self._summary(), highlight=False)

    def _summary(self) -> str:
        steps = list(self._steps.values())
        found = sum(step.note in _FOUND for step in steps)
        failed = [step.step.title for step in steps if step.state == "failed"]
        end = f"failed at {failed[0]!r}" if failed else f"{len(steps)} steps, {found} found done"
        return f"{self.title}: {end}, {self.seconds:.0f} s"

    @property
    def seconds(self) -> float:
        """Seconds since the display was made."""
        return time.monotonic() - self._began

    def changed(self, progress: Progress) -> None:
        """Take note of a step's change."""
        with self._lock:
            self._steps[progress.step.name] = progress
        if not self.console.is_terminal:
            line = self._line(progress)
            if line:
                self.console.print(f"{self.seconds:6.1f}s {line}", highlight=False, soft_wrap=True)

    def _line(self, progress: Progress) -> str:
        """One line about a change, where there is no terminal; empty when it is not worth one."""
        note = f"  ({progress.note})" if progress.note else ""
        if progress.state in ("done", "failed"):
            return f"{_MARK[progress.state]} {progress.step.title}  {progress.seconds:.1f} s{note}"
        return f"{_MARK['running']} {progress.step.title}{note}" if progress.note else ""

    def _table(self) -> Table:
        with self._lock:
            steps = list(self._steps.values())
        busy = [step for step in steps if step.state in ("running", "failed")]
        recent = [step for step in steps if step.state == "done" and step.seconds >= _QUICK]
        table = self._listing([*recent, *busy][-max(1, self.console.height - _FRAME) :])
        done = sum(step.state == "done" for step in steps)
        table.caption = f"{done} steps done, {self.seconds:.0f} s"
        return table

    def _listing(self, steps: list[Progress]) -> Table:
        table = Table.grid(padding=(0, 2))
        for _ in ("mark", "title", "seconds"):
            table.add_column(no_wrap=True)
        table.title = self.title
        table.title_justify = table.caption_justify = "left"
        for step in steps:
            mark = Spinner("dots") if step.state == "running" else Text(_MARK[step.state])
            style = _STYLE[step.state]
            note = Text(step.note, style="dim", no_wrap=True, overflow="ellipsis")
            table.add_row(mark, step.step.title, f"{step.seconds:.1f} s", note, style=style)
        return table


def explain(problem: ClusterError, console: Console, lines: int = 15) -> None:
    """Show a failure: the sentence, the end of the right log, what to try."""
    console.print(Text(str(problem), style="bold red"))
    if problem.log and problem.log.exists():
        console.print(Panel(Text(tail(problem.log, lines)), title=str(problem.log), title_align="left"))
    if problem.hint:
        console.print(Text(problem.hint))


def tail(log: Path, lines: int) -> str:
    """The last lines of a log, long ones cut."""
    text = log.read_text(errors="replace").splitlines()
    return "\n".join(line[:400] for line in text[-lines:])
