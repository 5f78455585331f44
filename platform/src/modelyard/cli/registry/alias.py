"""`modelyard alias`."""

from typing import Annotated

import typer

from modelyard.cli.terminal.console import Output

Shown = Annotated[Output, typer.Option("--output", "-o", help="How to print the result.")]

app = typer.Typer(
    help="Point names such as champion at versions.", no_args_is_help=True, add_completion=False, rich_markup_mode=None
)


@app.callback()
def _alias() -> None:
    """Point names such as champion at versions."""


@app.command("set")
def set_alias(
    name: Annotated[str, typer.Argument(help="Entry name.")],
    alias: Annotated[str, typer.Argument(help="Alias, such as champion.")],
    version: Annotated[str, typer.Argument(help="Version it stands for from now on.")],
    output: Shown = Output.TABLE,
) -> None:
    """Point an alias at a version; Models that follow it move with it."""
    from modelyard.cli.connection import open_registry
    from modelyard.cli.terminal.console import dump, out

    entry = open_registry().set_alias(name, alias, version)
    if output is not Output.TABLE:
        dump({"name": name, "alias": alias, "version": entry.version, "digest": entry.digest}, output)
        return
    out().print(f"{name}@{alias} is now {entry.name}:{entry.version} ({entry.digest})", markup=False, soft_wrap=True)


@app.command("list")
def list_aliases(
    name: Annotated[str | None, typer.Argument(help="Only this entry.")] = None, output: Shown = Output.TABLE
) -> None:
    """List aliases and the versions they stand for."""
    from modelyard.cli.connection import open_registry
    from modelyard.cli.terminal.console import dump, out

    rows = [
        {"name": item.entry.name, "alias": alias, "version": item.entry.version}
        for item in open_registry().entries()
        if name in (None, item.entry.name)
        for alias in item.aliases
    ]
    if output is not Output.TABLE:
        dump(rows, output)
        return
    for row in rows:
        out().print(f"{row['name']}@{row['alias']} is {row['name']}:{row['version']}")
