"""`modelyard contract`: what clients of a model rely on."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from modelyard.cli.terminal.console import Output

if TYPE_CHECKING:
    from modelyard.api.lifecycle.contract import Contract

app = typer.Typer(
    help="Compare what clients of two versions rely on.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)


@app.callback()
def _contract() -> None:
    """Compare what clients of two versions rely on."""


@app.command("diff")
def diff(
    serving: Annotated[str, typer.Argument(help="What serves: NAME:VERSION, NAME@ALIAS, an entry folder or a file.")],
    new: Annotated[str, typer.Argument(help="What is to take its place, written in the same ways.")],
    output: Annotated[Output, typer.Option("--output", "-o", help="How to print the result.")] = Output.TABLE,
) -> None:
    """Say how the inputs and outputs of two versions differ; exit code 2 when clients of the first would notice."""
    from modelyard.cli.terminal.console import dump, out
    from modelyard.core.artifacts.contract_changes import contract_changes

    changes = contract_changes(_read(serving), _read(new))
    breaks = any(change.breaks for change in changes)
    if output is not Output.TABLE:
        rows = [{"breaks": change.breaks, "message": change.message} for change in changes]
        dump({"breaks": breaks, "changes": rows}, output)
    else:
        for change in changes:
            out().print(f"{'breaks' if change.breaks else 'fine'}: {change.message}", markup=False, soft_wrap=True)
        if not changes:
            out().print("the same")
    if breaks:
        raise typer.Exit(2)


def _read(named: str) -> "Contract":
    """The contract of what is at a path, or else in the registry."""
    import tempfile

    from modelyard.builder.artifacts.contract import contract_of
    from modelyard.builder.artifacts.source import read_source
    from modelyard.cli.connection import open_registry
    from modelyard.errors import UnknownEntry

    if Path(named).exists():
        return contract_of(read_source(Path(named)))
    name, at, alias = named.partition("@")
    name, _, version = (name, "", "") if at else named.partition(":")
    if not (alias or version):
        raise UnknownEntry(f"{named} is neither a file nor NAME:VERSION nor NAME@ALIAS; write one of these.")
    registry = open_registry()
    entry = registry.resolve(name, version=version or None, alias=alias or None)
    with tempfile.TemporaryDirectory(prefix="modelyard-contract-") as scratch:
        registry.fetch(entry, Path(scratch, "entry"))
        return contract_of(read_source(Path(scratch, "entry")))
