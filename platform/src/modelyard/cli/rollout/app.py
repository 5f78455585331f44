"""`modelyard rollout`: look at a rollout, wait for its end, and tell it what to do.

Exit codes of `watch`: 0 promoted (or ended with its report), 1 aborted, failed, rolled back or stuck, 124 when
`--timeout` was over first. Commands end with 2 when they make no sense, and nothing is written then.
"""

from collections.abc import Callable
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
from .polling import current_view, views
from .rollback import rollback
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

_HELP = {
    Action.PROMOTE: (
        "Give the candidate all the traffic now, without waiting for the gates; while it bakes: end the bake."
    ),
    Action.ABORT: (
        "Give all the traffic back to the stable revision at once; also after a promote, as long as it bakes."
    ),
    Action.PAUSE: (
        "Keep the weight as it is until resume; the gates go on watching, and a failing candidate is still aborted."
    ),
    Action.RESUME: "Go on after a pause, be it a command's or a step's.",
    Action.RETRY: "Try the wanted revision once more after it was refused.",
}


@app.callback()
def _rollout() -> None:
    """Watch a rollout, and tell it what to do."""


@app.command()
def status(name: Name, namespace: Namespace = "", output: Shown = Output.TABLE) -> None:
    """Show where a rollout stands and why: traffic, steps, gates with their evidence, the last command."""
    rollout_view = current_view(Cluster(access()), namespace or current_namespace(), name)
    if output is Output.TABLE:
        out().print(tree(rollout_view))
    else:
        dump(document(rollout_view), output)


@app.command()
def watch(
    name: Name,
    namespace: Namespace = "",
    timeout: Annotated[
        float | None,
        typer.Option(parser=span, metavar="DURATION", help="Give up after so long, such as 30m; exit code 124."),
    ] = None,
    version: Annotated[
        str, typer.Option(help="Wait for the end of this version's rollout, if it has not begun yet as well.")
    ] = "",
    output: Shown = Output.TABLE,
) -> None:
    """Follow a rollout to its end: a living picture on a terminal, else a line for every change.

    The exit code is 0 when it was promoted or ended with its report, 1 when it was aborted, failed, rolled back or is
    stuck, 124 when the timeout was over first. With --output json every change is one line of JSON. Who has moved an
    alias names the --version it means now: the operator takes up to half a minute to see it.
    """
    cluster, where, console = Cluster(access()), namespace or current_namespace(), out()
    observed = views(cluster, where, name, timeout)
    try:
        if output is not Output.TABLE:
            ended = follow(observed, Documents(output), version)
        elif console.is_terminal:
            with Picture(console) as picture:
                ended = follow(observed, picture, version)
        else:
            ended = follow(observed, Lines(console), version)
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
    """List the rollouts that have ended, newest first: when, what, how and why it ended, who asked for it."""
    rollout_view = current_view(Cluster(access()), namespace or current_namespace(), name)
    records, console = rollout_view.rollout.history, out()
    if output is not Output.TABLE:
        dump(rollout_history.documents(records), output)
    elif not records:
        console.print(f"No rollout of {name} has ended yet; a Model's first revision is none.", markup=False)
    else:
        for line in rollout_history.lines(records, rollout_view.now, console.width):
            console.print(line, soft_wrap=True)


app.command()(rollback)


def _command(action: Action) -> Callable[..., None]:
    """The sub-command of one action, for Typer to read its options from."""

    def run(
        name: Name, namespace: Namespace = "", wait: Wait = True, timeout: Patience = 10.0, output: Shown = Output.TABLE
    ) -> None:
        _give(action, name, namespace, timeout if wait else None, output)

    return run


for _action, _help in _HELP.items():
    app.command(_action.value, help=_help)(_command(_action))


def _give(action: Action, name: str, namespace: str, patience: float | None, output: Output) -> None:
    """Writes the command; waits `patience` seconds for the answer, or not at all.

    Raises UserError when the command makes no sense or the operator refused it.
    """
    cluster, where = Cluster(access()), namespace or current_namespace()
    command_id = commands.give(cluster, where, name, action)
    if patience is None:
        if output is Output.TABLE:
            out().print(f"{action.value} {name}: written with id {command_id}", markup=False, soft_wrap=True)
        else:
            dump({"id": command_id, "action": action.value}, output)
        return
    answered = commands.answer(cluster, where, name, command_id, patience)
    if output is not Output.TABLE:
        dump(answered.model_dump(by_alias=True, mode="json"), output)
    elif not answered.answer.startswith(commands.REFUSED):
        out().print(f"{action.value} {name}: {answered.answer}", markup=False, soft_wrap=True)
    if answered.answer.startswith(commands.REFUSED):
        raise UserError(f"{action.value} {name}: {answered.answer.removeprefix(commands.REFUSED)}")
