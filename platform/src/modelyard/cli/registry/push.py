"""`modelyard push`."""

import tempfile
from pathlib import Path
from typing import Annotated

import typer

from modelyard.cli.terminal.console import Output


def push(
    path: Annotated[Path, typer.Argument(help="Entry folder, .onnx file or .joblib file.")],
    name: Annotated[str | None, typer.Option(help="Entry name of a lone file; its stem by default.")] = None,
    version: Annotated[str | None, typer.Option(help="Version of a lone file.")] = None,
    trust_pickle: Annotated[bool, typer.Option("--trust-pickle", help="Read a .joblib, which may run code.")] = False,
    output: Annotated[Output, typer.Option("--output", "-o", help="How to print the result.")] = Output.TABLE,
) -> None:
    """Push an entry folder or a model file into the registry."""
    from modelyard.builder.artifacts.staging import Naming, stage_entry
    from modelyard.cli.connection import open_registry
    from modelyard.cli.terminal.console import dump, moving, out
    from modelyard.registry.folder import read_folder

    registry = open_registry()
    with tempfile.TemporaryDirectory(prefix="modelyard-push-") as scratch:
        folder = stage_entry(path, Path(scratch), Naming(name, version, trust_pickle))
        entry = read_folder(folder).entry
        with moving(f"pushing {entry.name}:{entry.version}", entry.size) as progress:
            pushed = registry.push(folder, progress)
    if output is not Output.TABLE:
        dump({"name": entry.name, "version": entry.version, "digest": entry.digest, "new": pushed.new}, output)
        return
    what = "pushed" if pushed.new else "already there, unchanged:"
    out().print(
        f"{what} {entry.name}:{entry.version} ({len(entry.files)} files, {entry.size:,} bytes) {entry.digest}",
        markup=False,
        soft_wrap=True,
    )
