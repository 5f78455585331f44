"""`modelyard retrain NAME`: train a new version on labelled requests, judge it, and push it when it is better.

With `--publish`, as the Job of spec.retrain runs it, the answer goes to `$MODELYARD_TERMINATION_LOG`. Exit code 0 for
an answer, whatever it is; 2 when rows, recipe or entry have to change.
"""

import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from modelyard.cli.terminal.console import Output, dump, out
from modelyard.cli.terminal.options import Namespace, Shown

DAYS = 30


def retrain(
    name: Annotated[str, typer.Argument(help="Name of the Model whose labelled requests are learnt from.")],
    entry: Annotated[str, typer.Option(help="The version that serves, such as loans:3: parent and champion.")],
    recipe: Annotated[str, typer.Option(help="FILE.py:FUNCTION of the entry's training folder.")],
    namespace: Namespace = "",
    run: Annotated[str, typer.Option(help="Its name; another try of the same pushes nothing twice.")] = "",
    reason: Annotated[str, typer.Option(help="What called for it, such as decay.")] = "",
    output_name: Annotated[str, typer.Option(help="The output that labels are of, as feedback.output.")] = "",
    slices: Annotated[
        list[str] | None, typer.Option("--slice", help="Column in none of whose values it may be worse; repeatable.")
    ] = None,
    days: Annotated[int, typer.Option(min=1, max=9999, help="Learn from the answers of so many days.")] = DAYS,
    since: Annotated[
        str, typer.Option(help="Judge by held-out answers from then on (RFC 3339), such as when a decay began.")
    ] = "",
    publish: Annotated[bool, typer.Option("--publish", help="Push it when it is better, and move its alias.")] = False,
    trust_code: Annotated[
        bool, typer.Option("--trust-code", help="Run the Python files of the entry's training folder.")
    ] = False,
    output: Shown = Output.TABLE,
) -> None:
    """Train a new version on the labelled requests of a Model, and push it when it is better than what serves."""
    from modelyard.api.monitoring.spec import Feedback
    from modelyard.builder.optimization.training.tracking import tracked
    from modelyard.builder.retraining.retrainer import RetrainingRequest
    from modelyard.builder.retraining.retrainer import retrain as retrained
    from modelyard.cli.connection import entry_called, open_registry, open_store
    from modelyard.cli.terminal.console import say
    from modelyard.clients.cluster.context import current_namespace
    from modelyard.clients.cluster.termination_message import leave
    from modelyard.clients.cluster.termination_message import reason as why

    if not trust_code:
        raise typer.BadParameter("a recipe is Python of the entry's author, and is run here: add --trust-code.")
    now = datetime.now(UTC)
    try:
        request = RetrainingRequest(
            namespace=namespace or current_namespace(),
            model=name,
            entry=entry_called(entry),
            recipe=recipe,
            run=run or f"{now:%Y-%m-%dT%H:%M:%SZ}",
            reason=reason,
            feedback=Feedback(output=output_name or None, slices=slices or None),
            first_day=f"{now - timedelta(days=days - 1):%Y-%m-%d}",
            since=_moment(since),
            publish=publish,
            track=tracked(),
        )
        with tempfile.TemporaryDirectory(prefix="modelyard-retrain-") as scratch:
            result = retrained(request, open_store(), open_registry(), Path(scratch), say)
    except Exception as bad:
        leave(why(bad, "the retraining"))
        raise
    leave(result._asdict())
    if output is Output.TABLE:
        out().print(result.message, soft_wrap=True, markup=False)
    else:
        dump(result._asdict(), output)


def _moment(text: str) -> float:
    """Seconds since 1970; 0 for nothing. BadParameter when it is no moment."""
    try:
        return datetime.fromisoformat(text).timestamp() if text else 0.0
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no moment: write 2026-11-29T10:00:00Z.") from None
