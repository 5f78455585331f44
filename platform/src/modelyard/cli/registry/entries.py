"""`modelyard entries`."""

from typing import Annotated

import typer

from modelyard.cli.terminal.console import Output


def entries(
    name: Annotated[str | None, typer.Argument(help="Only this entry.")] = None,
    output: Annotated[Output, typer.Option("--output", "-o", help="How to print the result.")] = Output.TABLE,
) -> None:
    """List the entries of the registry."""
    from rich.table import Table

    from modelyard.cli.connection import open_registry
    from modelyard.cli.terminal.console import dump, out

    listed = [item for item in open_registry().entries() if name in (None, item.entry.name)]
    if output is not Output.TABLE:
        documents = [item.entry.model_dump(mode="json", by_alias=True) for item in listed]
        dump(
            [{**document, "aliases": list(item.aliases)} for document, item in zip(documents, listed, strict=True)],
            output,
        )
        return
    if not listed:
        out().print("no entries; push one with `modelyard push FOLDER`")
        return
    table = Table("NAME", "VERSION", "ALIASES", "TASK", "FRAMEWORK", "SIZE", "DIGEST", box=None)
    for item in listed:
        entry, metadata = item.entry, item.entry.metadata
        size, short = f"{entry.size:,}", entry.digest.removeprefix("sha256:")[:12]
        aliases = ", ".join(item.aliases)
        table.add_row(entry.name, entry.version, aliases, metadata.task, metadata.framework, size, short)
    out().print(table)
