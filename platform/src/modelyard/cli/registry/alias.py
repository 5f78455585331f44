"""`modelyard alias`."""

from typing import Annotated

import typer

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
) -> None:
    """Point an alias at a version; Models that follow it move with it."""
    from modelyard.cli.connection import open_registry
    from modelyard.cli.terminal.console import out

    entry = open_registry().set_alias(name, alias, version)
    out().print(f"{name}@{alias} is now {entry.name}:{entry.version} ({entry.digest})", markup=False, soft_wrap=True)


@app.command("list")
def list_aliases(name: Annotated[str | None, typer.Argument(help="Only this entry.")] = None) -> None:
    """List aliases and the versions they stand for."""
    from modelyard.cli.connection import open_registry
    from modelyard.cli.terminal.console import out

    for item in open_registry().entries():
        if name in (None, item.entry.name):
            for alias in item.aliases:
                out().print(f"{item.entry.name}@{alias} is {item.entry.name}:{item.entry.version}")
