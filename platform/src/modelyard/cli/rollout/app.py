"""`modelyard rollout`: look at a rollout, wait for its end, and tell it what to do.

Exit codes of `watch`: 0 promoted (or ended with its report), 1 aborted, failed, rolled back or stuck, 124 when
`--timeout` was over first. Commands end with 2 when they make no sense, and nothing is written then.
"""

from typing import Annotated

import typer

from modelyard.api.rollout import Action
from modelyard.cli.terminal.console import Output, dump, out, say
from modelyard.cli.terminal.options import Namespace, Shown, span
from modelyard.clients.cluster.access import access
from modelyard.clients.cluster.api_server import Cluster
from modelyard.clients.cluster.context import current_namespace
from modelyard.errors import UserError

from . import commands
from . import history as rollout_history
from .polling import look_at, looks
from .view import tree
from .watch import Documents, Lines, Picture, document, follow

app = typer.Typer(
    help="Watch a rollout, and tell it what to do.", no_args_is_help=True, add_completion=False, rich_markup_mode=None
)
TIMED_OUT = 124

Name = Annotated[str, typer.Argument(help="Name of the Model.")]
Wait = Annotated[bool, typer.Option("--wait/--no-wait", help="Wait for the operator's answer and print it.")]
Patience = Annotated[
    float, typer.Option("--timeout", parser=span, metavar="DURATION", help="How long to wait for the answer.")
]


@app.callback()
def _rollout() -> None:
    """Watch a rollout, and tell it what to do."""


@app.command()
def status(name: Name, namespace: Namespace = "", output: Shown = Output.TABLE) -> None:
    """Show where a rollout stands and why: traffic, steps, gates with their evidence, the last command."""
    look = look_at(Cluster(access()), namespace or current_namespace(), name)
    if output is Output.TABLE:
        out().print(tree(look))
    else:
        dump(document(look), output)


@app.command()
def watch(
    name: Name,
    namespace: Namespace = "",
    timeout: Annotated[
        float | None,
        typer.Option(parser=span, metavar="DURATION", help="Give up after so long, such as 30m; exit code 124."),
    ] = None,
    output: Shown = Output.TABLE,
) -> None:
    """Follow a rollout to its end: a living picture on a terminal, else a line for every change.

    The exit code is 0 when it was promoted or ended with its report, 1 when it was aborted, failed, rolled back or is
    stuck, 124 when the timeout was over first. With --output json every change is one line of JSON.
    """
    cluster, where, console = Cluster(access()), namespace or current_namespace(), out()
    seen = looks(cluster, where, name, timeout)
    try:
        if output is not Output.TABLE:
            ended = follow(seen, Documents(output))
        elif console.is_terminal:
            with Picture(console) as picture:
                ended = follow(seen, picture)
        else:
            ended = follow(seen, Lines(console))
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
    if ended is None:
        say(f"The time is over and the rollout of {name} is not; it goes on.")
        raise typer.Exit(TIMED_OUT)
    if output is Output.TABLE:
        console.print(ended.sentence, markup=False, soft_wrap=True)
    else:
        say(ended.sentence)
    raise typer.Exit(ended.code)


@app.command()
def history(name: Name, namespace: Namespace = "", output: Shown = Output.TABLE) -> None:
    """List the rollouts that have ended, newest first: when, what, how it ended, why, and with how many requests."""
    look = look_at(Cluster(access()), namespace or current_namespace(), name)
    records, console = look.rollout.history, out()
    if output is not Output.TABLE:
        dump(rollout_history.documents(records), output)
    elif not records:
        console.print(f"No rollout of {name} has ended yet; a Model's first revision is none.", markup=False)
    else:
        for line in rollout_history.lines(records, look.now, console.width):
            console.print(line, soft_wrap=True)


@app.command()
def promote(
    name: Name, namespace: Namespace = "", wait: Wait = True, timeout: Patience = 10.0, output: Shown = Output.TABLE
) -> None:
    """Give the candidate all the traffic now, without waiting for the gates; while it bakes: end the bake."""
    _tell(Action.PROMOTE, name, namespace, timeout if wait else None, output)


@app.command()
def abort(
    name: Name, namespace: Namespace = "", wait: Wait = True, timeout: Patience = 10.0, output: Shown = Output.TABLE
) -> None:
    """Give all the traffic back to the stable revision at once; also after a promote, as long as it bakes."""
    _tell(Action.ABORT, name, namespace, timeout if wait else None, output)


@app.command()
def pause(
    name: Name, namespace: Namespace = "", wait: Wait = True, timeout: Patience = 10.0, output: Shown = Output.TABLE
) -> None:
    """Keep the weight as it is until resume; the gates go on watching, and a failing candidate is still aborted."""
    _tell(Action.PAUSE, name, namespace, timeout if wait else None, output)


@app.command()
def resume(
    name: Name, namespace: Namespace = "", wait: Wait = True, timeout: Patience = 10.0, output: Shown = Output.TABLE
) -> None:
    """Go on after a pause, be it a command's or a step's."""
    _tell(Action.RESUME, name, namespace, timeout if wait else None, output)


@app.command()
def retry(
    name: Name, namespace: Namespace = "", wait: Wait = True, timeout: Patience = 10.0, output: Shown = Output.TABLE
) -> None:
    """Try the wanted revision once more after it was refused."""
    _tell(Action.RETRY, name, namespace, timeout if wait else None, output)


def _tell(action: Action, name: str, namespace: str, patience: float | None, output: Output) -> None:
    """Writes the command; waits `patience` seconds for the answer, or not at all."""
    cluster, where = Cluster(access()), namespace or current_namespace()
    told = commands.give(cluster, where, name, action)
    if patience is None:
        if output is Output.TABLE:
            out().print(f"{action.value} {name}: written with id {told}", markup=False, soft_wrap=True)
        else:
            dump({"id": told, "action": action.value}, output)
        return
    said = commands.answer(cluster, where, name, told, patience)
    if output is not Output.TABLE:
        dump(said.model_dump(by_alias=True, mode="json"), output)
    elif not said.answer.startswith(commands.REFUSED):
        out().print(f"{action.value} {name}: {said.answer}", markup=False, soft_wrap=True)
    if said.answer.startswith(commands.REFUSED):
        raise UserError(f"{action.value} {name}: {said.answer.removeprefix(commands.REFUSED)}")
