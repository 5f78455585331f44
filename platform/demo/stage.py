"""Stages of the demo: a headline, a clock, the commands a person would type, and the record of how long it took."""

import json
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

ROOT = Path(__file__).resolve().parent.parent.parent
BIN = Path(sys.executable).parent
STATE = ROOT / ".modelyard"
TIMINGS = STATE / "timings.json"


class DemoFailed(Exception):
    """A step did not come to its end; the message says what to look at."""


def kubeconfig() -> Path:
    """The cluster the demo speaks to."""
    if os.environ.get("MODELYARD_CLUSTER") == "existing" and os.environ.get("KUBECONFIG"):
        return Path(os.environ["KUBECONFIG"])
    return STATE / "kubeconfig"


def environment() -> dict[str, str]:
    """For child processes: our tools first, the demo's cluster."""
    path = f"{BIN}{os.pathsep}{os.environ.get('PATH', '')}"
    return {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT / "platform"), "KUBECONFIG": str(kubeconfig())}


def output_of(*words: str, stdin: str = "") -> str:
    """What a command prints that is not for show, run in the repository. Raises DemoFailed with what it says."""
    done = subprocess.run(
        words, cwd=ROOT, env=environment(), input=stdin, capture_output=True, text=True, check=False, timeout=300
    )
    if done.returncode:
        raise DemoFailed(f"`{shlex.join(words)}` ended with code {done.returncode}: {done.stderr.strip()}")
    return done.stdout


class Stages:
    """Runs stages in order and keeps their seconds."""

    def __init__(self, console: Console, names: Sequence[str]) -> None:
        self.console = console
        self._names = list(names)
        self.seconds: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """One stage; its time counts also when it fails."""
        self.console.rule(f"[bold]{self._names.index(name) + 1}/{len(self._names)} {name}", align="left")
        started = time.monotonic()
        try:
            yield
        finally:
            self.seconds[name] = time.monotonic() - started

    def command(self, *words: str, quiet: bool = False, codes: Collection[int] = (0,)) -> str:
        """Run a command in the repository and show it; returns its output when `quiet`, else that is shown.

        Raises DemoFailed when it ends with a code other than `codes`.
        """
        self.console.print(f"[cyan]$[/] {escape(shlex.join(words))}", highlight=False, soft_wrap=True)
        done = subprocess.run(words, cwd=ROOT, env=environment(), check=False, text=True, capture_output=quiet)
        if done.returncode not in codes:
            said = f": {(done.stderr or done.stdout).strip()}" if quiet else ""
            raise DemoFailed(f"`{shlex.join(words)}` ended with code {done.returncode}{said}")
        return done.stdout if quiet else ""

    def shares(self) -> Table:
        """Each stage's time and its share of the whole."""
        total = sum(self.seconds.values())
        table = Table("stage", "seconds", "share", box=None, pad_edge=False)
        for name, seconds in self.seconds.items():
            table.add_row(name, f"{seconds:.1f}", f"{100 * seconds / total:.0f} %")
        table.add_row("[bold]all", f"[bold]{total:.1f}", "")
        return table

    def record(self) -> None:
        """Appends this run to `.modelyard/timings.json`."""
        TIMINGS.parent.mkdir(exist_ok=True)
        runs = json.loads(TIMINGS.read_text()) if TIMINGS.exists() else []
        runs.append({"at": time.strftime("%Y-%m-%dT%H:%M:%S%z"), "seconds": self.seconds})
        TIMINGS.write_text(json.dumps(runs, indent=1))
