"""`modelyard rollback NAME [--to VERSION]`: back to a version that had the traffic, as a rollout like any other.

The version is written into `spec.source`, beside it who asked for it and why; the history of rollouts keeps both. Where
a Model is applied from git, revert the commit instead, or the next sync undoes what was written here.
"""

from typing import Annotated

import typer

from modelyard.cli.terminal.console import Output, dump, out
from modelyard.cli.terminal.options import Namespace, Shown
from modelyard.clients.cluster.access import access
from modelyard.clients.cluster.api_server import Cluster
from modelyard.clients.cluster.context import current_namespace

from . import commands


def rollback(
    name: Annotated[str, typer.Argument(help="Name of the Model.")],
    namespace: Namespace = "",
    to: Annotated[str, typer.Option(metavar="VERSION", help="Another version that had the traffic once.")] = "",
    reason: Annotated[str, typer.Option(help="Why; kept in the history of rollouts.")] = "",
    output: Shown = Output.TABLE,
) -> None:
    """Ask for the version again that had all the traffic before; it is rolled out as any other, by spec.rollout."""
    version = commands.go_back(Cluster(access()), namespace or current_namespace(), name, to, reason)
    if output is not Output.TABLE:
        dump({"model": name, "version": version}, output)
        return
    told = f"spec.source.version is {version}; `modelyard rollout watch {name}` follows it."
    out().print(f"rollback {name}: {told} Change the file you apply, too.", markup=False, soft_wrap=True)
