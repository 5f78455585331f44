"""Makes the example entries that are missing: `.venv/bin/python model-repo/make_entries.py [--all] [NAME ...]`.

Every entry has a make.py that writes all its versions. Small ones are committed; minilm and resnet18-digits are not.
The environment that trains is made first when it is missing, and every folder is checked against the platform's own
type at the end.
"""

import argparse
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import environment
import yaml
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from modelyard.api.entry import EntryMetadata

HERE = Path(__file__).resolve().parent
MADE = ("modelyard.yaml", "model.onnx", "eval.npz", "MODEL_CARD.md")
LAST_LINES = 15


def main() -> int:
    """Make what was asked for; 0, or 1 with the last lines of the log that tells why not, or 2 for a wrong name."""
    known = sorted(script.parent.name for script in HERE.glob("*/make.py"))
    asked = _arguments().parse_args()
    unknown = sorted(set(asked.names) - set(known))
    if unknown:
        print(f"There is no example entry called {unknown[0]}; there are {', '.join(known)}.", file=sys.stderr)
        return 2
    chosen = [name for name in known if name in (asked.names or known)]
    wanted = [name for name in chosen if asked.all or missing(name)]
    console = Console()
    for name in chosen:
        if name not in wanted:
            console.print(f"[green]✓[/] {name} is there")
    if not wanted:
        return 0
    steps: list[tuple[str, Callable[[Path], None]]] = []
    if not environment.is_ready():
        steps.append(("training-environment", environment.make))
    steps += [(name, lambda log, name=name: make(name, log)) for name in wanted]
    return _carried_out(steps, console)


def missing(name: str) -> list[Path]:
    """The files that a version of this entry lacks."""
    return [folder / file for folder in versions(name) for file in MADE if not (folder / file).is_file()]


def versions(name: str) -> list[Path]:
    """The version folders of an entry, each of which has at least its card."""
    return sorted(card.parent for card in (HERE / name).glob("*/MODEL_CARD.md"))


def make(name: str, log: Path) -> None:
    """Run the entry's make.py in the training environment and check what it wrote."""
    with log.open("w") as out:
        command = [str(environment.python()), str(HERE / name / "make.py")]
        subprocess.run(command, check=True, stdout=out, stderr=subprocess.STDOUT)
    for folder in versions(name):
        metadata = EntryMetadata.model_validate(yaml.safe_load((folder / "modelyard.yaml").read_text()))
        if (metadata.name, metadata.version) != (name, folder.name):
            raise ValueError(f"{folder}/modelyard.yaml calls itself {metadata.name} {metadata.version}.")


def _carried_out(steps: list[tuple[str, Callable[[Path], None]]], console: Console) -> int:
    logs = environment.cache_folder() / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    with Progress(SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn(), console=console) as progress:
        for position, (name, step) in enumerate(steps, 1):
            task = progress.add_task(f"{name} ({position} of {len(steps)})", total=1)
            log, began = logs / f"entries-{name}.log", time.monotonic()
            try:
                step(log)
            except (subprocess.CalledProcessError, OSError, ValueError) as failed:
                _explain(failed, log, console)
                return 1
            progress.remove_task(task)
            console.print(f"[green]✓[/] {name} made in {time.monotonic() - began:.0f} s")
    return 0


def _explain(failed: Exception, log: Path, console: Console) -> None:
    console.print(f"[red]✗[/] {failed}")
    if log.is_file() and log.stat().st_size:
        for line in log.read_text().splitlines()[-LAST_LINES:]:
            console.print(f"  {line}", markup=False)
        console.print(f"The whole log is {log}.")


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Makes the example entries that are missing.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="only these; without a name, every entry")
    parser.add_argument("--all", action="store_true", help="make them again even when nothing is missing")
    return parser


if __name__ == "__main__":
    sys.exit(main())
