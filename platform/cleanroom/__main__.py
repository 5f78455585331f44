"""`python -m cleanroom [--only COMMAND]`: exit code 0 when nothing was missing.

Without --only the room is made anew and both commands of the README run; with it one command runs in the room as the
last run left it (made when there is none), on a fresh clone of HEAD.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from localcluster import paths
from localcluster.cache import locked
from localcluster.errors import ClusterError, NotPossible
from localcluster.node import process as node
from localcluster.programs import toolchain
from localcluster.steps.progress import explain
from localcluster.steps.task import Task

from . import room
from .enter import BEGIN, END, command_line
from .verdict import Attempt, last_line

BOTH = ("make demo", "make test")
console = Console(highlight=False)


def place() -> Path:
    """The room's folder: $CLEANROOM, else below the cache."""
    return Path(os.environ.get("CLEANROOM") or paths.default().cache / "cleanroom").expanduser().resolve()


def network_in_use() -> str:
    """Why no room may have a cluster now, else "": it has this network, and the addresses of a cluster are fixed."""
    where = paths.default()
    running = [*node.others(where), *([str(where.state)] if node.find(where) else [])]
    if not running:
        return ""
    return (
        f"A local cluster runs on this machine ({running[0]}), and one in the clean room would use the same addresses: "
        "stop it with `make cluster-down` in its clone, then try again."
    )


def attempts_from(lines: Iterable[str]) -> list[Attempt]:
    """Commands with their times and output, as the lines come; every line but the marks is passed on."""
    attempts: list[Attempt] = []
    started = time.monotonic()
    for line in lines:
        if line.startswith(BEGIN):
            attempts.append(Attempt(line.removeprefix(BEGIN).strip()))
            started = time.monotonic()
            console.rule(attempts[-1].command, align="left")
        elif line.startswith(END) and attempts:
            attempts[-1].code = int(line.removeprefix(END))
        else:
            sys.stdout.write(line)
            sys.stdout.flush()
            if attempts:
                attempts[-1].lines.append(line.rstrip())
        if attempts and attempts[-1].code is None:
            attempts[-1].seconds = time.monotonic() - started
    return attempts


def tried(root: Path, commands: list[str]) -> list[Attempt]:
    """Run the commands in the room, one after the other."""
    words = command_line(root, paths.REPOSITORY, commands)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join((str(paths.PLATFORM), str(paths.PLATFORM / "src")))}
    with subprocess.Popen(
        words, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, bufsize=1, errors="replace",
    ) as process:  # fmt: skip
        try:
            return attempts_from(process.stdout or ())
        finally:
            process.terminate()


def table(attempts: list[Attempt]) -> Table:
    """Times of the commands."""
    rows = Table("command", "result", "time", title="Clean room")
    for attempt in attempts:
        rows.add_row(attempt.command, "passed" if attempt.code == 0 else "failed", f"{attempt.seconds:.0f} s")
    return rows


def cleanroom(
    only: Annotated[str, typer.Option(help="Run this one command, in the room as it is.")] = "",
) -> None:
    """Try the README's two commands on a pristine Debian 12, from a fresh clone of HEAD and an empty cache."""
    toolchain.require_root()
    root, task = place(), Task(paths.default().logs / "cleanroom.log", say=console.print)
    with locked(root.with_name(f".{root.name}.in-use"), lambda: console.print("Waiting for another run in this room.")):
        in_use = network_in_use()
        if in_use and not only:
            raise NotPossible(in_use)
        if in_use:
            console.print(f"Warning: {in_use}")
        if not only:
            room.remove(root, task)
        console.print(f"The room is {root}; its log is {task.log}.")
        room.make(root, task)
        attempts = tried(root, [only] if only else list(BOTH))
    console.print(table(attempts))
    print(last_line(attempts), flush=True)
    raise typer.Exit(0 if attempts and all(attempt.code == 0 for attempt in attempts) else 1)


def main() -> None:
    """Run; a failure of the room itself ends with exit code 1 and a sentence."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(cleanroom)
    try:
        app()
    except ClusterError as problem:
        explain(problem, Console(stderr=True))
        sys.exit(1)


if __name__ == "__main__":
    main()
