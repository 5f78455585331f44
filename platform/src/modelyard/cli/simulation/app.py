"""`modelyard simulate`: what a rollout's gate decides; `modelyard simulate drift`: what finds a change in rows."""

import typer

from .drift import drift
from .rollouts import simulate

app = typer.Typer(add_completion=False, rich_markup_mode=None)
app.callback(invoke_without_command=True)(simulate)
app.command("drift")(drift)
